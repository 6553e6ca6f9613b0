"""Forms that were sent after their session had ended.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_forms",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("path", sa.String(255), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kept_forms"),
    )
    op.create_index("ix_kept_forms_username_path", "kept_forms", ["username", "path"], unique=True)
    op.create_index("ix_kept_forms_at", "kept_forms", ["at"])


def downgrade() -> None:
    op.drop_table("kept_forms")
