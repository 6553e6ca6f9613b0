"""Hashes of rows: the same before a row is written and after it was read, on either dialect."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chain import (
    ACCESS_CHAIN,
    EVENT_CHAIN,
    GENESIS,
    canonical_bytes,
    parsed,
    parsed_bytes,
    verify_access_log,
    verify_chain,
)

SHANGHAI = timezone(timedelta(hours=8))
AT = datetime(2026, 9, 20, 17, 30, tzinfo=SHANGHAI)


def event(seq: int, **other: Any) -> dict[str, Any]:
    row = {
        "case_id": "case-1",
        "seq": seq,
        "part": 0,
        "at": AT,
        "type": "sign",
        "actor": {"role": "contact", "name": "张三"},
        "data": {},
        "sealed": None,
        "changes": {"status": "handling"},
        "fired": [],
        "command_id": f"command-{seq}",
    }
    return row | other


CHAIN = EVENT_CHAIN.link([event(1), event(2), event(3), event(4)])


def test_an_untouched_chain_holds() -> None:
    assert verify_chain(CHAIN) is None
    assert verify_chain(CHAIN, last_seq=4) is None
    assert verify_chain([]) is None


@pytest.mark.parametrize("field", EVENT_CHAIN.fields)
def test_a_change_of_any_field_is_found(field: str) -> None:
    changed = {"at": AT + timedelta(microseconds=1), "seq": 9, "part": 1}.get(field, "other")
    rows = [*CHAIN[:1], CHAIN[1] | {field: changed}, *CHAIN[2:]]
    assert verify_chain(rows) == 2


@pytest.mark.parametrize("field", ["hash", "prev_hash"])
def test_a_changed_link_is_found(field: str) -> None:
    assert verify_chain([*CHAIN[:2], CHAIN[2] | {field: "f" * 64}, CHAIN[3]]) == 3


def test_a_changed_row_with_a_new_hash_breaks_the_next_one() -> None:
    forged = EVENT_CHAIN.link([event(2, type="reply")], CHAIN[0]["hash"])
    assert verify_chain([CHAIN[0], *forged, *CHAIN[2:]]) == 3


@pytest.mark.parametrize(("missing", "bad"), [(0, 1), (1, 2), (2, 3)])
def test_a_deleted_row_is_found(missing: int, bad: int) -> None:
    assert verify_chain([*CHAIN[:missing], *CHAIN[missing + 1 :]]) == bad


def test_rows_deleted_at_the_end_are_found_by_the_last_number() -> None:
    assert verify_chain(CHAIN[:2]) is None
    assert verify_chain(CHAIN[:2], last_seq=4) == 3
    assert verify_chain([], last_seq=4) == 1


def test_swapped_rows_are_found() -> None:
    swapped = [CHAIN[0], CHAIN[2] | {"seq": 2}, CHAIN[1] | {"seq": 3}, CHAIN[3]]
    assert verify_chain(swapped) == 2
    assert verify_chain([CHAIN[0], CHAIN[2], CHAIN[1], CHAIN[3]]) == 2


def test_the_first_row_follows_nothing() -> None:
    assert CHAIN[0]["prev_hash"] == GENESIS == "0" * 64


def test_a_changed_row_of_the_access_log_is_found_by_its_id() -> None:
    entry = dict.fromkeys(ACCESS_CHAIN.fields) | {"at": AT, "action": "sign_in"}
    rows = [row | {"id": 10 + n} for n, row in enumerate(ACCESS_CHAIN.link([entry, entry, entry]))]
    assert verify_access_log(rows) is None
    assert verify_access_log([rows[0], rows[1] | {"address": "::2"}, rows[2]]) == 11
    assert verify_access_log([rows[0], rows[2]]) == 12


def test_the_zone_of_an_instant_does_not_matter() -> None:
    assert canonical_bytes({"at": AT}) == canonical_bytes({"at": AT.astimezone(UTC)})
    assert canonical_bytes({"at": AT}) == b'{"at":"2026-09-20T09:30:00.000000+00:00"}'


def test_keys_are_sorted_and_chinese_stays() -> None:
    assert canonical_bytes({"b": [1, (2,)], "a": "张"}) == '{"a":"张","b":[1,[2]]}'.encode()


@given(st.dictionaries(st.text(), st.integers() | st.booleans() | st.none() | st.text()))
def test_a_trip_through_json_changes_no_hash(values: dict[str, Any]) -> None:
    values = {key: value for key, value in values.items() if _encodable(key) and _encodable(value)}
    assert canonical_bytes(json.loads(json.dumps(values))) == canonical_bytes(values)


def _encodable(value: Any) -> bool:
    return not isinstance(value, str) or not any(0xD800 <= ord(letter) < 0xE000 for letter in value)


def test_a_whole_float_hashes_as_its_integer() -> None:
    assert canonical_bytes({"n": 1e16}) == canonical_bytes({"n": 10**16})
    assert canonical_bytes({"n": 1.5}) == b'{"n":1.5}'


@pytest.mark.parametrize("value", [math.nan, math.inf, datetime(2026, 1, 1)])  # noqa: DTZ001
def test_what_has_no_one_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON form|naive"):
        canonical_bytes({"value": value})


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=6), VALUES, max_size=4))
def test_json_read_by_ourselves_hashes_as_what_the_dialect_reads(fields: dict[str, Any]) -> None:
    text = json.dumps(fields, ensure_ascii=False)
    own = {"at": AT, "data": parsed(text)}
    assert parsed_bytes(own) == canonical_bytes({"at": AT, "data": json.loads(text)})
