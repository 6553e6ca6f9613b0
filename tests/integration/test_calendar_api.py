"""Calendars over the API: due times, notices of the country and of a hall, and what they must hold."""

import json
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlmodel import col, select

from models.calendar_source import notice_in_force
from models.terms import CalendarYear
from tests.support.office import Office, faults, freeze, slug
from tests.support.shell import at

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "calendar_vectors.json").read_text())
NOTICE: dict[str, Any] = {
    "off": ["2037-01-01", "2037-02-16", "2037-02-17", "2037-02-18", "2037-10-01", "2037-10-02"],
    "work": ["2037-02-14", "2037-02-28"],
    "source": "关于2037年部分节假日安排的通知",
}


async def put(office: Office, body: dict[str, Any], path: str = "2037", **params: Any) -> Response:
    return await office.call("PUT", f"calendar/{path}", "admin", json=body, params=params)


async def due(office: Office, start: str, hall: str = "guilin", **amount: Any) -> dict[str, Any]:
    answer = await office.get("calendar/due", "guilin.clerk", hall=hall, start=start, **amount)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def shanghai(text: str) -> str:
    return f"{text.replace(' ', 'T')}:00+08:00"


async def test_due_times_agree_with_the_worked_examples(sqlite_office: Office) -> None:
    for row in VECTORS["day_vectors"]:
        found = await due(sqlite_office, shanghai(row["start"]), working_days=row["workdays"])
        assert (found["due_at"], found["provisional"]) == (shanghai(row["due_literal"]), False), row
    for row in VECTORS["hour_vectors"]:
        found = await due(sqlite_office, shanghai(row["start"]), working_hours=row["work_hours"])
        assert found["due_at"] == shanghai(row["due"]), row


async def test_hours_may_be_decimal_and_the_start_of_any_zone(sqlite_office: Office) -> None:
    found = await due(sqlite_office, "2026-03-09T03:45:00Z", working_hours="0.5")
    assert found["due_at"] == "2026-03-09T13:45:00+08:00"
    # An unquoted plus sign arrives as a space.
    url = "calendar/due?hall=guilin&start=2026-03-09T11:45:00+08:00&working_hours=0.25"
    answer = await sqlite_office.call("GET", url, "admin")
    assert answer.json()["due_at"] == "2026-03-09T12:00:00+08:00"


async def test_the_longest_limits_reach_into_provisional_years(sqlite_office: Office) -> None:
    far = await due(sqlite_office, "2026-12-31T15:00:00+08:00", working_days=400)
    assert (far["due_at"][:4], far["provisional"]) == ("2028", True)
    assert (await due(sqlite_office, "2037-03-02T09:00:00+08:00", working_hours=400))["provisional"] is True


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {"hall": "missing", "start": "missing"}),
        ({"hall": "nowhere"}, {"hall": "unknown_hall"}),
        ({"hall": "gui\0lin"}, {"hall": "unknown_hall"}),
        ({"start": "2026-03-09T10:00:00"}, {"start": "timezone_aware"}),
        ({"start": "2026-03-09"}, {"start": "timezone_aware"}),
        ({"start": "1770000000"}, {"start": "datetime_parsing"}),
        ({"start": "2099-01-01T10:00:00Z"}, {"start": "out_of_range"}),
        ({"start": "0001-01-01T00:00:00+14:00"}, {"start": "out_of_range"}),
        ({"working_days": "0"}, {"working_days": "greater_than_equal"}),
        ({"working_days": "401"}, {"working_days": "less_than_equal"}),
        ({"working_days": "2.5"}, {"working_days": "int_parsing"}),
        (
            {"working_days": "3", "working_hours": "3"},
            {"working_days": "one_of_two", "working_hours": "one_of_two"},
        ),
        ({"working_days": None}, {"working_days": "one_of_two", "working_hours": "one_of_two"}),
        ({"working_days": None, "working_hours": "0"}, {"working_hours": "greater_than"}),
        ({"working_days": None, "working_hours": "400.01"}, {"working_hours": "less_than_equal"}),
        ({"working_days": None, "working_hours": "NaN"}, {"working_hours": "finite_number"}),
    ],
)
async def test_a_bad_question_names_every_parameter(
    sqlite_office: Office, params: dict[str, Any], expected: dict[str, str]
) -> None:
    whole = {"hall": "guilin", "start": "2026-03-09T10:00:00+08:00", "working_days": "3"} if params else {}
    asked = {name: value for name, value in (whole | params).items() if value is not None}
    assert faults(await sqlite_office.get("calendar/due", "guilin.clerk", **asked)) == expected


