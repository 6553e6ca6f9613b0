"""The monthly volume of the hotline 12345 (热线), as it was imported."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field

from models.base import CODE, DIGEST, Base, Json, UTCDateTime


class MonthlyVolume(Base, table=True):
    """One import of a hall's month (`YYYY-MM`); the newest version counts, old ones stay.

    `counts` are the calls of each unit, by its code; a unit that is missing there has no figure.
    `sha256` is that of the file they came from. Source: S3; domain.md, section 8.
    """

    __tablename__ = "monthly_volumes"
    __table_args__ = (ForeignKeyConstraint(["hall"], ["halls.code"], deferrable=True, initially="DEFERRED"),)

    hall: str = Field(primary_key=True, max_length=CODE)
    month: str = Field(primary_key=True, max_length=7)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    counts: dict[str, int] = Field(sa_type=Json)
    total: int
    sha256: str = Field(max_length=DIGEST)
    imported_by: str = Field(max_length=CODE)
    imported_at: datetime = Field(sa_type=UTCDateTime)
