"""A form that was sent after its session had ended: kept for its user, until the next sign-in."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from models.base import CODE, UUID, Base, UTCDateTime


class KeptForm(Base, table=True):
    """What `username` had typed into the form of `path`; `fields` is sealed JSON of (name, text) pairs.

    `at` is of the real clock. One row per user and path: whoever sends again replaces it.
    """

    __tablename__ = "kept_forms"
    __table_args__ = (Index(None, "username", "path", unique=True),)

    id: str = Field(primary_key=True, max_length=UUID)
    username: str = Field(max_length=CODE)
    path: str = Field(max_length=255)
    fields: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UTCDateTime, index=True)
