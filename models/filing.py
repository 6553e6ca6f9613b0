"""What a citizen brought to the counter: the filing, the petitioner, and the key of the case."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from models.base import CODE, DIGEST, KEY, UUID, Base, UTCDateTime


def _filing_key() -> ForeignKeyConstraint:
    # Checked at commit: the rows of one filing are added in any order.
    return ForeignKeyConstraint(["case_id"], ["filings.case_id"], deferrable=True, initially="DEFERRED")


class Filing(Base, table=True):
    """A form handed in at `received_at` (T0), kept whether or not the engine could be reached.

    `form` is sealed JSON under the case key, purpose `form` (matter, problem, attempts).
    `number` and `registered_at` are None until the case is registered. One that came from elsewhere has
    `source`, `reference` (its number there, where it has one) and `imported_at`; `origin_key` is what makes
    it come once. Erasure blanks `form`, `reference` and `origin_key`, and the query code ends.
    The same clerk and Idempotency-Key mean the same filing; `body_hash` tells another body.
    """

    __tablename__ = "filings"
    __table_args__ = (
        UniqueConstraint("clerk", "idempotency_key"),
        UniqueConstraint("query_code_hash"),
        UniqueConstraint("number"),
        Index("uq_filings_origin_key", "origin_key", unique=True),
        # By when they came here: T0 of one that was imported may lie a year back.
        Index(
            "ix_filings_unregistered",
            text("coalesce(imported_at, received_at)"),
            sqlite_where=text("registered_at IS NULL"),
            postgresql_where=text("registered_at IS NULL"),
        ),
    )

    case_id: str = Field(primary_key=True, max_length=UUID)
    hall: str = Field(max_length=CODE)
    channel: str = Field(max_length=CODE)
    received_at: datetime = Field(sa_type=UTCDateTime)
    clerk: str = Field(max_length=CODE)
    idempotency_key: str | None = Field(default=None, max_length=255)
    body_hash: str = Field(max_length=DIGEST)
    form: str | None = Field(default=None, sa_type=Text)
    cause: str | None = Field(default=None, max_length=CODE)
    query_code_hash: str = Field(max_length=DIGEST)
    number: str | None = Field(default=None, max_length=CODE)
    registered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    origin_key: str | None = Field(default=None, max_length=KEY)
    source: str | None = Field(default=None, max_length=CODE)
    reference: str | None = Field(default=None, max_length=CODE)
    imported_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Petitioner(Base, table=True):
    """The petitioner (反映人): every column but `kind` is sealed under the case key.

    `phone_index` and `name_index` are blind indexes of the keyring; erasure blanks them too.
    """

    __tablename__ = "petitioners"
    __table_args__ = (_filing_key(),)

    case_id: str = Field(primary_key=True, max_length=UUID)
    kind: str = Field(max_length=CODE)
    name: str | None = Field(default=None, sa_type=Text)
    phone: str | None = Field(default=None, sa_type=Text)
    id_number: str | None = Field(default=None, sa_type=Text)
    uscc: str | None = Field(default=None, sa_type=Text)
    name_index: str | None = Field(default=None, max_length=DIGEST, index=True)
    phone_index: str | None = Field(default=None, max_length=DIGEST, index=True)


class CaseSecret(Base, table=True):
    """The key of a case, wrapped by the keyring; deleting it erases what was sealed under it."""

    __tablename__ = "case_secrets"
    __table_args__ = (_filing_key(),)

    case_id: str = Field(primary_key=True, max_length=UUID)
    wrapped_key: str = Field(sa_type=Text)
