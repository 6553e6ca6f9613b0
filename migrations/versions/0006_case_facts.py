"""What the figures count of each case.

The table is empty: the worker's relay fills it from the ledger.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Written out here and not imported from models: a migration says what was, models what is.
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

INTAKE = ("consulted", "out_of_scope", "merged", "repeated")
COUNTED = (
    "handled",
    "on_time",
    "unit_on_time",
    "excused",
    "unit_excused",
    "on_time_unextended",
    "unit_on_time_unextended",
    "dispatched",
    "responded",
    "dispatches",
    "signed",
    "signed_in_time",
    "returns",
    "refused_returns",
    "orders",
    "solved",
    "unsolved",
    "rated_first",
    "satisfied_first",
    "rated_final",
    "satisfied_final",
    "told",
    "revisited",
    "reached",
    "escalated",
    "extended",
    "reopened",
    "ordered",
    "hard_solved",
)
MEASURED = (
    "handling_days",
    "handling_minutes",
    "window_minutes",
    "contact_minutes",
    "deputy_leader_minutes",
    "supervision_minutes",
    "superior_minutes",
    "citizen_minutes",
)


def upgrade() -> None:
    op.create_table(
        "case_facts",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=True),
        sa.Column("kind", sa.String(64), nullable=True),
        sa.Column("cause", sa.String(64), nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("person_key", sa.BigInteger(), nullable=True),
        sa.Column("matter_key", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in INTAKE),
        sa.Column("apart", sa.Boolean(), nullable=False),
        sa.Column("counts_at", INSTANT, nullable=True),
        sa.Column("counts_on", sa.Date(), nullable=True),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in COUNTED),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in MEASURED),
        sa.Column("elsewhere", JSON, nullable=True),
        sa.Column("held_by", sa.String(64), nullable=True),
        sa.Column("held_since", INSTANT, nullable=True),
        sa.Column("held_calendar", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name="pk_case_facts"),
    )
    op.create_index("ix_case_facts_counts_at", "case_facts", ["counts_at"])
    op.create_index("ix_case_facts_received_at", "case_facts", ["received_at"])
    op.create_index(
        "ix_case_facts_person_key_matter_key_received_at",
        "case_facts",
        ["person_key", "matter_key", "received_at"],
    )


def downgrade() -> None:
    op.drop_table("case_facts")
