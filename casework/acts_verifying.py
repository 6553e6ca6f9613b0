"""Verifying the record of acts: of every bulletin and typical case, page by page. Memory stays bounded."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.act_check import ITEMS, ActCheck, Item, stands_of
from casework.chain_check import Held
from casework.findings import Finding
from casework.ledger_rows import ACT_ROWS
from casework.services import Services
from models.act import Act, item_key
from models.evidence import HeadLeaf, LedgerHead

ITEMS_AT_ONCE = 200
ROWS_AT_ONCE = 500  # each may bring a text of some pages along

_END = 2**31 - 1  # no act has a larger number

_PLACE = tuple_(col(Act.item), col(Act.seq))
Known = Mapping[str, Sequence[Held]]
Add = Callable[[Finding | None], None]


async def verify_acts(services: Services, add: Add, outside: Known, beat: Callable[[], None]) -> int:
    """Verify the record of every item; return how many acts there are.

    `outside` is what published heads hold, by key of the item; `add` takes what is found.
    """
    count = 0
    for kind in ITEMS:
        count += await _of_kind(services, kind, add, outside, beat)
    await _vanished(services, add, outside, beat)
    return count


async def _of_kind(services: Services, kind: str, add: Add, outside: Known, beat: Callable[[], None]) -> int:
    after, count = 0, 0
    last: int | None
    while True:
        async with services.database.read() as session:  # one snapshot: rows and records agree in it
            items = await _some_items(session, kind, after)
            last = items[-1].id if len(items) == ITEMS_AT_ONCE else None
            walk = _Walk(kind, items, add, outside)
            walk.held |= await _held(session, (item_key(kind, item) for item in walk.left))
            place = (after, _END)
            while rows := await _some_acts(session, kind, place, last):
                strangers = {row.item for row in rows} - walk.left
                walk.held |= await _held(session, (item_key(kind, item) for item in strangers))
                await asyncio.to_thread(walk.take, rows)
                place, count = (rows[-1].item, rows[-1].seq), count + len(rows)
                beat()
        walk.end()
        if last is None:
            return count
        after = last


class _Walk:
    """Goes over the acts of a range of items, in order."""

    def __init__(self, kind: str, items: Sequence[Item], add: Add, outside: Known) -> None:
        self._kind, self._add, self._outside = kind, add, outside
        self._items = {item.id or 0: item for item in items}
        self.left, self.held = set(self._items), dict[str, list[Held]]()
        self._check: ActCheck | None = None

    def take(self, rows: Sequence[Row[Any]]) -> None:
        """Take the next rows."""
        for row in rows:
            if self._check is None or self._check.item != row.item:
                self._close()
                self._check = self._begin(row.item)
            self._check.act(row)

    def end(self) -> None:
        """Close the last item, and those to which nothing was ever done."""
        self._close()
        for item in sorted(self.left):
            self._add(self._begin(item).end())

    def _begin(self, number: int) -> ActCheck:
        item, key = self._items.get(number), item_key(self._kind, number)
        held = [*self.held.get(key, ()), *self._outside.get(key, ())]
        case_id, stands = (item.case_id, stands_of(item)) if item else (None, None)
        return ActCheck(self._kind, number, case_id, stands, held, ACT_ROWS.hash_of)

    def _close(self) -> None:
        if self._check is not None:
            self.left.discard(self._check.item)
            self._add(self._check.end())
            self._check = None


async def _some_items(session: AsyncSession, kind: str, after: int) -> Sequence[Item]:
    table: Any = ITEMS[kind]
    wanted = select(table).where(col(table.id) > after).order_by(col(table.id)).limit(ITEMS_AT_ONCE)
    items: Sequence[Item] = (await session.exec(wanted)).all()
    return items


async def _some_acts(
    session: AsyncSession, kind: str, place: tuple[int, int], last: int | None
) -> Sequence[Row[Any]]:
    wanted = select(*ACT_ROWS.columns).where(Act.kind == kind, place < _PLACE)
    if last is not None:
        wanted = wanted.where(Act.item <= last)
    wanted = wanted.order_by(col(Act.item), col(Act.seq)).limit(ROWS_AT_ONCE)
    rows: Sequence[Row[Any]] = (await session.exec(wanted)).all()
    return rows


async def _held(session: AsyncSession, keys: Iterable[str]) -> dict[str, list[Held]]:
    """Return what the heads of the database hold of these items."""
    wanted = (
        select(HeadLeaf, col(LedgerHead.day))
        .join(LedgerHead, col(LedgerHead.number) == HeadLeaf.head)
        .where(HeadLeaf.kind == "act", col(HeadLeaf.key).in_(sorted(keys)))
    )
    held: dict[str, list[Held]] = defaultdict(list)
    for leaf, day in await session.exec(wanted):
        held[leaf.key].append(Held(leaf.head, day.isoformat(), leaf.seq, leaf.hash))
    return held


async def _vanished(services: Services, add: Add, outside: Known, beat: Callable[[], None]) -> None:
    """Find the items that heads hold and of which nothing is left, neither row nor acts."""
    after: str | None = ""
    while after is not None:
        async with services.database.read() as session:
            wanted = select(HeadLeaf.key).where(HeadLeaf.kind == "act", HeadLeaf.key > after).distinct()
            keys = (await session.exec(wanted.order_by(col(HeadLeaf.key)).limit(ROWS_AT_ONCE))).all()
            await _missing(session, keys, add, outside)
        after = keys[-1] if len(keys) == ROWS_AT_ONCE else None
        beat()
    given = sorted(outside)
    for at in range(0, len(given), ROWS_AT_ONCE):
        some = given[at : at + ROWS_AT_ONCE]
        async with services.database.read() as session:
            known = await _held(session, some)  # those that its own heads hold too were found above
            await _missing(session, [key for key in some if key not in known], add, outside)
        beat()


async def _missing(session: AsyncSession, keys: Sequence[str], add: Add, outside: Known) -> None:
    there: set[str] = set()
    table: Any
    for kind, table in ITEMS.items():
        numbers = [_number(key) for key in keys if key.partition("/")[0] == kind]
        rows = select(table.id).where(col(table.id).in_(numbers))
        acts = select(Act.item).where(Act.kind == kind, col(Act.item).in_(numbers)).distinct()
        for wanted in (rows, acts):
            there |= {item_key(kind, item or 0) for item in (await session.exec(wanted)).all()}
    gone = [key for key in keys if key not in there]
    held = await _held(session, gone)
    for key in gone:
        first = min([*held.get(key, ()), *outside.get(key, ())], key=lambda each: each.head)
        add(Finding("acts_missing", None, 1, {"item": key, "head": first.head, "day": first.day}))


def _number(key: str) -> int:
    """Return the number of an item; 0, which nothing has, for what is no such key."""
    text = key.partition("/")[2]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
