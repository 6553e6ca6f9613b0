"""Erasure of personal data: which cases were erased, and which may not be for now."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from models.base import CODE, UUID, Base, RowId, UTCDateTime, index_where


class Erasure(Base, table=True):
    """A case whose personal data was erased; `erased_at` is of the domain's clock.

    `files_gone_at` is empty until its attachments and histories are deleted from disk as well: a
    process that is killed in between leaves them to the next one. By then nothing opens them.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        index_where("ix_erasures_files", "files_gone_at IS NULL", "case_id"),
        Index(None, "erased_at", "case_id"),
    )

    case_id: str = Field(primary_key=True, max_length=UUID)
    number: str = Field(max_length=CODE)
    hall: str = Field(max_length=CODE)
    policy_id: str = Field(max_length=CODE)
    archived_at: datetime = Field(sa_type=UTCDateTime)
    erased_at: datetime = Field(sa_type=UTCDateTime)
    files_gone_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ErasureHold(Base, table=True):
    """A reason for which a case is not erased, until somebody lifts it; one at a time a case."""

    __tablename__ = "erasure_holds"
    __table_args__ = (index_where("uq_erasure_holds_standing", "lifted_at IS NULL", "case_id", unique=True),)

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    case_id: str = Field(max_length=UUID)
    hall: str = Field(max_length=CODE)
    reason: str = Field(sa_type=Text)
    placed_by: str = Field(max_length=CODE)
    placed_at: datetime = Field(sa_type=UTCDateTime)
    lifted_by: str | None = Field(default=None, max_length=CODE)
    lifted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
