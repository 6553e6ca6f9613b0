"""Evidence beside the ledger: signed heads, runs of workflows and their exported histories."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, DIGEST, UUID, Base, Json, RowId, UTCDateTime, index_where
from models.chain import GENESIS


class LedgerHead(Base, table=True):
    """A signed head over all chains, as at `taken_at`. Append-only.

    `due_at` is the instant that it was due at (unique: an activity that is repeated takes none twice);
    `cases` and `events` count what the ledger held; `tree` is the root over this head's leaves, `root`
    the hash of the head with `prev_root`, that of the head before; the signature is over `root`.
    """

    __tablename__ = "ledger_heads"
    __table_args__ = (UniqueConstraint("due_at"), UniqueConstraint("prev_root"))

    number: int = Field(primary_key=True, sa_type=RowId)
    day: date
    due_at: datetime = Field(sa_type=UTCDateTime)
    taken_at: datetime = Field(sa_type=UTCDateTime)
    cases: int
    events: int
    leaves: int
    tree: str = Field(max_length=DIGEST)
    prev_root: str = Field(default=GENESIS, max_length=DIGEST)
    root: str = Field(max_length=DIGEST)
    key_id: str = Field(max_length=CODE)
    signature: str = Field(max_length=CODE * 2)


class HeadLeaf(Base, table=True):
    """What moved since the head before: see `models.merkle.Leaf`. Append-only."""

    __tablename__ = "head_leaves"
    __table_args__ = (
        ForeignKeyConstraint(["head"], ["ledger_heads.number"], deferrable=True, initially="DEFERRED"),
        Index(None, "kind", "key", "seq"),
    )

    head: int = Field(primary_key=True, sa_type=RowId)
    kind: str = Field(primary_key=True, max_length=CODE)
    key: str = Field(primary_key=True, max_length=UUID)
    seq: int
    hash: str = Field(max_length=DIGEST)


class HeadPublication(Base, table=True):
    """A head that left the system: `outlet` names the way (file, webhook)."""

    __tablename__ = "head_publications"

    head: int = Field(primary_key=True, sa_type=RowId)
    outlet: str = Field(primary_key=True, max_length=CODE)
    at: datetime = Field(sa_type=UTCDateTime)


class LedgerCheck(Base, table=True):
    """What came of verifying the whole ledger: `findings` are the first ones, as JSON values."""

    __tablename__ = "ledger_checks"

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    at: datetime = Field(sa_type=UTCDateTime)
    ok: bool
    cases: int
    events: int
    heads: int
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)


class CaseRun(Base, table=True):
    """A run of a case's workflow that wrote into the ledger. A convenience, not evidence.

    `state`: `running`; `ended` once another run writes or the case is archived; `settled` once its
    history is exported or known to be lost.
    """

    __tablename__ = "case_runs"
    __table_args__ = (
        Index(None, "case_id"),
        index_where("ix_case_runs_ended", "state = 'ended'", "run_id"),
    )

    run_id: str = Field(primary_key=True, max_length=UUID)
    case_id: str = Field(max_length=UUID)
    state: str = Field(default="running", max_length=CODE)


class HistoryExport(Base, table=True):
    """The history of one run, kept beside the ledger, or known to be lost. Append-only.

    The file lies sealed under the key of its case; `sha256` is that of its packed content, None where
    `outcome` is `lost`: the engine's retention had deleted it, or the engine lost it. `size` in bytes.
    """

    __tablename__ = "history_exports"
    __table_args__ = (
        Index(None, "case_id"),
        index_where("ix_history_exports_lost", "outcome = 'lost'", "run_id"),
    )

    run_id: str = Field(primary_key=True, max_length=UUID)
    case_id: str = Field(max_length=UUID)
    outcome: str = Field(max_length=CODE)
    sha256: str | None = Field(default=None, max_length=DIGEST)
    events: int = 0
    size: int = 0
    reason: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=UTCDateTime)
