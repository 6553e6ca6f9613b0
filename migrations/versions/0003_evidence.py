"""Evidence: signed heads, runs of workflows and their exported histories.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = (
    "head_publications",
    "head_leaves",
    "ledger_heads",
    "ledger_checks",
    "history_exports",
    "case_runs",
)
# As the ledger itself: refused on SQLite also to REPLACE, which asks no delete trigger.
TAKEN = {
    "ledger_heads": (
        "EXISTS (SELECT 1 FROM ledger_heads WHERE number = NEW.number OR due_at = NEW.due_at"
        " OR prev_root = NEW.prev_root)"
    ),
    "head_leaves": (
        "EXISTS (SELECT 1 FROM head_leaves WHERE head = NEW.head AND kind = NEW.kind AND key = NEW.key)"
    ),
    "history_exports": "EXISTS (SELECT 1 FROM history_exports WHERE run_id = NEW.run_id)",
}


def upgrade() -> None:
    _create_heads()
    _create_histories()
    op.add_column("cases", sa.Column("run_id", sa.String(36), nullable=True))
    if op.get_context().dialect.name == "postgresql":
        for table in TAKEN:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
    else:
        _guard_sqlite()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("cases", "run_id")


def _guard_sqlite() -> None:
    for table, taken in TAKEN.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for act in ("update", "delete"):
            op.execute(f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}")


def _create_heads() -> None:
    op.create_table(
        "ledger_heads",
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("leaves", sa.Integer(), nullable=False),
        sa.Column("tree", sa.String(64), nullable=False),
        sa.Column("prev_root", sa.String(64), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ledger_heads"),
        sa.UniqueConstraint("due_at", name="uq_ledger_heads_due_at"),
        sa.UniqueConstraint("prev_root", name="uq_ledger_heads_prev_root"),
    )
    op.create_table(
        "head_leaves",
        sa.Column("head", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["head"],
            ["ledger_heads.number"],
            name="fk_head_leaves_head_ledger_heads",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("head", "kind", "key", name="pk_head_leaves"),
    )
    op.create_index("ix_head_leaves_kind_key_seq", "head_leaves", ["kind", "key", "seq"])
    op.create_table(
        "head_publications",
        sa.Column("head", ROW_ID, nullable=False),
        sa.Column("outlet", sa.String(64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("head", "outlet", name="pk_head_publications"),
    )
    op.create_table(
        "ledger_checks",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_checks"),
    )


def _create_histories() -> None:
    op.create_table(
        "case_runs",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_case_runs"),
    )
    op.create_index("ix_case_runs_case_id", "case_runs", ["case_id"])
    op.create_index(
        "ix_case_runs_ended",
        "case_runs",
        ["run_id"],
        sqlite_where=sa.text("state = 'ended'"),
        postgresql_where=sa.text("state = 'ended'"),
    )
    op.create_table(
        "history_exports",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_history_exports"),
    )
    op.create_index("ix_history_exports_case_id", "history_exports", ["case_id"])
