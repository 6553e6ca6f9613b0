"""What all tables share: the metadata with its naming convention, and the column types."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Index, Integer, MetaData, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

# Both dialects must know a constraint by the same name, else a migration can't alter it.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# Lengths of columns, in characters.
CODE = 64  # halls, units, users, kinds, statuses, key ids
NAME = 100  # names of people and of units (contract.md, Lengths)
DIGEST = 64  # SHA-256 in hexadecimal
UUID = 36
KEY = 200  # command ids; an alarm's is its key (name, instance, occurrence)


def index_where(
    name: str, condition: str, *columns: str, sqlite: str | None = None, unique: bool = False
) -> Index:
    """Return an index of the rows that meet a condition; `sqlite`: the condition as SQLite must have it."""
    on_sqlite, on_postgresql = text(sqlite or condition), text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=on_sqlite, postgresql_where=on_postgresql)


class Base(SQLModel):
    """Parent of every table."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING_CONVENTION)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: takes any aware datetime, returns aware UTC on both dialects.

    SQLite keeps no zones: there the column holds the naive UTC time.
    Binding a naive datetime raises ValueError (wrapped by SQLAlchemy in StatementError).
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into what the dialect stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime can't be stored: {value.isoformat()}")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the dialect stored into aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON text on SQLite, JSONB on PostgreSQL; None is SQL NULL on both."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the dialect."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Let `column["key"]` bind its key as text, as plain JSON columns do."""
        return self.impl_instance.coerce_compared_value(op, value)


class RowId(TypeDecorator[int]):
    """A counting primary key of 64 bits: SQLite counts only in a column declared INTEGER."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the dialect."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())
