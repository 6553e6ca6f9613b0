"""Keys that the database keeps, the processes that hold keys, and the engine that runs the cases.

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "house_keys",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=True),
        sa.Column("sealed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_house_keys")),
    )
    op.create_table(
        "key_holders",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("process", sa.String(128), nullable=False),
        sa.Column("sealing", sa.String(64), nullable=False),
        sa.Column("opening", sa.Text(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_holders")),
    )
    known = op.create_table(
        "known_engines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(128), nullable=False),
        sa.Column("resumed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_engines")),
    )
    # The engine of today is believed: only a restored database has no row.
    op.bulk_insert(known, [{"id": 1, "identity": ""}])


def downgrade() -> None:
    for table in ("known_engines", "key_holders", "house_keys"):
        op.drop_table(table)
