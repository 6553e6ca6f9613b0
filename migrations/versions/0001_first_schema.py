"""The first schema.

Revision: 0001, the first one.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out here and not imported from models: a migration says what was, models what is.
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = ("events", "access_log")

# SQLite's REPLACE deletes the old row without asking the delete trigger: it is refused beforehand.
TAKEN = {
    "events": (
        "EXISTS (SELECT 1 FROM events WHERE id = NEW.id)"
        " OR EXISTS (SELECT 1 FROM events WHERE case_id = NEW.case_id AND seq = NEW.seq)"
        " OR EXISTS (SELECT 1 FROM events WHERE case_id = NEW.case_id"
        " AND command_id = NEW.command_id AND part = NEW.part)"
    ),
    "access_log": (
        "EXISTS (SELECT 1 FROM access_log WHERE id = NEW.id)"
        " OR EXISTS (SELECT 1 FROM access_log WHERE prev_hash = NEW.prev_hash)"
    ),
}

# In an order in which nothing points to what is gone.
TABLES = (
    "deliveries",
    "notifications",
    "bulletins",
    "events",
    "case_co_units",
    "cases",
    "commands",
    "number_counters",
    "attachments",
    "case_secrets",
    "petitioners",
    "filings",
    "calendar_years",
    "calendar_snapshots",
    "policy_versions",
    "access_log",
    "attempts",
    "access_tokens",
    "grants",
    "users",
    "contact_entries",
    "units",
    "halls",
)


def upgrade() -> None:
    _create_directory()
    _create_terms()
    _create_filings()
    _create_cases()
    _create_ledger()
    if op.get_context().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';"
        " END $$"
    )
    for table in APPEND_ONLY:
        # For each statement: TRUNCATE has no rows, and a statement that finds none is refused too.
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _guard_sqlite() -> None:
    for table in APPEND_ONLY:
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for act in ("update", "delete"):
            op.execute(f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {TAKEN[table]} {refuse}")


def _only(condition: str) -> dict[str, Any]:
    """A partial index, on both dialects."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _create_partial(name: str, table: str, columns: list[str], flag: str) -> None:
    """An index over the rows that have a flag; SQLite wants the condition as its queries say it."""
    where = {"sqlite_where": sa.text(f"{flag} = 1"), "postgresql_where": sa.text(flag)}
    op.create_index(name, table, columns, **where)


