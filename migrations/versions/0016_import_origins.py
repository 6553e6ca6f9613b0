"""Rows of imports forget the number that their case has elsewhere; filings wait from when they came here.

The number leads to a person in the other system: it goes with the case's own, not years later or never.
T0 of a filing that was imported lies up to a year before it came.

Revision: 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("PRAGMA secure_delete = ON")
    op.execute("UPDATE import_rows SET origin_key = '' WHERE outcome IS NOT NULL")
    _partial("ix_import_rows_waiting_key", "import_rows", "origin_key", "outcome IS NULL")
    op.drop_index("ix_filings_unregistered", "filings")
    _unregistered("coalesce(imported_at, received_at)")


def downgrade() -> None:
    op.drop_index("ix_filings_unregistered", "filings")
    _unregistered("received_at")
    op.drop_index("ix_import_rows_waiting_key", "import_rows")


def _unregistered(by: str) -> None:
    _partial("ix_filings_unregistered", "filings", by, "registered_at IS NULL")


def _partial(name: str, table: str, by: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [sa.text(by)], sqlite_where=where, postgresql_where=where)
