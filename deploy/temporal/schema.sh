#!/bin/sh
# Brings Temporal's two databases to the schema of this version. Does nothing where that is done.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_database_password)
export SQL_PASSWORD SQL_PLUGIN=postgres12 SQL_HOST=postgres SQL_PORT=5432 SQL_USER=temporal
schema=/etc/temporal/schema/postgresql/v12

bring_up() { # database, folder of its schema
    temporal-sql-tool --database "$1" setup-schema --version 0.0
    temporal-sql-tool --database "$1" update-schema --schema-dir "$schema/$2/versioned"
}

bring_up temporal temporal
bring_up temporal_visibility visibility
