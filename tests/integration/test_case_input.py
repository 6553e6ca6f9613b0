"""Bad input gets 422 naming every bad field, never 500, and nothing is written."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.calendar import SHANGHAI
from tests.integration.test_case_refusals import counted
from tests.support.house import NOTICE, House, form, triage

BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
MEGABYTE = "字" * 1_000_000


def today(offset: int = 0) -> str:
    return (datetime.now(SHANGHAI).date() + timedelta(days=offset)).isoformat()


def petitioner(**changed: Any) -> dict[str, Any]:
    return {"kind": "person", "name": "周小明", "phone": "13800130001"} | changed


def attempt(**changed: Any) -> dict[str, Any]:
    return {"channel": "offline", "on": "2026-03-02", "where": "2 号窗口", "said": "不行"} | changed


FILINGS: list[tuple[str, Any, set[str]]] = [
    ("no object", [], {"body"}),
    ("a text", "x", {"body"}),
    ("nothing", {}, {"hall", "channel", "petitioner", "matter", "problem"}),
    ("unknown fields", form(status="closed", id="x"), {"status", "id"}),
    ("an unknown hall", form(hall="nowhere"), {"hall"}),
    ("a hall that is a number", form(hall=1), {"hall"}),
    ("an unknown channel", form(channel="fax"), {"channel"}),
    ("an unknown cause", form(cause="bad luck"), {"cause"}),
    ("numbers for texts", form(matter=1, problem=2.5), {"matter", "problem"}),
    ("empty texts", form(matter="", problem=" \n "), {"matter", "problem"}),
    ("a megabyte", form(matter=MEGABYTE, problem=MEGABYTE), {"matter", "problem"}),
    ("too long", form(problem="字" * 4001, matter="字" * 2001), {"problem", "matter"}),
    ("NUL", form(problem="a\x00b"), {"problem"}),
    ("control characters", form(problem="a\x07b", matter="\x1b[31m"), {"problem", "matter"}),
    *((f"bidi {mark:x}", form(matter=f"a{chr(mark)}b"), {"matter"}) for mark in BIDI),
    ("no petitioner", form(petitioner=[]), {"petitioner"}),
    (
        "a bare petitioner",
        form(petitioner={}),
        {"petitioner.kind", "petitioner.name", "petitioner.phone"},
    ),
    (
        "an unknown petitioner",
        form(petitioner=petitioner(kind="ghost", age=3)),
        {"petitioner.kind", "petitioner.age"},
    ),
    ("a phone too short", form(petitioner=petitioner(phone="1380013000")), {"petitioner.phone"}),
    ("a service number", form(petitioner=petitioner(phone="12345")), {"petitioner.phone"}),
    ("a phone as a number", form(petitioner=petitioner(phone=13800130001)), {"petitioner.phone"}),
    ("a name of 101", form(petitioner=petitioner(name="字" * 101)), {"petitioner.name"}),
    (
        "a bad check digit",
        form(petitioner=petitioner(id_number="110105194912310021")),
        {"petitioner.id_number"},
    ),
    (
        "a bad USCC",
        form(petitioner=petitioner(kind="enterprise", uscc="91350100M000100Y44")),
        {"petitioner.uscc"},
    ),
    (
        "several bad attempts",
        form(attempts=[attempt(), attempt(on="never", said=""), attempt(on=today(400), where=1)]),
        {"attempts.1.on", "attempts.1.said", "attempts.2.on", "attempts.2.where"},
    ),
    ("attempts that are none", form(attempts={}), {"attempts"}),
    ("fifty-one attempts", form(attempts=[attempt()] * 51), {"attempts"}),
    ("an attempt of 1900", form(attempts=[attempt(on="1900-01-01")]), {"attempts.0.on"}),
    (
        "all at once",
        form(hall="x", channel=1, matter="\x00", petitioner=petitioner(phone="x", name=""), z=1),
        {"hall", "channel", "matter", "petitioner.phone", "petitioner.name", "z"},
    ),
]


@pytest.fixture
async def open_case(sqlite_house: House) -> dict[str, Any]:
    return await sqlite_house.file()


def fields(answer: Any) -> set[str]:
    return {fault["field"] for fault in answer.json()["errors"]}


async def test_a_bad_filing_names_every_bad_field(house: House) -> None:
    before = await counted(house)
    # Made here and not at the collection: tomorrow may have begun since.
    tomorrow = ("an attempt to come", form(attempts=[attempt(on=today(1))]), {"attempts.0.on"})
    for why, body, bad in (*FILINGS, tomorrow):
        answer = await house.post("cases", body)
        assert answer.status_code == 422, why
        assert fields(answer) == bad, why
        assert answer.json()["type"] == "invalid-input"
        assert all(fault["detail"] and fault["code"] for fault in answer.json()["errors"])
    assert await counted(house) == before


async def test_a_filing_for_another_hall_is_beyond_a_clerks_scope(sqlite_house: House) -> None:
    """Scope is 403, and comes before whatever else is wrong; a hall that is none is bad input."""
    for body in (form(hall="chengzhong"), form(hall="chengzhong", problem="", z=1)):
        answer = await sqlite_house.post("cases", body)
        assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    answer = await sqlite_house.post("cases", form(hall="nowhere"))
    assert [fault["code"] for fault in answer.json()["errors"]] == ["unknown_hall"]


UNREADABLE: list[bytes] = [
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b'{"matter": NaN}',
    b'{"matter": "\\ud800"}',
    b"[" * 50_000,
    b'{"a":' * 50_000,
    json.dumps(form())[:-1].encode(),
    json.dumps(form(), ensure_ascii=False).encode("gb18030"),
]


async def test_what_cannot_be_read_is_422(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    command = f"/api/cases/{case['id']}/withdraw"
    for raw in UNREADABLE:
        for path in ("/api/cases", "/api/public/track", "/api/public/rate", command):
            answer = await sqlite_house.request("POST", path, content=raw)
            assert answer.status_code == 422, (path, raw[:50])


async def test_a_body_far_too_large_is_not_even_read(sqlite_house: House) -> None:
    raw = b'{"problem": "' + b"x" * 9_000_000 + b'"}'
    answer = await sqlite_house.request("POST", "/api/cases", content=raw)
    assert answer.status_code == 413


COMMANDS: list[tuple[str, str, dict[str, Any], set[str]]] = [
    ("triage", "guilin.clerk", {}, {"kind"}),
    ("triage", "guilin.clerk", {"kind": "simple"}, {"cause", "unit", "one_time_notice"}),
    ("triage", "guilin.clerk", {"kind": "consultation"}, {"answer"}),
    ("triage", "guilin.clerk", {"kind": "out_of_scope"}, {"guidance"}),
    (
        "triage",
        "guilin.clerk",
        {"kind": "out_of_scope", "guidance": {"unit": "", "phone": "12", "x": 1}},
        {"guidance.unit", "guidance.address", "guidance.phone", "guidance.x"},
    ),
    ("triage", "guilin.clerk", triage(unit="fire"), {"unit"}),
    ("triage", "guilin.clerk", triage(unit="lingui"), {"unit"}),
    ("triage", "guilin.clerk", triage(unit="fire", matter="\x00", surplus=1), {"unit", "matter", "surplus"}),
    ("triage", "guilin.clerk", triage(unit=None, matter=5), {"unit", "matter"}),
    ("triage", "guilin.clerk", triage(note=MEGABYTE), {"note"}),
    ("triage", "guilin.clerk", triage(kind=["simple"]), {"kind"}),
    (
        "triage",
        "guilin.clerk",
        triage(one_time_notice=NOTICE | {"materials": []}),
        {"one_time_notice.materials"},
    ),
    (
        "triage",
        "guilin.clerk",
        triage(one_time_notice=NOTICE | {"materials": ["身份证", "\u202e"], "contact": "x"}),
        {"one_time_notice.materials", "one_time_notice.contact"},
    ),
    ("transfer", "guilin.lead", {"hall": "nowhere", "reason": "r"}, {"hall"}),
    ("transfer", "guilin.lead", {"hall": "guilin", "reason": "r"}, {"hall"}),
    ("transfer", "guilin.lead", {"hall": "guilin", "reason": ""}, {"hall", "reason"}),
    ("merge", "guilin.lead", {"into": "guilin-20260101-0001", "reason": "r"}, {"into"}),
    ("merge", "guilin.lead", {"into": "\x00", "reason": ""}, {"into", "reason"}),
    ("merge", "guilin.lead", {"into": "x", "reason": "r", "into_open": True}, {"into", "into_open"}),
    ("withdraw", "guilin.lead", {"reason": True}, {"reason"}),
    ("withdraw", "guilin.lead", {"reason": " ", "note": None, "more": []}, {"reason", "more"}),
]


async def test_a_bad_command_names_every_bad_field(house: House) -> None:
    case = await house.file()
    before = await counted(house)
    for name, by, body, bad in COMMANDS:
        answer = await house.post(f"cases/{case['id']}/{name}", body, by=by)
        assert answer.status_code == 422, (name, answer.text[:300])
        assert fields(answer) == bad, (name, str(body)[:200])
    assert await counted(house) == before


CONTACT, LEADER = "guilin.market.contact", "guilin.market.leader"
LEAD, SUPERVISOR = "guilin.lead", "guilin.supervisor"
MEETING = {"at": "2030-03-11T09:00:00+08:00", "place": "p"}
LOCAL = "2030-03-11T09:00:00"  # of no time zone
UPWARD = {"to": "市", "reason": "r"}

WORKING: list[tuple[str, str, dict[str, Any], set[str]]] = [
    ("reply", CONTACT, {"text": "办结", "resolved": "true"}, {"resolved"}),
    ("reply", CONTACT, {"text": 1, "resolved": 1}, {"text", "resolved"}),
    ("reply", CONTACT, {"resolved": None}, {"text", "resolved"}),
    ("inform", "guilin.clerk", {"means": "pigeon", "text": "t"}, {"means"}),
    ("request_extension", LEADER, {"working_days": "3", "reason": "r"}, {"working_days"}),
    ("request_extension", LEADER, {"working_days": 3.0, "reason": "r"}, {"working_days"}),
    ("request_extension", LEADER, {"working_days": True, "reason": "r"}, {"working_days"}),
    ("request_extension", LEADER, {"working_days": 0, "reason": "r"}, {"working_days"}),
    ("request_extension", LEADER, {"working_days": 10**30, "reason": ""}, {"working_days", "reason"}),
    ("refer_up", SUPERVISOR, {**UPWARD, "due_on": today()}, {"due_on"}),
    ("refer_up", SUPERVISOR, {**UPWARD, "due_on": "2020-01-02"}, {"due_on"}),
    ("refer_up", SUPERVISOR, {**UPWARD, "due_on": "2090-01-03"}, {"due_on"}),
    (
        "refer_up",
        SUPERVISOR,
        {"to": "", "reason": "\x00", "due_on": "9999-12-31"},
        {"to", "reason", "due_on"},
    ),
    ("refer_up", SUPERVISOR, {**UPWARD, "due_on": 20260309}, {"due_on"}),
    ("refer_up", SUPERVISOR, {"to": "市", "due_on": "2020-01-01"}, {"reason", "due_on"}),
    ("refer_up", SUPERVISOR, {"to": "市", "reason": "\0", "due_on": "2020-01-01"}, {"reason", "due_on"}),
    (
        "convene",
        LEAD,
        {"co_units": ["market"], "at": "2020-01-01T09:00:00+08:00", "place": ""},
        {"co_units", "at", "place"},
    ),
    ("request_extension", LEADER, {"working_days": 0}, {"working_days", "reason"}),
    ("reclassify", LEAD, {"kind": "complex"}, {"kind", "reason"}),
    ("convene", LEAD, {"co_units": [], **MEETING}, {"co_units"}),
    ("convene", LEAD, {"co_units": ["market"], **MEETING}, {"co_units"}),
    ("convene", LEAD, {"co_units": ["civil", "x"], "at": LOCAL, "place": ""}, {"co_units", "at", "place"}),
    ("convene", LEAD, {"co_units": ["civil", "civil"], **MEETING}, {"co_units"}),
    ("reclassify", LEAD, {"kind": "complex", "reason": "r"}, {"kind"}),
    ("reassign", LEAD, {"unit": "fire", "reason": "r"}, {"unit"}),
    ("coordinate", LEADER, {"text": "t", "to": "mayor"}, {"to"}),
    ("answer_order", LEADER, {"order": 1, "text": ""}, {"order", "text"}),
]


async def test_a_bad_command_on_a_case_at_work_names_every_bad_field(house: House) -> None:
    case = await house.handled(kind="commitment")
    before = await counted(house)
    for name, by, body, bad in WORKING:
        answer = await house.post(f"cases/{case['id']}/{name}", body, by=by)
        assert answer.status_code == 422, (name, answer.text[:300])
        assert fields(answer) == bad, (name, body)
    assert await counted(house) == before


async def test_a_bad_revisit_names_every_bad_field(sqlite_house: House) -> None:
    case = await sqlite_house.told()
    bad_ones: list[tuple[Any, set[str]]] = [
        ({}, {"reached"}),
        ({"reached": True}, {"rating"}),
        ({"reached": True, "rating": 6}, {"rating"}),
        ({"reached": True, "rating": 0}, {"rating"}),
        ({"reached": True, "rating": "5"}, {"rating"}),
        ({"reached": False, "rating": 5}, {"rating"}),
        ({"reached": "yes", "rating": 5, "resolved": "no"}, {"reached", "resolved"}),
    ]
    for body, bad in bad_ones:
        answer = await sqlite_house.post(f"cases/{case['id']}/revisit", body)
        assert (answer.status_code, fields(answer)) == (422, bad), body


@pytest.mark.parametrize(
    "key",
    ["", "x" * 256],
)
async def test_a_key_has_a_length(sqlite_house: House, open_case: dict[str, Any], key: str) -> None:
    answer = await sqlite_house.post("cases", form(), key=key)
    assert answer.status_code == 422
    answer = await sqlite_house.post(f"cases/{open_case['id']}/withdraw", {"reason": "r"}, key=key)
    assert answer.status_code == 422


async def test_texts_are_kept_as_typed_but_for_their_ends(house: House) -> None:
    typed = "  一、材料 =SUM(A1)\r\n\t二、<b>证件</b> 👨‍👩‍👧 '; DROP TABLE cases;--  "
    case = await house.file(problem=typed, matter="=1+1")
    read = (await house.get(f"cases/{case['number']}")).json()
    assert read["problem"] == typed.strip() and read["matter"] == "=1+1"


NO_REFERENCES: list[str] = ["%00", "a%00b", "..%2f..", "%F0%9F%98%80", "x" * 300, "'--", "%2e%2e", " "]


async def test_any_reference_that_is_none_is_404(house: House) -> None:
    for ref in NO_REFERENCES:
        for method, path in (
            ("GET", f"/api/cases/{ref}"),
            ("GET", f"/api/cases/{ref}/events"),
            ("POST", f"/api/cases/{ref}/sign"),
            ("GET", f"/api/cases/{ref}/attachments/{ref}"),
        ):
            answer = await house.request(method, path)
            assert answer.status_code == 404, path


BAD_FILTERS: list[tuple[dict[str, str], str]] = [
    ({"status": "lost"}, "status"),
    ({"kind": "odd"}, "kind"),
    ({"light": "blue"}, "light"),
    ({"level": "top"}, "level"),
    ({"unit": "a\x00b"}, "unit"),
    ({"hall": "a\x00b"}, "hall"),
    ({"q": "a\x00b"}, "q"),
    ({"q": "x" * 101}, "q"),
    ({"q": " "}, "q"),
    ({"received_from": "yesterday"}, "received_from"),
    ({"received_to": "2026-02-30"}, "received_to"),
    ({"received_to": "0001-01-01T00:00:00+14:00"}, "received_to"),
    ({"sort": "name"}, "sort"),
    ({"page": "0"}, "page"),
    ({"page": "10000000000000000000000"}, "page"),
    ({"per_page": "201"}, "per_page"),
    ({"per_page": "0"}, "per_page"),
    ({"per_page": "ten"}, "per_page"),
]


async def test_a_bad_filter_is_named(sqlite_house: House) -> None:
    for query, field in BAD_FILTERS:
        answer = await sqlite_house.get("cases", **query)
        assert answer.status_code == 422, query
        assert fields(answer) == {field}, query
