#!/bin/sh
# Run once by the image, on an empty cluster: two users, each with databases of its own.
# The passwords are read by psql itself, so that no list of processes shows them.
set -eu
secrets="${SECRETS:-/run/secrets}"
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<SQL
\set bancheng_password \`cat "$secrets/bancheng_database_password"\`
\set temporal_password \`cat "$secrets/temporal_database_password"\`
CREATE ROLE bancheng LOGIN PASSWORD :'bancheng_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE bancheng OWNER bancheng;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE bancheng, temporal, temporal_visibility FROM PUBLIC;
SQL
