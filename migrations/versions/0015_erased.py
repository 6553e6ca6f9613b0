"""Cases know that they are erased, and those that are not have an index of their own.

Revision: 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STANDING = sa.text("status = 'archived' AND NOT erased")


def upgrade() -> None:
    op.add_column("cases", sa.Column("erased", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE cases SET erased = true WHERE id IN (SELECT case_id FROM erasures)")
    op.create_index(
        "ix_cases_standing",
        "cases",
        ["hall", "received_at", "id"],
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )


def downgrade() -> None:
    op.drop_index("ix_cases_standing", "cases")
    op.drop_column("cases", "erased")
