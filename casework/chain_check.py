"""One chain against what other places know of it: the projection, and leaves of signed heads.

A chain is that of a case's events, or of what was done to one bulletin or typical case.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casework.findings import Finding
from models.chain import EVENT_CHAIN, GENESIS

# What is found of acts → by the name of the same thing found of events.
_OF_ACTS: Mapping[str, str] = {
    "event_missing": "act_missing",
    "event_unlinked": "act_unlinked",
    "event_changed": "act_changed",
    "events_cut": "acts_cut",
    "event_unknown": "act_unknown",
    "case_missing": "acts_missing",
    "case_unknown": "acts_of_nothing",
    "rewritten": "acts_rewritten",
    "shortened": "acts_shortened",
    "ends_otherwise": "acts_end_otherwise",
}


@dataclass(frozen=True)
class Held:
    """What a head holds of a chain: row `seq` had this hash."""

    head: int
    day: str
    seq: int
    hash: str


@dataclass(frozen=True)
class Stands:
    """What the projection says of a chain: number (where it keeps one) and hash of its last row."""

    seq: int | None
    hash: str | None


class ChainCheck:
    """Walks over the rows of a chain, in order of their number, and keeps the first fault only.

    What follows a fault hangs on it: a changed event makes all after it differ from what they were.
    `item` names whose record it is (``bulletin/3``) where the rows are acts, not events of the case.
    """

    def __init__(
        self,
        case_id: str | None,
        stands: Stands | None,
        held: Sequence[Held] = (),
        hash_of: Callable[[Any, str], str] = EVENT_CHAIN.hash,
        item: str | None = None,
    ) -> None:
        self.case_id, self.item, self.count, self._hash = case_id, item, 0, hash_of
        self.fault: Finding | None = None
        self._stands = stands
        self._held = sorted(held, key=lambda each: each.seq)
        self._at = 0  # of `_held`
        self._stood = 0
        self._prev = GENESIS

    def event(self, row: Any) -> None:
        """Take the next row: any object with the columns of its table."""
        self.count += 1
        if self.fault is not None:
            return
        expected = self.count
        if row.seq != expected:
            self._found("event_missing", expected)
        elif row.prev_hash != self._prev:
            self._found("event_unlinked", row.seq)
        elif row.hash != self._hash(row, self._prev):
            self._found("event_changed", row.seq)
        else:
            self._against_heads(row)
        self._prev = row.hash

    def end(self) -> Finding | None:
        """Return the first fault once all events were taken; None if the chain holds."""
        if not self.count and self._held:
            self._found("case_missing", 1, head=self._held[0].head, day=self._held[0].day)
        if self.fault is None and self._at < len(self._held):
            lost = self._held[self._at]
            self._found("shortened", self.count + 1, head=lost.head, day=lost.day, held=lost.seq)
        if self.fault is None and self._stands is None:
            self._found("case_unknown", 1)
        elif self.fault is None and self._stands is not None:
            self._against_projection(self._stands)
        return self.fault

    def _against_heads(self, row: Any) -> None:
        while self._at < len(self._held) and self._held[self._at].seq == row.seq:
            held = self._held[self._at]
            if held.hash != row.hash:
                # What the head before still holds was not touched: the change lies behind that.
                self._found("rewritten", row.seq, head=held.head, day=held.day, after=self._stood)
                return
            self._at, self._stood = self._at + 1, held.seq

    def _against_projection(self, stands: Stands) -> None:
        if stands.seq is None:
            if self._prev != stands.hash:
                self._found("ends_otherwise", max(self.count, 1))
        elif self.count < stands.seq:
            self._found("events_cut", self.count + 1, last=stands.seq)
        elif self.count > stands.seq:
            self._found("event_unknown", stands.seq + 1)
        elif self.count and self._prev != stands.hash:
            self._found("rewritten", stands.seq)

    def _found(self, what: str, seq: int, **facts: Any) -> None:
        if self.item is not None:
            what, facts = _OF_ACTS[what], facts | {"item": self.item}
        self.fault = Finding(what, self.case_id, seq, facts)


def check_chain(
    case_id: str, rows: Iterable[Any], stands: Stands | None, held: Sequence[Held] = ()
) -> Finding | None:
    """Check all events of a case at once."""
    check = ChainCheck(case_id, stands, held)
    for row in rows:
        check.event(row)
    return check.end()