def _create_directory() -> None:
    op.create_table(
        "halls",
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("level", sa.String(64), nullable=False),
        sa.Column("parent", sa.String(64), nullable=True),
        sa.Column("supervision_department", sa.String(100), nullable=False),
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("hours", JSON, nullable=True),
        sa.PrimaryKeyConstraint("code", name="pk_halls"),
    )
    op.create_table(
        "units",
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("hall", "code", name="pk_units"),
        sa.ForeignKeyConstraint(
            ["hall"],
            ["halls.code"],
            name="fk_units_hall_halls",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_table(
        "contact_entries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deputy_leader", JSON, nullable=False),
        sa.Column("contact", JSON, nullable=False),
        sa.Column("alternate", JSON, nullable=True),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT, nullable=True),
        sa.Column("changed_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact_entries"),
        sa.ForeignKeyConstraint(
            ["hall", "unit"],
            ["units.hall", "units.code"],
            name="fk_contact_entries_hall_unit_units",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.UniqueConstraint("hall", "unit", "version", name="uq_contact_entries_hall_unit_version"),
    )
    op.create_table(
        "users",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("hall", sa.String(64), nullable=True),
        sa.Column("unit", sa.String(64), nullable=True),
        sa.Column("alternate", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("username", name="pk_users"),
        sa.ForeignKeyConstraint(
            ["hall"],
            ["halls.code"],
            name="fk_users_hall_halls",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_users_hall_unit_role", "users", ["hall", "unit", "role"])
    op.create_table(
        "grants",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("wanted", JSON, nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(64), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index("uq_grants_waiting", "grants", ["username"], unique=True, **_only("status = 'waiting'"))
    op.create_index("ix_grants_status_requested_at", "grants", ["status", "requested_at"])
    op.create_table(
        "access_tokens",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("hash", name="pk_access_tokens"),
        sa.ForeignKeyConstraint(
            ["username"],
            ["users.username"],
            name="fk_access_tokens_username_users",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_access_tokens_expires_at", "access_tokens", ["expires_at"])
    op.create_index("ix_access_tokens_username", "access_tokens", ["username"])
    op.create_table(
        "attempts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_key_at", "attempts", ["key", "at"])
    op.create_table(
        "access_log",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("username", sa.String(64), nullable=True),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("address", sa.String(64), nullable=True),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
        sa.UniqueConstraint("prev_hash", name="uq_access_log_prev_hash"),
    )
    op.create_index("ix_access_log_case_id_id", "access_log", ["case_id", "id"])


def _create_terms() -> None:
    op.create_table(
        "policy_versions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_policy_versions"),
    )
    op.create_table(
        "calendar_snapshots",
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_calendar_snapshots"),
    )
    op.create_table(
        "calendar_years",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("hall", sa.String(64), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("off", JSON, nullable=False),
        sa.Column("work", JSON, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("loaded_by", sa.String(64), nullable=False),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_years"),
        sa.UniqueConstraint("hall", "year", "version", name="uq_calendar_years_hall_year_version"),
    )
    op.create_index(
        "uq_calendar_years_national",
        "calendar_years",
        ["year", "version"],
        unique=True,
        **_only("hall IS NULL"),
    )


def _create_filings() -> None:
    op.create_table(
        "filings",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("clerk", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=True),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("form", sa.Text(), nullable=True),
        sa.Column("cause", sa.String(64), nullable=True),
        sa.Column("query_code_hash", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64), nullable=True),
        sa.Column("registered_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("case_id", name="pk_filings"),
        sa.UniqueConstraint("clerk", "idempotency_key", name="uq_filings_clerk_idempotency_key"),
        sa.UniqueConstraint("number", name="uq_filings_number"),
        sa.UniqueConstraint("query_code_hash", name="uq_filings_query_code_hash"),
    )
    op.create_index("ix_filings_unregistered", "filings", ["received_at"], **_only("registered_at IS NULL"))
    op.create_table(
        "petitioners",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("id_number", sa.Text(), nullable=True),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("name_index", sa.String(64), nullable=True),
        sa.Column("phone_index", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name="pk_petitioners"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["filings.case_id"],
            name="fk_petitioners_case_id_filings",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_petitioners_name_index", "petitioners", ["name_index"])
    op.create_index("ix_petitioners_phone_index", "petitioners", ["phone_index"])
    op.create_table(
        "case_secrets",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("wrapped_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_case_secrets"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["filings.case_id"],
            name="fk_case_secrets_case_id_filings",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_case_id", "attachments", ["case_id"])
    op.create_table(
        "number_counters",
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hall", "day", name="pk_number_counters"),
    )
    op.create_table(
        "commands",
        sa.Column("command_id", sa.String(200), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=True),
        sa.Column("case_id", sa.String(36), nullable=True),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", JSON, nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("command_id", name="pk_commands"),
        sa.UniqueConstraint("username", "scope", "key", name="uq_commands_username_scope_key"),
    )
    op.create_index("ix_commands_sent_at", "commands", ["sent_at"])


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(64), nullable=True),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=True),
        sa.Column("co_units", JSON, nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=True),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("level", sa.String(64), nullable=False),
        sa.Column("light", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("referred", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.String(36), nullable=True),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("cause", sa.String(64), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("registered_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("replied_at", INSTANT, nullable=True),
        sa.Column("told_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.Column("step", sa.String(64), nullable=True),
        sa.Column("step_by", sa.String(64), nullable=True),
        sa.Column("order_due_at", INSTANT, nullable=True),
        sa.Column("next_alarm_name", sa.String(64), nullable=True),
        sa.Column("next_alarm_at", INSTANT, nullable=True),
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("policy_version", sa.String(64), nullable=False),
        sa.Column("calendar_version", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.Column("state", JSON, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
    )
    op.create_index("ix_cases_hall_due_at_id", "cases", ["hall", "due_at", "id"])
    op.create_index(
        "ix_cases_hall_received_at_id",
        "cases",
        ["hall", "received_at", "id", "status", "unit", "kind", "light", "level"],
    )
    _create_partial(
        "ix_cases_open",
        "cases",
        [
            *("hall", "unit", "status", "step", "step_by", "level", "light", "order_due_at"),
            *("due_at", "id", "referred", "kind", "received_at"),
        ],
        "open",
    )
    _create_partial("ix_cases_referred", "cases", ["received_at", "id"], "referred")
    op.create_index("ix_cases_hall_status_due_at_id", "cases", ["hall", "status", "due_at", "id"])
    op.create_index("ix_cases_hall_unit_open_due_at_id", "cases", ["hall", "unit", "open", "due_at", "id"])
    op.create_index("ix_cases_merged_into", "cases", ["merged_into"])
    op.create_index(
        "ix_cases_next_alarm_at", "cases", ["next_alarm_at"], **_only("next_alarm_at IS NOT NULL")
    )
    op.create_table(
        "case_co_units",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("opined", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "unit", name="pk_case_co_units"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
            name="fk_case_co_units_case_id_cases",
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_case_co_units_hall_unit_case_id", "case_co_units", ["hall", "unit", "case_id"])


def _create_ledger() -> None:
    op.create_table(
        "events",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("actor", JSON, nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("fired", JSON, nullable=False),
        sa.Column("command_id", sa.String(200), nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("case_id", "command_id", "part", name="uq_events_case_id_command_id_part"),
        sa.UniqueConstraint("case_id", "seq", name="uq_events_case_id_seq"),
    )
    op.create_index("ix_events_reminders", "events", ["at"], **_only("type = 'remind'"))
    op.create_table(
        "bulletins",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("case_number", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hall", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("person", sa.String(100), nullable=True),
        sa.Column("ground", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("order_id", sa.String(64), nullable=True),
        sa.Column("due", INSTANT, nullable=True),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bulletins"),
        sa.UniqueConstraint("case_id", "seq", name="uq_bulletins_case_id_seq"),
    )
    op.create_index("ix_bulletins_hall_status_id", "bulletins", ["hall", "status", "id"])
    op.create_table(
        "notifications",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(64), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("read", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint(
            "case_id", "seq", "kind", "username", name="uq_notifications_case_id_seq_kind_username"
        ),
    )
    op.create_index("ix_notifications_unread", "notifications", ["username"], **_only("NOT read"))
    op.create_index("ix_notifications_username_id", "notifications", ["username", "id"])
    op.create_table(
        "deliveries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "case_id", "seq", "channel", "target", name="uq_deliveries_case_id_seq_channel_target"
        ),
    )
    op.create_index("ix_deliveries_pending", "deliveries", ["id"], **_only("status = 'pending'"))
