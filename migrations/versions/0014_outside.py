"""Messages for people outside: choices of users, deliveries, how far they are laid out.

Revision: 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Index → its columns and condition.
PARTIAL = {
    "ix_personal_deliveries_waiting": (["means", "due_at", "id"], "status = 'waiting'"),
    "ix_personal_deliveries_bundle": (["bundle"], "status = 'waiting'"),
    "ix_personal_deliveries_dead": (["id"], "status = 'dead'"),
}


def upgrade() -> None:
    op.create_table(
        "delivery_choices",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("means", JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("username", name="pk_delivery_choices"),
    )
    op.create_table(
        "personal_deliveries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("notification", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("means", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("bundle", sa.String(36), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_until", INSTANT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("laid_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_personal_deliveries"),
        sa.UniqueConstraint("notification", "means", name="uq_personal_deliveries_notification_means"),
    )
    for name, (columns, condition) in PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, "personal_deliveries", columns, sqlite_where=where, postgresql_where=where)
    op.add_column("deliveries", sa.Column("resent_at", INSTANT, nullable=True))
    op.create_table(
        "delivery_progress",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_progress"),
    )


def downgrade() -> None:
    op.drop_column("deliveries", "resent_at")
    for table in ("delivery_progress", "personal_deliveries", "delivery_choices"):
        op.drop_table(table)
