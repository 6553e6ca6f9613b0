"""The terms that cases are pinned to: policy versions and calendars, and the published years."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, DIGEST, Base, Json, RowId, UTCDateTime, index_where


class PolicyVersion(Base, table=True):
    """A policy as cases were accepted under it; never changed once written."""

    __tablename__ = "policy_versions"

    id: str = Field(primary_key=True, max_length=CODE)
    version: str = Field(primary_key=True, max_length=DIGEST)
    values: dict[str, Any] = Field(sa_type=Json)


class CalendarSnapshot(Base, table=True):
    """A calendar as cases reckon by it; `version` is the hash of its content."""

    __tablename__ = "calendar_snapshots"

    version: str = Field(primary_key=True, max_length=DIGEST)
    values: dict[str, Any] = Field(sa_type=Json)


class CalendarYear(Base, table=True):
    """A published notice of one year, or (with `hall`) that hall's own days on top of it.

    `off` and `work` are lists of ISO dates. The highest version of a year counts, old ones stay.
    """

    __tablename__ = "calendar_years"
    __table_args__ = (
        UniqueConstraint("hall", "year", "version"),
        # NULLs differ from each other in a unique constraint: the national years need their own.
        index_where("uq_calendar_years_national", "hall IS NULL", "year", "version", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    hall: str | None = Field(default=None, max_length=CODE)
    year: int
    version: int
    off: list[str] = Field(default_factory=list, sa_type=Json)
    work: list[str] = Field(default_factory=list, sa_type=Json)
    source: str = Field(sa_type=Text)
    loaded_by: str = Field(max_length=CODE)
    loaded_at: datetime = Field(sa_type=UTCDateTime)
