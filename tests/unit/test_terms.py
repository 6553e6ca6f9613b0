"""The terms of thousands of cases are few: those that came over the wire are held once."""

import json
from dataclasses import replace

from pydantic import TypeAdapter

from models.messages import CaseInput, Terms
from models.policies import read_policies
from tests.support.calendars import CALENDAR_2026

_WIRE = TypeAdapter(CaseInput)
TERMS = Terms.of(read_policies(None)["guilin"], CALENDAR_2026)


def came(terms: Terms) -> Terms:
    """Return terms as a worker gets them."""
    return _WIRE.validate_json(_WIRE.dump_json(CaseInput("case", terms))).terms


def test_equal_terms_are_held_once() -> None:
    one, other = came(TERMS), came(TERMS)
    assert one == other == TERMS
    assert one.policy is other.policy
    assert one.calendar is other.calendar


def test_terms_that_differ_in_one_value_are_kept_apart() -> None:
    other = came(replace(TERMS, policy=replace(TERMS.policy, simple=TERMS.policy.simple + 1)))
    assert came(TERMS).policy.simple == TERMS.policy.simple != other.policy.simple
    longer = replace(CALENDAR_2026, work=frozenset())
    assert came(Terms.of(TERMS.policy, longer)).read_calendar() == longer != came(TERMS).read_calendar()


def test_what_is_held_goes_over_the_wire_as_it_came() -> None:
    assert json.loads(_WIRE.dump_json(CaseInput("case", came(TERMS)))) == json.loads(
        _WIRE.dump_json(CaseInput("case", TERMS))
    )