async def test_a_year_without_notice_is_provisional_until_one_is_loaded(office: Office) -> None:
    before = (await office.get("calendar/2037", "guilin.clerk")).json()
    assert before["provisional"] is True and before["source"] == notice_in_force(2037, {})[0].source
    assert "2037-06-18" in before["off"] and before["work"] == []
    start = "2037-02-13T10:00:00+08:00"
    guessed = await due(office, start, working_days=3)
    assert (guessed["due_at"], guessed["provisional"]) == ("2037-02-20T17:30:00+08:00", True)

    answer = await put(office, NOTICE)
    assert (answer.status_code, answer.json()["open_cases"]) == (202, 0)
    after = (await office.get("calendar/2037", "guilin.clerk")).json()
    assert {name: after[name] for name in NOTICE} == NOTICE
    assert after["provisional"] is False
    assert after["version"] == answer.json()["version"] != before["version"]
    known = await due(office, start, working_days=3)
    assert (known["due_at"], known["provisional"]) == ("2037-02-20T17:30:00+08:00", False)
    assert (await due(office, start, working_days=1))["due_at"] == "2037-02-14T17:30:00+08:00"


async def test_the_version_of_a_notice_is_that_of_todays_due_times(office: Office) -> None:
    freeze(office.services.clock, at("03-02 09:00"))
    version = (await put(office, NOTICE)).json()["version"]
    found = await due(office, "2037-03-02T09:00:00+08:00", working_days=3)
    assert found["calendar_version"] == version


async def test_a_notice_replaces_the_whole_year_and_the_old_one_stays_on_file(office: Office) -> None:
    first = (await put(office, NOTICE)).json()
    assert (await put(office, NOTICE)).json() == first
    second = (await put(office, NOTICE | {"off": ["2037-01-01"]})).json()
    assert second["version"] != first["version"]
    assert (await office.get("calendar/2037", "admin")).json()["off"] == ["2037-01-01"]
    assert (await put(office, NOTICE)).json() == first
    async with office.services.database.read() as session:
        rows = (await session.exec(select(CalendarYear).order_by(col(CalendarYear.id)))).all()
    assert [(row.version, len(row.off), row.loaded_by) for row in rows] == [
        (1, 6, "admin"),
        (2, 1, "admin"),
        (3, 6, "admin"),
    ]


async def test_a_halls_own_days_come_on_top_and_leave_other_halls_alone(office: Office) -> None:
    # 三月三, and a make-up Saturday before it; the hall works on May Day.
    own = {"off": ["2037-04-20"], "work": ["2037-04-18", "2037-05-01"], "source": "广西三月三"}
    assert (await put(office, own, hall="guilin")).status_code == 202
    start = "2037-04-17T10:00:00+08:00"
    assert (await due(office, start, working_days=2))["due_at"] == "2037-04-21T17:30:00+08:00"
    assert (await due(office, start, "chengzhong", working_days=2))["due_at"] == "2037-04-21T17:30:00+08:00"
    assert (await due(office, start, working_days=1))["due_at"] == "2037-04-18T17:30:00+08:00"
    assert (await due(office, start, "chengzhong", working_days=1))["due_at"] == "2037-04-20T17:30:00+08:00"
    may = "2037-04-30T10:00:00+08:00"
    assert (await due(office, may, working_days=1))["due_at"] == "2037-05-01T17:30:00+08:00"
    assert (await due(office, may, "chengzhong", working_days=1))["due_at"] == "2037-05-04T17:30:00+08:00"
    # The country's year is provisional still, and says nothing of the hall's days.
    assert (await due(office, may, working_days=1))["provisional"] is True
    assert "2037-04-20" not in (await office.get("calendar/2037", "admin")).json()["off"]
    mine = (await office.get("calendar/2037", "guilin.clerk", hall="guilin")).json()
    assert (mine["off"], mine["work"]) == (["2037-04-20"], ["2037-04-18", "2037-05-01"])
    none = (await office.get("calendar/2037", "guilin.clerk", hall="chengzhong")).json()
    assert (none["off"], none["work"], none["source"]) == ([], [], "")


