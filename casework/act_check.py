"""The record of one bulletin or typical case against its own row, and against leaves of signed heads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from casework.chain_check import ChainCheck, Held, Stands
from casework.findings import Finding
from models.act import BULLETIN, TYPICAL_CASE, item_key
from models.case import Bulletin
from models.chain import ACT_CHAIN
from models.typical import TypicalCase

Item = Bulletin | TypicalCase
ITEMS: Mapping[str, type[Bulletin] | type[TypicalCase]] = {BULLETIN: Bulletin, TYPICAL_CASE: TypicalCase}
"""Kinds of what acts are done to → their tables."""


def kind_of(item: Item) -> str:
    """Return what the record calls such an item."""
    return BULLETIN if isinstance(item, Bulletin) else TYPICAL_CASE


def stands_of(item: Item) -> Stands:
    """Return what the item's own row says of its record; a typical case keeps no count."""
    return Stands(item.acts if isinstance(item, Bulletin) else None, item.last_hash)


class ActCheck:
    """Walks over the acts of one item, in order of their number, and keeps the first fault only.

    `case_id` is the case that the item's row names, None where there is no such row.
    """

    def __init__(
        self,
        kind: str,
        item: int,
        case_id: str | None,
        stands: Stands | None,
        held: Sequence[Held] = (),
        hash_of: Callable[[Any, str], str] = ACT_CHAIN.hash,
    ) -> None:
        self.item = item
        self._named, self._elsewhere = case_id, 0
        self._chain = ChainCheck(case_id, stands, held, hash_of, item_key(kind, item))

    def act(self, row: Any) -> None:
        """Take the next act: any object with the columns of the record."""
        if self._named is None:
            self._chain.case_id = row.case_id  # whose it was, the record still tells
        elif row.case_id != self._named and not self._elsewhere:
            self._elsewhere = row.seq
        self._chain.event(row)

    def end(self) -> Finding | None:
        """Return the first fault once all acts were taken; None if the record holds."""
        fault = self._chain.end()
        if fault is None and self._elsewhere:
            facts = {"item": self._chain.item}
            return Finding("acts_elsewhere", self._named, self._elsewhere, facts)
        return fault


def check_record(item: Item, rows: Iterable[Any]) -> Finding | None:
    """Check all acts of an item against its own row."""
    check = ActCheck(kind_of(item), item.id or 0, item.case_id, stands_of(item))
    for row in rows:
        check.act(row)
    return check.end()
