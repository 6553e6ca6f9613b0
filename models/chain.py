"""Hash chains: every row carries the hash of the row before, so that a later change shows.

Source: design.md, Evidence. A chain alone can't show that rows at its end are missing: pass the
last number that another place knows (the projection, a signed head).
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64  # the hash before the first row


def canonical_bytes(fields: Mapping[str, Any]) -> bytes:
    """Return the one UTF-8 JSON text of these fields: keys sorted, times as UTC ISO 8601.

    The text is the same before a row is written and after it was read on either dialect.
    Raises ValueError for a naive datetime, for NaN and for an infinity.
    """
    plain = {name: _plain(value) for name, value in fields.items()}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def parsed_bytes(fields: Mapping[str, Any]) -> bytes:
    """Return what `canonical_bytes` does, for fields whose JSON came from `parsed`: twice as fast."""
    return _ENCODER.encode(fields).encode()


def parsed(text: str) -> Any:
    """Return JSON as it stands in a column, numbers in the form that is hashed."""
    return _DECODER.decode(text)


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


_ENCODER = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False, default=_instant
)
_DECODER = json.JSONDecoder(parse_float=_number)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no JSON form")
        # JSONB hands 1e16 back as an integer: both forms must hash alike.
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime can't be hashed: {value.isoformat()}")
        return _instant(value)
    return value


@dataclass(frozen=True)
class Chain:
    """Which columns of a table its hashes cover.

    A row is a mapping, a table object or a result row.
    """

    fields: tuple[str, ...]

    def hash(self, row: object, prev_hash: str) -> str:
        """Return the hash of this row after the row with `prev_hash`, in hexadecimal."""
        covered = {name: _value(row, name) for name in self.fields}
        return hashlib.sha256(canonical_bytes({**covered, "prev_hash": prev_hash})).hexdigest()

    def link(self, rows: Iterable[Mapping[str, Any]], prev_hash: str = GENESIS) -> list[dict[str, Any]]:
        """Return the rows with `prev_hash` and `hash` filled in, each after the one before."""
        linked = []
        for row in rows:
            digest = self.hash(row, prev_hash)
            linked.append({**row, "prev_hash": prev_hash, "hash": digest})
            prev_hash = digest
        return linked

    def holds(self, row: object, prev_hash: str) -> bool:
        """Say whether this row is unchanged and follows the row with `prev_hash`."""
        if _value(row, "prev_hash") != prev_hash:
            return False
        return bool(_value(row, "hash") == self.hash(row, prev_hash))


EVENT_CHAIN = Chain(
    (
        "case_id",
        "seq",
        "part",
        "at",
        "type",
        "actor",
        "data",
        "sealed",
        "changes",
        "fired",
        "command_id",
    )
)
ACCESS_CHAIN = Chain(("at", "username", "action", "case_id", "reason", "address"))
ACT_CHAIN = Chain(("kind", "item", "case_id", "seq", "at", "type", "actor", "data", "sealed"))


def verify_chain(
    rows: Iterable[object], last_seq: int | None = None, chain: Chain = EVENT_CHAIN
) -> int | None:
    """Return the first bad `seq` of a case's events (in order of seq), or None if all hold.

    With `last_seq` (the projection's), events missing at the end are found too. ``chain`` is another
    one where the rows are acts (`ACT_CHAIN`).
    """
    prev_hash, expected = GENESIS, 1
    for row in rows:
        if _value(row, "seq") != expected or not chain.holds(row, prev_hash):
            return expected
        prev_hash, expected = _value(row, "hash"), expected + 1
    return expected if last_seq is not None and expected <= last_seq else None


def verify_access_log(rows: Iterable[object]) -> int | None:
    """Return the `id` of the first bad row of the access log (in order of id), or None."""
    prev_hash = GENESIS
    for row in rows:
        if not ACCESS_CHAIN.holds(row, prev_hash):
            return int(_value(row, "id"))
        prev_hash = _value(row, "hash")
    return None


def _value(row: object, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)