ALL_DAYS = [
    f"2037-{month:02d}-{day:02d}"
    for month, days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for day in range(1, days + 1)
]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"off": ["2036-05-01"], "work": ["2038-01-02"]}, {"off": "not_this_year", "work": "not_this_year"}),
        ({"work": ["2037-03-02"]}, {"work": "not_a_weekend"}),
        ({"off": ["2037-02-14"]}, {"off": "off_and_work", "work": "off_and_work"}),
        (
            {"off": ["2037-02-14", "2036-05-01"]},
            {"off": "not_this_year", "work": "off_and_work"},
        ),
        ({"off": ALL_DAYS, "work": []}, {"off": "no_working_day_left"}),
        ({"off": ["2037-02-29"]}, {"off.0": "date_parsing"}),
        (
            {"off": ["2037-2-1", 20370201, "2037-02-01T00:00:00Z"]},
            {"off.0": "date_parsing", "off.1": "date_type", "off.2": "date_parsing"},
        ),
        ({"off": ["2037-01-01"] * 401}, {"off": "too_long"}),
        ({"off": None, "source": ""}, {"off": "list_type", "source": "string_too_short"}),
        ({"source": "\u2066x"}, {"source": "control_characters"}),
        ({"source": "x" * 2001, "year": 2037}, {"source": "string_too_long", "year": "extra_forbidden"}),
    ],
)
async def test_a_bad_notice_names_every_field_and_nothing_is_written(
    sqlite_office: Office, changed: dict[str, Any], expected: dict[str, str]
) -> None:
    assert faults(await put(sqlite_office, NOTICE | changed)) == expected
    assert faults(await put(sqlite_office, NOTICE | changed, dry_run=True)) == expected
    assert (await sqlite_office.get("calendar/2037", "admin")).json()["provisional"] is True


async def test_a_notice_may_swap_days_of_the_december_before(sqlite_office: Office) -> None:
    """As the notices for 2007 and 2012 did."""
    body = NOTICE | {"work": ["2036-12-27"], "off": ["2037-01-01", "2037-01-02"]}
    assert (await put(sqlite_office, body)).status_code == 202
    found = await due(sqlite_office, "2036-12-26T10:00:00+08:00", working_days=1)
    assert found["due_at"] == "2036-12-27T17:30:00+08:00"


async def test_only_the_admin_loads_a_notice(sqlite_office: Office) -> None:
    for username in ("guilin.lead", "guilin.supervisor", "auditor", "superior"):
        answer = await sqlite_office.call("PUT", "calendar/2037", username, json=NOTICE)
        assert slug(answer) == (403, "forbidden")


@pytest.mark.parametrize("year", ["2003", "2100", "x", "99999999999999999999"])
async def test_a_year_out_of_reach_is_refused(sqlite_office: Office, year: str) -> None:
    assert set(faults(await sqlite_office.get(f"calendar/{year}", "admin"))) == {"year"}
    assert set(faults(await put(sqlite_office, NOTICE, year))) == {"year"}


async def test_a_hall_that_is_none_is_not_found(sqlite_office: Office) -> None:
    for hall in ("nowhere", "", "gui\0lin", "ｇｕｉｌｉｎ"):
        answer = await sqlite_office.get("calendar/2037", "admin", hall=hall)
        assert slug(answer) == (404, "not-found"), hall
        assert slug(await put(sqlite_office, NOTICE, hall=hall)) == (404, "not-found")
