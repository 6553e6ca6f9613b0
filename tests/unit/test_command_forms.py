"""The forms of commands: no field of the rules is left out, and what is typed arrives as it was."""

import json
from typing import Any

import pytest
from starlette.datastructures import FormData

from casework.commanding import BY_NAME
from pages.command_forms import Choices, Input, command_form
from pages.form_values import body_of_form, shown_faults, typed_of
from routes.command_bodies import BODIES, read_draft


def body(name: str, *typed: tuple[str, str]) -> Any:
    """The JSON body of a form with these fields."""
    return json.loads(body_of_form(name, FormData(list(typed))))


@pytest.mark.parametrize("name", BY_NAME)
def test_a_form_has_every_field_of_its_command(name: str) -> None:
    shown = command_form(name)
    assert {each.name for each in shown.inputs} == set(BODIES[name].model_fields)
    for each in shown.inputs:
        assert each.required == (BODIES[name].model_fields[each.name].is_required()), each.name
        assert not any("a" <= letter <= "z" for letter in each.label), f"no word for {each.name}"
        for part in each.parts:
            assert part.name.startswith(f"{each.name}.")
            assert not part.required, "a group may be left out as a whole"


@pytest.mark.parametrize("name", BY_NAME)
def test_an_empty_form_lacks_what_is_required_and_nothing_else(name: str) -> None:
    shown = command_form(name)
    empty = [(each.name, "") for each in shown.inputs]
    assert body(name, *empty) == {}
    faults = read_draft(name, body_of_form(name, FormData(empty))).faults
    assert faults == {each.name: "missing" for each in shown.inputs if each.required}


def test_values_become_what_the_api_takes() -> None:
    assert body("revisit", ("reached", "yes"), ("resolved", "no"), ("rating", "4")) == {
        "reached": True,
        "resolved": False,
        "rating": 4,
    }
    assert body("request_extension", ("working_days", " 3 ")) == {"working_days": 3}
    assert body("convene", ("co_units", "social"), ("co_units", "civil"), ("at", "2026-11-22 9:30")) == {
        "co_units": ["social", "civil"],
        "at": "2026-11-22T09:30:00+08:00",
    }
    assert body("triage", ("guidance.unit", "居委会"), ("one_time_notice.window", "")) == {
        "guidance": {"unit": "居委会"}
    }


def test_line_breaks_are_those_that_were_typed() -> None:
    assert body("progress", ("text", "一\r\n二")) == {"text": "一\n二"}


@pytest.mark.parametrize(
    ("name", "field", "typed", "words"),
    [
        ("convene", "at", "明天", "请按 2026-11-22 09:30 的格式填写"),
        ("convene", "at", "2026-13-40 09:30", "请按 2026-11-22 09:30 的格式填写"),
        ("set_limit", "due_on", "11/22", "请按 2026-11-22 的格式填写"),
        ("request_extension", "working_days", "三", "应为整数"),
        ("check_reply", "accept", "maybe", "请选择一项"),
        ("inform", "means", "pigeon", "不在可选范围内"),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_its_field(name: str, field: str, typed: str, words: str) -> None:
    sent = FormData([(field, typed)])
    shown = command_form(name)
    faults = shown_faults(shown, read_draft(name, body_of_form(name, sent)).faults)
    assert faults[field] == words
    assert typed_of(name, sent)[field] == typed


def test_only_what_the_case_allows_is_offered() -> None:
    choices = Choices(
        units=(("civil", "民政局"), ("market", "市场监管局")),
        halls=(("chengzhong", "城中"), ("guilin", "桂林")),
        orders=(("2", "2 号"),),
        unit="market",
        hall="guilin",
    )

    def offered(name: str, field: str) -> Input:
        return next(each for each in command_form(name, choices).inputs if each.name == field)

    assert offered("reassign", "unit").options == (("civil", "民政局"),)
    assert offered("transfer", "hall").options == (("chengzhong", "城中"),)
    assert [value for value, _ in offered("reclassify", "kind").options] == ["simple", "commitment"]
    assert offered("answer_order", "order").default == "2"
