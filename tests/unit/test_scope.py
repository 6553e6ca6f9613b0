"""The tree of halls, and what a scope covers."""

from typing import Any

import pytest

from casework.scope import NOTHING, Scope, halls_under
from models.case import Case

PARENTS = {"region": None, "guilin": "region", "lingui": "guilin", "street": "lingui", "liuzhou": "region"}


@pytest.mark.parametrize(
    ("top", "halls"),
    [
        ("region", {"region", "guilin", "lingui", "street", "liuzhou"}),
        ("guilin", {"guilin", "lingui", "street"}),
        ("street", {"street"}),
        ("nowhere", {"nowhere"}),
    ],
)
def test_a_supervisor_sees_the_halls_below(top: str, halls: set[str]) -> None:
    assert halls_under(top, PARENTS) == halls


def test_a_ring_in_the_directory_ends() -> None:
    assert halls_under("a", {"a": "b", "b": "a"}) == {"a", "b"}


def case(hall: str = "guilin", unit: str | None = "market", *co_units: str, referred: bool = False) -> Case:
    values: dict[str, Any] = {"hall": hall, "unit": unit, "co_units": list(co_units), "referred": referred}
    return Case(**values)


@pytest.mark.parametrize(
    ("scope", "seen", "covered"),
    [
        (NOTHING, case(), False),
        (Scope(None), case("anywhere", None), True),
        (Scope(frozenset({"guilin"})), case(), True),
        (Scope(frozenset({"guilin"})), case("chengzhong"), False),
        (Scope(frozenset({"guilin"}), "market"), case(), True),
        (Scope(frozenset({"guilin"}), "housing"), case(), False),
        (Scope(frozenset({"guilin"}), "housing"), case("guilin", "market", "housing"), True),
        (Scope(frozenset({"guilin"}), "market"), case("chengzhong"), False),
        (Scope(frozenset({"guilin"}), "market"), case("guilin", None), False),
        (Scope(None, referred_only=True), case(), False),
        (Scope(None, referred_only=True), case(referred=True), True),
        (Scope(frozenset({"guilin"}), referred_only=True), case("chengzhong", referred=True), False),
    ],
)
def test_what_a_scope_covers(scope: Scope, seen: Case, covered: bool) -> None:
    assert scope.covers(seen) is covered
