"""The case as people read it (a projection), and the ledger, which is the truth."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint, false, text, true
from sqlmodel import Field

from models.base import CODE, DIGEST, KEY, NAME, UUID, Base, Json, RowId, UTCDateTime, index_where
from models.chain import GENESIS


class Case(Base, table=True):
    """A case as its events fold: written in one transaction with them, made anew from them.

    `seq` is its last event's. `state` is the whole fold; the columns beside it are what lists
    filter, sort and show. `run_id` is the run of the workflow that wrote last. `step` is the command
    that the case waits for and `step_by` the role it waits for; `order_due_at` is when the first
    unanswered order is due; all three are empty once it is closed. `response_since` is the oldest
    instant from which the citizen is owed a word, while the unit works on the case. `facts_due`: its row
    of `case_facts` is older than its ledger. `source` and `reference` say where it came from and its number
    there, where it came from another system. `erased`: the key of its texts is destroyed. Erasure blanks
    `matter`, `problem`, `reply_text`, `lesson` and `reference`.
    """

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("number"),
        # The work lists: by status, by unit, all of a hall; ties by id, so that a list is stable.
        Index(None, "hall", "status", "due_at", "id"),
        Index(None, "hall", "unit", "open", "due_at", "id"),
        Index(None, "hall", "due_at", "id"),
        # With what lists filter by at its end: a filter that fits few cases walks the index alone.
        Index(
            "ix_cases_hall_received_at_id",
            *("hall", "received_at", "id", "status", "unit", "kind", "light", "level"),
        ),
        # Counts and orders of the open cases, which are few: answered by the index alone.
        index_where(
            "ix_cases_open",
            "open",
            *("hall", "unit", "status", "step", "step_by", "level", "light", "order_due_at"),
            *("due_at", "id", "referred", "kind", "received_at"),
            sqlite="open = 1",
        ),
        index_where("ix_cases_referred", "referred", "received_at", "id", sqlite="referred = 1"),
        index_where("ix_cases_lesson", "lesson IS NOT NULL", "hall", "cause", "id"),
        # The newest lessons of a hall, of a unit within it too, without their wide rows.
        index_where("ix_cases_lesson_newest", "lesson IS NOT NULL", "hall", "id", "unit"),
        index_where("ix_cases_reference", "reference IS NOT NULL", "reference"),
        index_where("ix_cases_response_since", "response_since IS NOT NULL", "hall", "received_at", "id"),
        # What is or was late, counted over a period.
        index_where("ix_cases_red", "light = 'red'", "received_at", "hall", "id"),
        # Whose facts are to be written: few, and for seconds.
        index_where("ix_cases_facts_due", "facts_due", "received_at", "id"),
        # Whose personal data still stands: each pass starts at the oldest. Not by `updated_at`, which every
        # event moves: a column of an index costs PostgreSQL all indexes of the row.
        index_where(
            "ix_cases_standing",
            "status = 'archived' AND NOT erased",
            *("hall", "received_at", "id"),
        ),
        index_where("ix_cases_next_alarm_at", "next_alarm_at IS NOT NULL", "next_alarm_at"),
    )

    id: str = Field(primary_key=True, max_length=UUID)
    number: str | None = Field(default=None, max_length=CODE)
    hall: str = Field(max_length=CODE)
    unit: str | None = Field(default=None, max_length=CODE)
    co_units: list[str] = Field(default_factory=list, sa_type=Json)
    channel: str = Field(max_length=CODE)
    kind: str | None = Field(default=None, max_length=CODE)
    status: str = Field(max_length=CODE)
    level: str = Field(max_length=CODE)
    light: str = Field(max_length=CODE)
    round: int = 1
    outcome: str | None = Field(default=None, max_length=CODE)
    open: bool = True
    referred: bool = False
    merged_into: str | None = Field(default=None, max_length=UUID, index=True)
    matter: str | None = Field(default=None, sa_type=Text)
    lesson: str | None = Field(default=None, sa_type=Text)
    problem: str | None = Field(default=None, sa_type=Text)
    cause: str | None = Field(default=None, max_length=CODE)
    reply_text: str | None = Field(default=None, sa_type=Text)
    received_at: datetime = Field(sa_type=UTCDateTime)
    registered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    due_provisional: bool = False
    replied_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    on_time: bool | None = None
    step: str | None = Field(default=None, max_length=CODE)
    step_by: str | None = Field(default=None, max_length=CODE)
    order_due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    response_since: datetime | None = Field(default=None, sa_type=UTCDateTime)
    next_alarm_name: str | None = Field(default=None, max_length=CODE)
    next_alarm_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    policy_id: str = Field(max_length=CODE)
    policy_version: str = Field(max_length=DIGEST)
    calendar_version: str = Field(max_length=DIGEST)
    seq: int
    last_hash: str = Field(default=GENESIS, max_length=DIGEST)
    run_id: str | None = Field(default=None, max_length=UUID)
    state: dict[str, Any] = Field(sa_type=Json)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    facts_due: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    source: str | None = Field(default=None, max_length=CODE)
    reference: str | None = Field(default=None, max_length=CODE)
    erased: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class CaseCoUnit(Base, table=True):
    """A co-unit (协办单位) that sees a case from its convening on. `hall` is the case's.

    `opined`: its opinion is there.
    """

    __tablename__ = "case_co_units"
    __table_args__ = (
        ForeignKeyConstraint(
            ["case_id"], ["cases.id"], ondelete="CASCADE", deferrable=True, initially="DEFERRED"
        ),
        Index(None, "hall", "unit", "case_id"),
    )

    case_id: str = Field(primary_key=True, max_length=UUID)
    unit: str = Field(primary_key=True, max_length=CODE)
    hall: str = Field(max_length=CODE)
    opined: bool = False


class LedgerEvent(Base, table=True):
    """One event of a case. Append-only: triggers refuse update and delete on both dialects.

    `part` numbers the events of one command from 0: `(case_id, command_id, part)` is unique, so a
    command that is written twice is refused (an alarm's command id is its key). `fired` holds the
    alarm keys that the event settles. `sealed` holds the free texts under the case key; the chain
    runs over that ciphertext, so that it still verifies once the key is gone. There is no foreign
    key to `cases`: the projection may be deleted and made anew, the ledger may not.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("case_id", "seq"),
        UniqueConstraint("case_id", "command_id", "part"),
        # The reminders sent lately; all other events are read by their case.
        index_where("ix_events_reminders", "type = 'remind'", "at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    case_id: str = Field(max_length=UUID)
    seq: int
    part: int = 0
    at: datetime = Field(sa_type=UTCDateTime)
    type: str = Field(max_length=CODE)
    actor: dict[str, Any] = Field(sa_type=Json)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    sealed: str | None = Field(default=None, sa_type=Text)
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    fired: list[str] = Field(default_factory=list, sa_type=Json)
    command_id: str = Field(max_length=KEY)
    prev_hash: str = Field(max_length=DIGEST)
    hash: str = Field(max_length=DIGEST)


class Bulletin(Base, table=True):
    """Material for a 通报: drafted by the machine, issued or rejected by people only. Source: S0.

    `seq` is the number of the event that drafted it. What people did to it stands in `acts`, kind
    `bulletin`; this is how it stands now, and `acts` and `last_hash` are the number and the hash of
    the last one. An issued one has `department`, `year` and `serial` (its number) and `decided_at`;
    `accountability` is referred, approved or returned for a serious one; `sent_at` is empty until
    the channels outside have it.
    """

    __tablename__ = "bulletins"
    __table_args__ = (
        UniqueConstraint("case_id", "seq"),
        Index(None, "hall", "status", "id"),
        Index("uq_bulletins_number", "department", "year", "serial", unique=True),
        Index(None, "hall", "unit", "decided_at"),
        index_where("ix_bulletins_unsent", "status = 'issued' AND sent_at IS NULL", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    case_id: str = Field(max_length=UUID)
    case_number: str = Field(max_length=CODE)
    seq: int
    hall: str = Field(max_length=CODE)
    unit: str = Field(max_length=CODE)
    person: str | None = Field(default=None, max_length=NAME)
    ground: str = Field(max_length=CODE)
    status: str = Field(default="draft", max_length=CODE)
    order_id: str | None = Field(default=None, max_length=CODE)
    due: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)
    post: str | None = Field(default=None, max_length=NAME)
    department: str | None = Field(default=None, max_length=NAME)
    year: int | None = None
    serial: int | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    decided_by: str | None = Field(default=None, max_length=CODE)
    accountability: str | None = Field(default=None, max_length=CODE)
    acts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    last_hash: str | None = Field(default=None, max_length=DIGEST)
    sent_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class NumberCounter(Base, table=True):
    """The last number given in a hall on a day (the Shanghai date of T0)."""

    __tablename__ = "number_counters"

    hall: str = Field(primary_key=True, max_length=CODE)
    day: date = Field(primary_key=True)
    last: int = 0
