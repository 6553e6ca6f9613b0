"""Reports, and who took them in.

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TABLES = ("reporting_plans", "report_receipts", "report_cases", "report_files", "reports")


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("covers_from", INSTANT, nullable=False),
        sa.Column("covers_to", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("hall", "kind", "due_at", name="uq_reports_hall_kind_due_at"),
    )
    op.create_index("ix_reports_hall_kind_covers_to", "reports", ["hall", "kind", "covers_to"])
    op.create_index("ix_reports_due_at_id", "reports", ["due_at", "id"])
    op.create_table(
        "report_files",
        sa.Column("report_id", sa.String(36), nullable=False),
        sa.Column("format", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", "format", name="pk_report_files"),
        _of_report("report_files"),
    )
    op.create_table(
        "report_cases",
        sa.Column("report_id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("after_seq", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", "case_id", name="pk_report_cases"),
        _of_report("report_cases"),
    )
    op.create_index("ix_report_cases_case_id_seq", "report_cases", ["case_id", "seq"])
    op.create_table(
        "report_receipts",
        sa.Column("report_id", sa.String(36), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("report_id", "username", name="pk_report_receipts"),
        _of_report("report_receipts"),
    )
    op.create_table(
        "reporting_plans",
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("covers_from", INSTANT, nullable=False),
        sa.Column("covers_to", INSTANT, nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hall", name="pk_reporting_plans"),
    )
    op.create_index("ix_reporting_plans_due_at", "reporting_plans", ["due_at"])


def downgrade() -> None:
    kinds = "'hall_weekly', 'centre_weekly', 'monthly_lists', 'monthly'"
    op.execute(f"DELETE FROM notifications WHERE kind IN ({kinds})")
    for table_name in TABLES:
        op.drop_table(table_name)


def _of_report(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["report_id"],
        ["reports.id"],
        name=f"fk_{table}_report_id_reports",
        deferrable=True,
        initially="DEFERRED",
    )
