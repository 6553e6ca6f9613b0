"""Tables as lines of JSON, the same for both dialects, and back: what backups and moves are made of.

A dump says of itself which columns it has and of which kind, so that one of an older schema can be loaded
into the tables of its time.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    column,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine
from sqlmodel.sql.sqltypes import AutoString

from models.base import Json, RowId, UTCDateTime
from models.tables import metadata

AT_ONCE = 500
# What belongs to a running installation and not to its data: sign-ins (one that was ended after the
# backup must not come to life again), counters of wrong guesses, who runs, and on which engine.
LEFT_OUT = frozenset({"access_tokens", "attempts", "key_holders", "known_engines"})


@dataclass(frozen=True)
class Kind:
    """How values of a column are written and read, and as what type they are inserted."""

    name: str
    type: TypeEngine[Any]
    write: Callable[[Any], Any] = lambda value: value
    read: Callable[[Any], Any] = lambda value: value


_KINDS = {
    kind.name: kind
    for kind in (
        Kind("instant", UTCDateTime(), lambda value: value.isoformat(), datetime.fromisoformat),
        Kind("date", Date(), lambda value: value.isoformat(), date.fromisoformat),
        Kind(
            "bytes",
            LargeBinary(),
            lambda value: base64.b64encode(value).decode(),
            lambda value: base64.b64decode(value, validate=True),
        ),
        Kind("json", Json()),
        Kind("bool", Boolean()),
        Kind("int", BigInteger()),
        Kind("float", Float()),
        Kind("text", Text()),
    )
}
_OF_TYPE: Sequence[tuple[type[TypeEngine[Any]], str]] = (
    (UTCDateTime, "instant"),
    (Json, "json"),
    (RowId, "int"),
    (Boolean, "bool"),
    (Integer, "int"),
    (Float, "float"),
    (Date, "date"),
    (LargeBinary, "bytes"),
    (String, "text"),
    (AutoString, "text"),
)


def kind_of(of: Column[Any]) -> str:
    """Return the kind of a column. Raises TypeError for one that dumps don't know."""
    for ours, name in _OF_TYPE:
        if isinstance(of.type, ours):
            return name
    raise TypeError(f"{of} has a type that no dump knows")


def tables_to_dump() -> Sequence[Table]:
    """Return every table whose rows are kept; a table comes after those that it refers to."""
    return [each for each in metadata.sorted_tables if each.name not in LEFT_OUT]


def columns_of(dumped: Table) -> list[tuple[str, str]]:
    """Return name and kind of each column."""
    return [(each.name, kind_of(each)) for each in dumped.columns]


async def dumped_rows(connection: AsyncConnection, dumped: Table) -> AsyncIterator[bytes]:
    """Yield each row as a line, in the order of the primary key, from the connection's snapshot."""
    writers = [_KINDS[kind].write for _, kind in columns_of(dumped)]
    wanted = select(dumped).order_by(*dumped.primary_key.columns)
    rows = await connection.stream(wanted, execution_options={"yield_per": AT_ONCE})
    async for row in rows:
        values = [None if value is None else write(value) for value, write in zip(row, writers, strict=True)]
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def load_rows(
    connection: AsyncConnection, name: str, columns: Sequence[Sequence[str]], lines: Iterable[bytes]
) -> int:
    """Insert rows that `dumped_rows` wrote; return how many. Raises ValueError for what is no such row."""
    kinds = [_KINDS[kind] for _, kind in columns]
    names = [each for each, _ in columns]
    into = table(name, *(column(each, kind.type) for each, kind in zip(names, kinds, strict=True))).insert()
    batch: list[dict[str, Any]] = []
    count = 0
    for line in lines:
        values = json.loads(line)
        read = (None if v is None else kind.read(v) for v, kind in zip(values, kinds, strict=True))
        batch.append(dict(zip(names, read, strict=True)))
        count += 1
        if len(batch) == AT_ONCE:
            await connection.execute(into, batch)
            batch = []
    if batch:
        await connection.execute(into, batch)
    return count


async def count_on(connection: AsyncConnection) -> None:
    """Have PostgreSQL's counters go on behind the rows that were loaded with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    counters = await connection.execute(
        text(
            "SELECT s.relname, t.relname, a.attname FROM pg_class s"
            " JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')"
            " AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
            " JOIN pg_class t ON t.oid = d.refobjid"
            " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"
            " WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace"
        )
    )
    for sequence, counted, key in counters.all():
        highest = f'(SELECT max("{key}") FROM "{counted}")'  # names from the catalogue
        await connection.execute(
            text(f"SELECT setval('\"{sequence}\"', coalesce({highest}, 1), {highest} IS NOT NULL)")
        )
