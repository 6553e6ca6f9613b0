"""Erasure of personal data with its holds; where a case came from; imports of files, systems that push.

Revision: 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _retention()
    _origins()
    _imports()


def _retention() -> None:
    op.create_table(
        "erasures",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("archived_at", INSTANT, nullable=False),
        sa.Column("erased_at", INSTANT, nullable=False),
        sa.Column("files_gone_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_erasures")),
    )
    _partial("ix_erasures_files", "erasures", ["case_id"], "files_gone_at IS NULL")
    op.create_index("ix_erasures_erased_at_case_id", "erasures", ["erased_at", "case_id"])
    op.create_table(
        "erasure_holds",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(64), nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("lifted_by", sa.String(64), nullable=True),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_holds")),
    )
    _partial("uq_erasure_holds_standing", "erasure_holds", ["case_id"], "lifted_at IS NULL", unique=True)
    op.add_column("report_files", sa.Column("erased_at", INSTANT, nullable=True))


def _origins() -> None:
    op.add_column("filings", sa.Column("origin_key", sa.String(200), nullable=True))
    op.add_column("filings", sa.Column("source", sa.String(64), nullable=True))
    op.add_column("filings", sa.Column("reference", sa.String(64), nullable=True))
    op.add_column("filings", sa.Column("imported_at", INSTANT, nullable=True))
    op.create_index("uq_filings_origin_key", "filings", ["origin_key"], unique=True)
    op.add_column("cases", sa.Column("source", sa.String(64), nullable=True))
    op.add_column("cases", sa.Column("reference", sa.String(64), nullable=True))
    _partial("ix_cases_reference", "cases", ["reference"], "reference IS NOT NULL")


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("faults", JSON, nullable=False),
        sa.Column("leased_to", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_hall_at", "imports", ["hall", "at"])
    _partial("ix_imports_queued", "imports", ["at"], "status = 'queued'")
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.String(36), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("origin_key", sa.String(200), nullable=False),
        sa.Column("form", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(64), nullable=True),
        sa.Column("reason", sa.String(64), nullable=True),
        sa.Column("case_id", sa.String(36), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_rows_import_id_imports"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "row", name=op.f("pk_import_rows")),
    )
    _partial("ix_import_rows_waiting", "import_rows", ["import_id", "row"], "outcome IS NULL")
    op.create_table(
        "integrations",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["hall"],
            ["halls.code"],
            name=op.f("fk_integrations_hall_halls"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_integrations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_integrations_token_hash")),
    )


def downgrade() -> None:
    for table in ("integrations", "import_rows", "imports", "erasure_holds", "erasures"):
        op.drop_table(table)
    op.drop_index("ix_cases_reference", "cases")
    op.drop_index("uq_filings_origin_key", "filings")
    for column in ("reference", "source"):
        op.drop_column("cases", column)
    for column in ("imported_at", "reference", "source", "origin_key"):
        op.drop_column("filings", column)
    op.drop_column("report_files", "erased_at")


def _partial(name: str, table: str, columns: list[str], condition: str, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
