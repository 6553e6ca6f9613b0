"""Every column that the keyring itself seals, and moving it under the first key, a few rows at a time.

What stands under the key of a case (petitioner, texts, files) is not here: its key is, in `case_secrets`.
Records of acts and exported histories are not either: their bytes are hashed and signed, so they stay as
they are, and the database keeps the key that opens them (`house_keys`).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, LargeBinary, Row, Table, and_, func, select, tuple_, update
from sqlmodel import Session

from models.act import ACTS
from models.base import Base
from models.command import SentCommand
from models.crypto import Keyring, byte_start, kept, token_starts
from models.database import Database
from models.directory import User
from models.filing import CaseSecret
from models.house_key import INDEX, PAYLOAD, HouseKey
from models.imported import ImportRow
from models.kept_form import KeptForm
from models.outside import DeliveryChoice
from models.report import ReportFile

BATCH = 200
Token = str | bytes


@dataclass(frozen=True)
class SealedColumn:
    """A column of tokens. `purpose` makes what a row's token was sealed for, from its key and `beside`."""

    table: Table
    column: str
    purpose: Callable[..., str]
    beside: tuple[str, ...] = ()
    within: str | None = None  # the token's name inside a JSON column
    batch: int = BATCH

    @property
    def name(self) -> str:
        """Return what people call it: table and column."""
        return f"{self.table.name}.{self.column}"

    @property
    def token(self) -> ColumnElement[Any]:
        """Return the token as SQL has it."""
        column = self.table.c[self.column]
        return column[self.within].as_string() if self.within else column

    def under(self, key_id: str) -> ColumnElement[bool]:
        """Return the condition that a row is sealed under a key."""
        if self.is_bytes:
            start = byte_start(key_id)
            return func.substr(self.token, 1, len(start)) == start
        starts = token_starts(key_id)
        return func.substr(self.token, 1, len(starts[0])).in_(starts)

    @property
    def is_bytes(self) -> bool:
        """Whether tokens are bytes here and not text."""
        return isinstance(self.table.c[self.column].type, LargeBinary)


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


def _house_key(name: str) -> str:
    return kept(None if name == INDEX else name.removeprefix(PAYLOAD))


CASE_KEYS = SealedColumn(_table(CaseSecret), "wrapped_key", "case-key:{}".format)
COLUMNS: Sequence[SealedColumn] = (
    CASE_KEYS,
    SealedColumn(_table(User), "totp_secret", "totp:{}".format),
    SealedColumn(_table(KeptForm), "fields", "kept-form:{}:{}".format, ("username",)),
    SealedColumn(_table(SentCommand), "answer", "answer:{}".format, within="sealed"),
    # A file may be large: few at a time.
    SealedColumn(_table(ReportFile), "content", "report:{}:{}".format, batch=5),
    SealedColumn(_table(ImportRow), "form", "import:{}:{}".format),
    SealedColumn(_table(DeliveryChoice), "addresses", "addresses:{}".format),
    SealedColumn(_table(HouseKey), "wrapped", _house_key),
)
SIGNED = SealedColumn(ACTS, "sealed", "".format)


async def count_under(database: Database, column: SealedColumn, key_ids: Sequence[str]) -> dict[str, int]:
    """Return how many rows of a column stand under each key; `""` counts those under none of them.

    Every row is looked at. Raises DatabaseUnavailable.
    """

    def count(session: Session) -> dict[str, int]:
        sums = [func.count().filter(column.under(key_id)) for key_id in key_ids]
        wanted = select(func.count(), *sums).select_from(column.table).where(column.token.is_not(None))
        total, *found = session.execute(wanted).one()
        return {**dict(zip(key_ids, found, strict=True)), "": total - sum(found)}

    return await database.look(count)


async def reseal(
    database: Database, keyring: Keyring, column: SealedColumn, done: Callable[[int], None]
) -> int:
    """Move a column under the first key; return how many rows were moved. `done` hears of each batch.

    May be ended at any time, done again, and done twice at once: a row that changed meanwhile is left
    alone, and found again by the next run. Raises DatabaseUnavailable, UnsealError for a token whose key
    is missing.
    """
    moved, after = 0, None
    while True:
        rows = await database.look(lambda session, after=after: _next(session, keyring, column, after))  # type: ignore[misc]
        if not rows:
            return moved
        fresh = await asyncio.to_thread(_sealed_anew, keyring, column, rows)
        count = await database.write(lambda session, fresh=fresh: _store(session, column, fresh))  # type: ignore[misc]
        moved += count
        done(count)
        after = tuple(rows[-1])[: len(_key(column))]


def _key(column: SealedColumn) -> list[Any]:
    return list(column.table.primary_key.columns)


def _next(
    session: Session, keyring: Keyring, column: SealedColumn, after: tuple[Any, ...] | None
) -> Sequence[Row[Any]]:
    key = _key(column)
    beside = [column.table.c[name] for name in column.beside]
    wanted = (
        select(*key, *beside, column.token)
        .where(column.token.is_not(None), ~column.under(keyring.key_ids[0]))
        .order_by(*key)
        .limit(column.batch)
    )
    if after is not None:
        wanted = wanted.where(tuple_(*key) > tuple_(*after) if len(key) > 1 else key[0] > after[0])
    return session.execute(wanted).all()


def _sealed_anew(
    keyring: Keyring, column: SealedColumn, rows: Sequence[Row[Any]]
) -> list[tuple[tuple[Any, ...], Token, Token]]:
    """Return key, token and new token of each row."""
    found: list[tuple[tuple[Any, ...], Token, Token]] = []
    for row in rows:
        named, token = tuple(row)[:-1], row[-1]
        purpose = column.purpose(*named)
        fresh: Token
        if isinstance(token, str):
            fresh = keyring.text_sealed_anew(token, purpose)
        else:
            fresh = keyring.sealed_anew(token, purpose)
        found.append((named[: len(_key(column))], token, fresh))
    return found


def _store(
    session: Session, column: SealedColumn, fresh: Sequence[tuple[tuple[Any, ...], Token, Token]]
) -> int:
    moved = 0
    for key, token, new in fresh:
        mine = and_(*(each == value for each, value in zip(_key(column), key, strict=True)))
        value = {column.within: new} if column.within else new
        # Only what was read is replaced: an erasure meanwhile must not be undone.
        done = session.execute(
            update(column.table).where(mine, column.token == token).values({column.column: value})
        )
        moved += done.rowcount  # type: ignore[attr-defined]
    return moved
