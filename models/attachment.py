"""Files of a case; their content lies in the data folder under its SHA-256."""

from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlmodel import Field

from models.base import CODE, DIGEST, UUID, Base, UTCDateTime


class Attachment(Base, table=True):
    """A file of a case; `size` in bytes.

    `name` is sealed under the case key, purpose `attachment:<id>`, None once erased.
    """

    __tablename__ = "attachments"

    id: str = Field(primary_key=True, max_length=UUID)
    case_id: str = Field(max_length=UUID, index=True)
    name: str | None = Field(default=None, sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    sha256: str = Field(max_length=DIGEST)
    media_type: str = Field(max_length=100)
    at: datetime = Field(sa_type=UTCDateTime)
    username: str = Field(max_length=CODE)
