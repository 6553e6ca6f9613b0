"""Cases that come from elsewhere: files of many cases, and other systems that push theirs."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, DIGEST, KEY, NAME, UUID, Base, Json, UTCDateTime, index_where


class Import(Base, table=True):
    """A file of cases as somebody brought it; `status` is draft (looked at), queued or finished.

    `faults` are the bad rows as `[row, column, what]`, without what was typed. `at` is when it was
    brought, on the clock of the domain: the first event of each of its cases says so. Who works on it
    has it until `leased_to` (real clock), and again after that.
    """

    __tablename__ = "imports"
    __table_args__ = (
        Index(None, "hall", "at"),
        index_where("ix_imports_queued", "status = 'queued'", "at"),
    )

    id: str = Field(primary_key=True, max_length=UUID)
    hall: str = Field(max_length=CODE)
    form: str = Field(max_length=CODE)
    username: str = Field(max_length=CODE)
    name: str = Field(max_length=NAME)
    sha256: str = Field(max_length=DIGEST)
    at: datetime = Field(sa_type=UTCDateTime)
    status: str = Field(default="draft", max_length=CODE)
    rows: int
    faults: list[Any] = Field(default_factory=list, sa_type=Json)
    leased_to: datetime | None = Field(default=None, sa_type=UTCDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ImportRow(Base, table=True):
    """A good row of a file; `form` is sealed by the keyring, purpose `import:<id>:<row>`, until it is filed.

    `origin_key` is what its filing comes once by, empty as soon as there is an outcome: the number in it
    leads to a person, and an erasure must not find it here.
    `outcome`: None until then, `filed`, `repeated` (it was filed before) or `refused` (`reason` says why).
    """

    __tablename__ = "import_rows"
    __table_args__ = (
        ForeignKeyConstraint(["import_id"], ["imports.id"], ondelete="CASCADE"),
        index_where("ix_import_rows_waiting", "outcome IS NULL", "import_id", "row"),
        index_where("ix_import_rows_waiting_key", "outcome IS NULL", "origin_key"),
    )

    import_id: str = Field(primary_key=True, max_length=UUID)
    row: int = Field(primary_key=True)
    origin_key: str = Field(max_length=KEY)
    form: str | None = Field(default=None, sa_type=Text)
    outcome: str | None = Field(default=None, max_length=CODE)
    reason: str | None = Field(default=None, max_length=CODE)
    case_id: str | None = Field(default=None, max_length=UUID)


class Integration(Base, table=True):
    """Another system that pushes cases to a hall (a 12345 platform); its token is stored hashed.

    `source` names it at each of its cases; numbers are unique within a source and hall.
    """

    __tablename__ = "integrations"
    __table_args__ = (
        ForeignKeyConstraint(["hall"], ["halls.code"], deferrable=True, initially="DEFERRED"),
        UniqueConstraint("token_hash"),
    )

    name: str = Field(primary_key=True, max_length=CODE)
    hall: str = Field(max_length=CODE)
    source: str = Field(max_length=CODE)
    token_hash: str = Field(max_length=DIGEST)
    added_at: datetime = Field(sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
