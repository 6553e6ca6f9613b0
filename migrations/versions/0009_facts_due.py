"""Facts are written beside the ledger: an event only marks its case.

What has no facts yet stays marked, so that the worker's relay makes them.

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DUE = sa.text("facts_due")


def upgrade() -> None:
    op.add_column("cases", sa.Column("facts_due", sa.Boolean, nullable=False, server_default=sa.true()))
    op.execute("UPDATE cases SET facts_due = false WHERE id IN (SELECT case_id FROM case_facts)")
    op.create_index(
        "ix_cases_facts_due", "cases", ["received_at", "id"], sqlite_where=DUE, postgresql_where=DUE
    )


def downgrade() -> None:
    op.drop_index("ix_cases_facts_due", "cases")
    op.drop_column("cases", "facts_due")
