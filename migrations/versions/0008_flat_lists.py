"""Columns and indexes by which lists stay flat: who is owed a word, lessons, what is late, cases of a matter.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

# Index → its table, columns and condition.
PARTIAL = {
    "ix_cases_lesson_newest": ("cases", ["hall", "id", "unit"], "lesson IS NOT NULL"),
    "ix_cases_response_since": ("cases", ["hall", "received_at", "id"], "response_since IS NOT NULL"),
    "ix_cases_red": ("cases", ["received_at", "hall", "id"], "light = 'red'"),
    "ix_history_exports_lost": ("history_exports", ["run_id"], "outcome = 'lost'"),
}
BY_PERSON, BY_MATTER = (
    ["person_key", "matter_key", "received_at"],
    ["matter_key", "person_key", "received_at"],
)
WORKED_ON = "status IN ('dispatched', 'return_review', 'handling', 'limit_pending', 'referred', 'explaining')"
POSTGRESQL_FILLS = f"""
UPDATE cases SET response_since = (state -> 'response_since' ->> 0)::timestamptz
WHERE {WORKED_ON} AND state -> 'response_since' ->> 0 IS NOT NULL
"""
# As SQLAlchemy writes an instant there: in UTC, without saying so.
SQLITE_FILLS = f"""
UPDATE cases
SET response_since = strftime('%Y-%m-%d %H:%M:%f', json_extract(state, '$.response_since[0]')) || '000'
WHERE {WORKED_ON} AND json_extract(state, '$.response_since[0]') IS NOT NULL
"""


def upgrade() -> None:
    op.add_column("cases", sa.Column("response_since", INSTANT, nullable=True))
    _fill()
    for name, (table, columns, condition) in PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    _turn(BY_PERSON, BY_MATTER)


def downgrade() -> None:
    _turn(BY_MATTER, BY_PERSON)
    for name, (table, _, _) in PARTIAL.items():
        op.drop_index(name, table)
    op.drop_column("cases", "response_since")


def _turn(before: list[str], after: list[str]) -> None:
    op.drop_index(f"ix_case_facts_{'_'.join(before)}", "case_facts")
    op.create_index(f"ix_case_facts_{'_'.join(after)}", "case_facts", after)


def _fill() -> None:
    """Write the column where the state says that somebody is owed a word; the oldest instant stands first."""
    sqlite = op.get_context().dialect.name == "sqlite"
    op.execute(sa.text(SQLITE_FILLS if sqlite else POSTGRESQL_FILLS))
