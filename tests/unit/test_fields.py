"""What may stand in a field, whatever route it comes by."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from casework.moments import shown_facts
from casework.petitioners import masked
from models.petitioner import PetitionerDetails
from routes.command_bodies import BODIES, read_draft
from routes.fields import Day, IdNumber, LongText, Moment, Name, PeriodEnd, PeriodStart, Phone, Text, Uscc
from rules.case.commands import COMMANDS


def fault_of(kind: Any, value: Any) -> str | None:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        return str(error.errors()[0]["type"])
    return None


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        (Text, "好", None),
        (Text, "第一行\n\t第二行\r\n", None),
        (Text, "👨‍👩‍👧 一家三口", None),
        (Text, "", "string_too_short"),
        (Text, " \n\t ", "string_too_short"),
        (Text, "\u200b\u200d", "blank"),
        (Text, "字" * 2000, None),
        (Text, "  " + "字" * 2000 + "  ", None),
        (Text, "字" * 2001, "string_too_long"),
        (LongText, "字" * 4000, None),
        (LongText, "字" * 4001, "string_too_long"),
        (Name, "字" * 100, None),
        (Name, "字" * 101, "string_too_long"),
        (Text, "a\x00b", "control_characters"),
        (Text, "\x00", "control_characters"),
        (Text, "a\x0bb", "control_characters"),
        (Text, "a\x1f", "control_characters"),
        (Text, "a\x7f", "control_characters"),
        (Text, "a\x85", "control_characters"),
        (Text, "a\x9fb", "control_characters"),
        *((Text, f"a{chr(mark)}b", "control_characters") for mark in range(0x202A, 0x202F)),
        *((Text, f"a{chr(mark)}b", "control_characters") for mark in range(0x2066, 0x206A)),
        (Text, "a\u2029b", None),
        (Text, 12, "string_type"),
        (Text, None, "string_type"),
        (Text, ["a"], "string_type"),
        (Phone, "13800130001", None),
        (Phone, " 13800130001 ", None),
        (Phone, "0773-2800000", None),
        (Phone, "07732800000", None),
        (Phone, "010-12345678", None),
        (Phone, "12800130001", "string_pattern_mismatch"),
        (Phone, "1", "string_pattern_mismatch"),  # not "empty", which it is not
        (Phone, "1380013000", "string_pattern_mismatch"),
        (Phone, "138001300011", "string_pattern_mismatch"),
        (Phone, "１３800130001", "string_pattern_mismatch"),
        (Phone, "12345", "string_pattern_mismatch"),
        (Phone, "+8613800130001", "string_pattern_mismatch"),
        (Phone, "2800000", "string_pattern_mismatch"),
        (IdNumber, "11010519491231002x", None),
        (IdNumber, "110105194912310021", "bad_check_digit"),
        (Uscc, "91350100M000100Y43", None),
        (Uscc, "91350100M000100Y44", "bad_check_digit"),
        (Day, "2026-03-09", None),
        (Day, "2026-02-29", "date_parsing"),
        (Day, "2026-3-9", "date_parsing"),
        (Day, "20260309", "date_parsing"),
        (Day, "2026-03-09T00:00:00", "date_parsing"),
        (Day, "1772985600", "date_parsing"),
        (Day, 1772985600, "date_type"),
        (Day, "1999-12-31", "out_of_range"),
        (Day, "2100-01-01", "out_of_range"),
        (Moment, "2026-03-09T10:00:00+08:00", None),
        (Moment, "2026-03-09T10:00:00Z", None),
        (Moment, "2026-03-09T10:00:00", "timezone_aware"),
        (Moment, "2026-03-09", "timezone_aware"),
        (Moment, "0001-01-01T00:00:00+14:00", "out_of_range"),
        (Moment, "9999-12-31T23:59:59-12:00", "out_of_range"),
        (Moment, "morgen", "datetime_parsing"),
        (Moment, 0, "datetime_type"),
    ],
)
def test_fields(kind: Any, value: Any, fault: str | None) -> None:
    assert fault_of(kind, value) == fault


def test_a_text_is_kept_as_typed_but_for_its_ends() -> None:
    assert TypeAdapter(Text).validate_python(" \n 一  二\r\n三 \t") == "一  二\r\n三"


@pytest.mark.parametrize(
    ("kind", "typed", "instant"),
    [
        (PeriodStart, "2026-03-09", "2026-03-08T16:00:00+00:00"),
        (PeriodEnd, "2026-03-09", "2026-03-09T16:00:00+00:00"),
        (PeriodStart, "2026-03-09T10:00:00+08:00", "2026-03-09T02:00:00+00:00"),
        (PeriodEnd, "2026-03-09T10:00:00 08:00", "2026-03-09T02:00:00+00:00"),
    ],
)
def test_a_day_as_the_end_of_a_period_counts_whole(kind: Any, typed: str, instant: str) -> None:
    read: datetime = TypeAdapter(kind).validate_python(typed)
    assert read.astimezone(UTC).isoformat() == instant


def test_there_is_a_body_for_every_command_that_a_user_may_send() -> None:
    assert set(COMMANDS) - set(BODIES) == {"register", "calendar_changed", "rate", "object", "attach"}
    for name, body in BODIES.items():
        assert "note" in body.model_fields, name


def test_a_client_cannot_send_what_casework_looks_up() -> None:
    faults = read_draft("merge", b'{"into": "x", "reason": "r", "into_open": true}').faults
    assert faults == {"into_open": "extra_forbidden"}


def test_what_is_sound_of_a_faulty_body_is_handed_on() -> None:
    draft = read_draft("triage", b'{"kind": "simple", "unit": "nowhere", "matter": 5, "cause": "no"}')
    assert draft.body == {"kind": "simple", "unit": "nowhere"}
    assert draft.faults == {"matter": "string_type", "cause": "enum"}


@pytest.mark.parametrize("raw", [b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000, b'{"reason": NaN}'])
def test_what_is_no_object_has_a_fault(raw: bytes) -> None:
    assert read_draft("withdraw", raw).faults


@pytest.mark.parametrize("sent", [["身份证", " 户口簿 "], "身份证、户口簿"])
def test_materials_come_as_a_text_or_as_a_list(sent: Any) -> None:
    notice = {"materials": sent, "window": "3", "person": "李某", "contact": "12345"}
    body = BODIES["triage"].model_validate({"one_time_notice": notice, "kind": "simple"}, strict=False)
    assert body.model_dump()["one_time_notice"]["materials"] == "身份证、户口簿"


@pytest.mark.parametrize(
    ("details", "name", "phone", "id_number", "uscc"),
    [
        (PetitionerDetails("person", "张三", "13800130001"), "张*", "138********", None, None),
        (PetitionerDetails("person", "欧阳小明", "0773-2800000"), "欧*", "077********", None, None),
        (
            PetitionerDetails("person", "张", "13800130001", "11010519491231002X"),
            "张*",
            "138********",
            "1****************X",
            None,
        ),
        (
            PetitionerDetails("enterprise", "某公司", "13800130001", None, "91350100M000100Y43"),
            "某*",
            "138********",
            None,
            "9****************3",
        ),
    ],
)
def test_a_petitioner_is_shown_masked(
    details: PetitionerDetails, name: str, phone: str, id_number: str | None, uscc: str | None
) -> None:
    shown = masked(details)
    assert (shown["name"], shown["phone"]) == (name, phone)
    assert (shown["id_number"], shown["uscc"]) == (id_number, uscc)


def test_instants_among_facts_are_shown_on_the_clock_of_shanghai() -> None:
    facts = {"due_at": "2026-03-09T02:00:00Z", "list": [{"at": "2026-03-09T02:00:00.5+00:00"}], "days": 3}
    assert shown_facts(facts) == {
        "due_at": "2026-03-09T10:00:00+08:00",
        "list": [{"at": "2026-03-09T10:00:00.500000+08:00"}],
        "days": 3,
    }
