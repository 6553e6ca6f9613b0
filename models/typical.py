"""Typical cases (典型案例): a closed case written up without names, reviewed, published. Source: S1."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from models.base import CODE, UUID, Base, RowId, UTCDateTime


class TypicalCase(Base, table=True):
    """A write-up as it stands; what was done to it stands in `acts`, kind `typical_case`.

    `status` is submitted, returned, published or withdrawn. `matter` and `cause` are the case's when
    it was written up.
    """

    __tablename__ = "typical_cases"
    __table_args__ = (Index(None, "status", "hall", "id"), Index(None, "case_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    case_id: str = Field(max_length=UUID)
    case_number: str = Field(max_length=CODE)
    hall: str = Field(max_length=CODE)
    unit: str | None = Field(default=None, max_length=CODE)
    matter: str | None = Field(default=None, sa_type=Text)
    cause: str | None = Field(default=None, max_length=CODE)
    title: str = Field(sa_type=Text)
    problem: str = Field(sa_type=Text)
    done: str = Field(sa_type=Text)
    lesson: str = Field(sa_type=Text)
    status: str = Field(max_length=CODE)
    written_by: str = Field(max_length=CODE)
    written_at: datetime = Field(sa_type=UTCDateTime)
    published_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_hash: str = Field(max_length=64)
