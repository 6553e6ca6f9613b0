"""Reports (周报, 月报): what was reported, the files of it, which cases it told of, and who took it in."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, DIGEST, NAME, UUID, Base, Json, UTCDateTime


def _of_report() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["report_id"], ["reports.id"], deferrable=True, initially="DEFERRED")


class Report(Base, table=True):
    """A report of a hall, made once per kind and due instant; it covers (`covers_from`, `covers_to`].

    `digest` is the SHA-256 of its content, before it becomes files: a second run must have the same.
    `facts` are the counts that lists show, and what a second run cannot read from the ledger (the
    signed head that was printed). Source: S0, S3; domain.md, section 8.
    """

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("hall", "kind", "due_at"),
        Index(None, "hall", "kind", "covers_to"),
        Index(None, "due_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=UUID)
    kind: str = Field(max_length=CODE)
    hall: str = Field(max_length=CODE)
    category: str = Field(max_length=CODE)
    covers_from: datetime = Field(sa_type=UTCDateTime)
    covers_to: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    made_at: datetime = Field(sa_type=UTCDateTime)
    provisional: bool = False
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    digest: str = Field(max_length=DIGEST)


class ReportFile(Base, table=True):
    """One file of a report; `content` is sealed by the keyring, purpose `report:<id>:<format>`.

    Once a case that it tells of was erased, `content` holds nothing and `erased_at` says since when.
    """

    __tablename__ = "report_files"
    __table_args__ = (_of_report(),)

    report_id: str = Field(primary_key=True, max_length=UUID)
    format: str = Field(primary_key=True, max_length=CODE)
    name: str = Field(max_length=NAME)
    media_type: str = Field(max_length=NAME)
    size: int
    sha256: str = Field(max_length=DIGEST)
    content: bytes = Field(sa_type=LargeBinary)
    erased_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


def sealing(report_id: str, format: str) -> str:
    """Return the purpose that a file is sealed for: it opens in its own row only."""
    return f"report:{report_id}:{format}"


class ReportCase(Base, table=True):
    """A case that a report told of: as it stood after event `seq`, news being what came after `after_seq`.

    `late` is how many of those events belong to an earlier report and came too late for it.
    """

    __tablename__ = "report_cases"
    __table_args__ = (_of_report(), Index(None, "case_id", "seq"))

    report_id: str = Field(primary_key=True, max_length=UUID)
    case_id: str = Field(primary_key=True, max_length=UUID)
    after_seq: int
    seq: int
    late: int = 0


class ReportReceipt(Base, table=True):
    """Who took a report in, and when, on the clock of the domain. Source: domain.md, section 8."""

    __tablename__ = "report_receipts"
    __table_args__ = (_of_report(),)

    report_id: str = Field(primary_key=True, max_length=UUID)
    username: str = Field(primary_key=True, max_length=CODE)
    name: str = Field(max_length=NAME)
    role: str = Field(max_length=CODE)
    at: datetime = Field(sa_type=UTCDateTime)


class ReportingPlan(Base, table=True):
    """The next report of a hall, as its workflow has armed it."""

    __tablename__ = "reporting_plans"
    __table_args__ = (Index(None, "due_at"),)

    hall: str = Field(primary_key=True, max_length=CODE)
    kind: str = Field(max_length=CODE)
    due_at: datetime = Field(sa_type=UTCDateTime)
    covers_from: datetime = Field(sa_type=UTCDateTime)
    covers_to: datetime = Field(sa_type=UTCDateTime)
    provisional: bool = False
