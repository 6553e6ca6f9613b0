"""A repeat report has one mark, `case_facts.repeated`, and matters are compared without punctuation too.

Old rows hold keys of another meaning: they are deleted, and the worker's relay makes them anew.

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MARKED = {
    "sqlite_where": sa.text("repeat_of IS NOT NULL"),
    "postgresql_where": sa.text("repeat_of IS NOT NULL"),
}


def upgrade() -> None:
    op.drop_index("ix_filings_repeat_of", "filings")
    op.drop_column("filings", "repeat_of")
    op.execute("DELETE FROM case_facts")


def downgrade() -> None:
    op.add_column("filings", sa.Column("repeat_of", sa.String(36), nullable=True))
    op.create_index("ix_filings_repeat_of", "filings", ["repeat_of"], **MARKED)
    op.execute("DELETE FROM case_facts")
