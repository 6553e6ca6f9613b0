"""The life of a 通报, typical cases, lessons, repeat reports.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Table → columns with their types; all may be empty but for the one that counts.
ADDED = {
    "bulletins": {
        "post": sa.String(100),
        "department": sa.String(100),
        "year": sa.Integer(),
        "serial": sa.Integer(),
        "decided_at": INSTANT,
        "decided_by": sa.String(64),
        "accountability": sa.String(64),
        "last_hash": sa.String(64),
        "sent_at": INSTANT,
    },
    "cases": {"lesson": sa.Text()},
    "filings": {"repeat_of": sa.String(36)},
    "notifications": {"path": sa.String(64)},
}
# Nothing ever wrote them: what people say stands in `acts`, sealed.
DROPPED = ("statement", "reason")
INDEXES = ("uq_bulletins_number", "ix_bulletins_hall_unit_decided_at", "ix_bulletins_unsent")


def upgrade() -> None:
    for table, columns in ADDED.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    counted = sa.Column("acts", sa.Integer(), server_default=sa.text("0"), nullable=False)
    op.add_column("bulletins", counted)
    for name in DROPPED:
        op.drop_column("bulletins", name)
    op.create_index(INDEXES[0], "bulletins", ["department", "year", "serial"], unique=True)
    op.create_index(INDEXES[1], "bulletins", ["hall", "unit", "decided_at"])
    _create_partial(INDEXES[2], "bulletins", ["id"], "status = 'issued' AND sent_at IS NULL")
    _create_partial("ix_cases_lesson", "cases", ["hall", "cause", "id"], "lesson IS NOT NULL")
    _create_partial("ix_filings_repeat_of", "filings", ["repeat_of"], "repeat_of IS NOT NULL")
    _create_acts()
    _create_typical_cases()


def downgrade() -> None:
    op.drop_table("typical_cases")
    op.drop_table("acts")
    op.drop_index("ix_cases_lesson", "cases")
    op.drop_index("ix_filings_repeat_of", "filings")
    for name in INDEXES:
        op.drop_index(name, "bulletins")
    for name in DROPPED:
        op.add_column("bulletins", sa.Column(name, sa.Text(), nullable=True))
    op.drop_column("bulletins", "acts")
    for table, columns in ADDED.items():
        for name in columns:
            op.drop_column(table, name)


def _create_partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
    op.create_index(name, table, columns, **where)


def _create_acts() -> None:
    op.create_table(
        "acts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("item", ROW_ID, nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("actor", JSON, nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_acts"),
        sa.UniqueConstraint("kind", "item", "seq", name="uq_acts_kind_item_seq"),
    )
    op.create_index("ix_acts_case_id_id", "acts", ["case_id", "id"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER acts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acts"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    refuse = "BEGIN SELECT RAISE(ABORT, 'acts is append-only'); END"
    taken = (
        "EXISTS (SELECT 1 FROM acts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM acts"
        " WHERE kind = NEW.kind AND item = NEW.item AND seq = NEW.seq)"
    )
    for act in ("update", "delete"):
        op.execute(f"CREATE TRIGGER acts_no_{act} BEFORE {act.upper()} ON acts {refuse}")
    op.execute(f"CREATE TRIGGER acts_no_replace BEFORE INSERT ON acts WHEN {taken} {refuse}")


def _create_typical_cases() -> None:
    op.create_table(
        "typical_cases",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("case_number", sa.String(64), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=True),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("cause", sa.String(64), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("lesson", sa.Text(), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("written_by", sa.String(64), nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.Column("last_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_typical_cases"),
    )
    op.create_index("ix_typical_cases_case_id", "typical_cases", ["case_id"])
    op.create_index("ix_typical_cases_status_hall_id", "typical_cases", ["status", "hall", "id"])
