"""Figures over whole databases equal what is counted by hand; the rows that they are counted from."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from copy import copy
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url, select, text, update
from sqlmodel import col
from sqlmodel import select as select_row

from activities.tables import CASES, FACTS
from casework.bottlenecks import clusters
from casework.facts_filling import fill_facts
from casework.figure_rows import Period
from casework.figures import Asked, read_figures
from casework.repeats import repeats_of
from casework.rows import read_rows
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from rules.case.vocabulary import Role
from tests.support import counting
from tests.support.books import make_ready
from tests.support.cases import Story, handled, t, told, triage
from tests.support.figuring import case_id, close_one, go_on, keep, keep_one, wander
from tests.support.house import KEYRING
from tests.support.office import SetClock, services_at
from tests.support.postgres import Databases
from tests.unit.test_worked_cases import case_8, case_9, case_12

AUDITOR = Viewer("auditor", "审计", Role.AUDITOR)
START, END = t("2025-12-01 00:00"), t("2026-07-01 00:00")
PHONES = ("13800130001", "13800130002", "13800130003")
MATTERS = ("食品经营许可证变更", "食品经营 许可证变更", "社保卡激活")
# One matter each, however it is written.
WRITTEN = {
    "食品经营许可证A变更": (
        "食品经营许可证A变更",
        "《食品经营许可证》Ａ变更。",
        " 食品经营许可证 (a) 变更",
        "食品经营许可证ａ——变更",
    ),
    "社保卡激活": ("社保卡激活", "社保卡、激活!", "社保卡　激活"),
    "": ("……", "—"),
}
MATTER_OF = {written: matter for matter, several in WRITTEN.items() for written in several}
MakeUrl = Callable[[], str]


@pytest.fixture(scope="module")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with tables and halls, to be copied."""
    path = tmp_path_factory.mktemp("figures") / "empty.db"
    asyncio.run(make_ready(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="module")
def empty_postgres(postgres_databases: Databases) -> str:
    """The name of a PostgreSQL database with tables and halls, to be copied."""
    url = postgres_databases.create_database()
    asyncio.run(make_ready(url))
    return str(make_url(url).database)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def make_url_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeUrl]:
    """Makes databases with tables and halls and no case, on SQLite or on PostgreSQL."""
    made: list[str] = []
    if request.param == "sqlite":
        source = request.getfixturevalue("empty_sqlite")

        def make() -> str:
            made.append(str(shutil.copy(source, tmp_path / f"{len(made)}.db")))
            return f"sqlite+aiosqlite:///{made[-1]}"

        yield make
        return
    server: Databases = request.getfixturevalue("postgres_databases")
    template = request.getfixturevalue("empty_postgres")

    def make_postgres() -> str:
        made.append(server.create_database(template))
        return made[-1]

    yield make_postgres
    for url in made:
        server.drop_database(url)


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_figures_are_what_is_counted_by_hand(make_url_of: MakeUrl, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    stories = sorted((wander(random, 14) for _ in range(20)), key=lambda s: s.state.received_at)
    phones = [random.choice(PHONES) for _ in stories]
    matters = [random.choice([*MATTER_OF]) for _ in stories]
    now = max(story.clock for story in stories)
    for story in stories:  # what came due by now has fired
        story.catch_up(now)
    asyncio.run(_compare(make_url_of(), tmp_path, stories, phones, matters, now))


async def _compare(
    url: str,
    folder: Path,
    stories: Sequence[Story],
    phones: Sequence[str],
    matters: Sequence[str],
    now: datetime,
) -> None:
    services = services_at(url, folder, clock=SetClock(now))
    try:
        await keep(services.database, KEYRING, [_begun(story) for story in stories], phones, matters)
        await fill_facts(services)  # there are facts of the first halves when the rest is written
        for number, story in enumerate(stories):
            await go_on(services.database, KEYRING, story, number)
        middle = START + (END - START) / 2
        for asked in (Asked(START, END), Asked(START, middle), Asked(middle, END, hall="guilin")):
            found = await read_figures(services, AUDITOR, asked)
            _check(found, asked, stories, phones, matters, now)
            await _check_bottlenecks(services, found, asked, now)
    finally:
        await services.database.close()


def _begun(story: Story) -> Story:
    """The same story, as far as it had come halfway."""
    half, length = copy(story), len(story.events) // 2 or 1
    half.events, half.states = story.events[:length], story.states[:length]
    return half


def _check(
    found: dict[str, Any],
    asked: Asked,
    stories: Sequence[Story],
    phones: Sequence[str],
    matters: Sequence[str],
    now: datetime,
) -> None:
    halls = [s for s in stories if asked.hall in (None, s.state.hall)]
    inside = [s for s in halls if (at := counting.period_of(s.state, now)) and asked.start <= at < asked.end]
    sums = sum((counting.one(story, now) for story in inside), Counter[str]())
    assert {name: found[name] for name in sums} == dict(sums)
    assert found["handled"] == len(inside)
    _check_rates(found, sums)
    _check_intake(found, asked, stories, phones, matters)
    _check_times(found, inside)
    _check_holding(found, inside, now)
    for unit in found["by_unit"]:
        mine = [s for s in inside if (s.state.hall, s.state.unit) == (unit["hall"], unit["unit"])]
        assert unit["handled"] == len(mine)
        assert unit["unit_on_time"] == sum(counting.one(s, now)["unit_on_time"] for s in mine)


def _check_rates(found: dict[str, Any], sums: Counter[str]) -> None:
    n = sums["handled"]
    expected = {
        "on_time_rate": (sums["on_time"], n),
        "unit_on_time_rate": (sums["unit_on_time"], n),
        "on_time_rate_unextended": (sums["on_time_unextended"], n),
        "unit_on_time_rate_unextended": (sums["unit_on_time_unextended"], n),
        "sign_rate": (sums["signed"], sums["dispatches"]),
        "response_rate": (sums["responded"], sums["dispatched"]),
        "solved_rate": (sums["solved"], sums["solved"] + sums["unsolved"]),
        "satisfaction_first": (sums["satisfied_first"], sums["rated_first"]),
        "satisfaction_final": (sums["satisfied_final"], sums["rated_final"]),
        "revisit_rate": (sums["revisited"], sums["told"]),
        "reached_rate": (sums["reached"], sums["revisited"]),
        "return_rate": (sums["returns"], sums["dispatches"]),
        "refused_return_rate": (sums["refused_returns"], sums["dispatches"]),
        "escalation_rate": (sums["escalated"], n),
        "extension_rate": (sums["extended"], n),
        "reopen_rate": (sums["reopened"], n),
        "order_rate": (sums["ordered"], n),
    }
    assert {name: found[name] for name in expected} == {
        name: counting.ratio(*pair) for name, pair in expected.items()
    }


def _check_intake(
    found: dict[str, Any],
    asked: Asked,
    stories: Sequence[Story],
    phones: Sequence[str],
    matters: Sequence[str],
) -> None:
    registered = consulted = outside = merged = repeated = 0
    for i, story in enumerate(stories):
        case = story.state
        if not (asked.start <= case.received_at < asked.end and asked.hall in (None, case.hall)):
            continue
        registered += 1
        consulted += case.kind == "consultation"
        outside += case.kind == "out_of_scope"
        merged += case.outcome == "merged"
        repeated += any(
            phones[j] == phones[i]
            and MATTER_OF[matters[j]] == MATTER_OF[matters[i]] != ""
            and (case.received_at - stories[j].state.received_at).total_seconds() <= 90 * 86400
            for j in range(i)
        )
    names = ("registered", "consulted", "out_of_scope", "merged", "repeated")
    assert tuple(found[name] for name in names) == (registered, consulted, outside, merged, repeated)
    assert found["repeat_rate"] == counting.ratio(repeated, registered)


async def _check_bottlenecks(services: Services, found: dict[str, Any], asked: Asked, now: datetime) -> None:
    """The page of bottlenecks, the marks in lists and the marks on the cases say the same."""
    halls = None if asked.hall is None else frozenset({asked.hall})
    period = Period(asked.start, asked.end, now, halls)
    clustered = await clusters(services, AUDITOR, period)
    assert (clustered.count, clustered.repeats) == (found["registered"], found["repeated"])
    async with services.database.read() as session:
        inside: Any = select_row(Case.id).join(FACTS, FACTS.c.case_id == col(Case.id)).where(period.received)
        listed = await read_rows(services, session, inside, [col(Case.id)], now)
    marked = [(await repeats_of(services, AUDITOR, row.id)) for row in listed]
    assert [each.is_repeat for each in marked] == [row.repeat for row in listed]
    assert [each.earlier is not None for each in marked] == [row.repeat for row in listed]
    assert sum(row.repeat for row in listed) == found["repeated"]


def _check_times(found: dict[str, Any], inside: Sequence[Story]) -> None:
    for name, wanted in (("all", (True, False)), ("usual", (False,)), ("apart", (True,))):
        days, hours = [], []
        for story in inside:
            case = story.state
            replied = [r.replied_at for r in case.rounds if r.told_at]
            if replied and (case.kind == "complex" or case.referred) in wanted:
                end = replied[-1]
                assert end is not None
                days.append(story.calendar.working_days_between(case.received_at, end))
                hours.append(
                    story.calendar.working_hours_between(case.received_at, end) // counting.MINUTE / 60
                )
        shown = found["handling"][name]
        assert shown["cases"] == len(days)
        assert shown["working_days"] == pytest.approx(counting.spread(days), abs=1e-4)
        assert shown["working_hours"] == pytest.approx(counting.spread(hours), abs=1e-2)


def _check_holding(found: dict[str, Any], inside: Sequence[Story], now: datetime) -> None:
    total: Counter[str] = Counter()
    units: Counter[tuple[str, str, str]] = Counter()
    for story in inside:
        held = counting.held_minutes(story.events, story.states, story.calendar, now)
        for (holder, unit), minutes in held.items():
            total[holder] += minutes
            if unit is not None:
                units[story.state.hall, unit, holder] += minutes
    shown = {holder: hours for holder, hours in found["holding"].items() if hours}
    assert shown == {holder: round(minutes / 60, 2) for holder, minutes in total.items() if minutes}
    by_unit = {
        (each["hall"], each["unit"], holder): each["holding"][holder]
        for each in found["by_unit"]
        for holder in ("contact", "deputy_leader")
        if each["holding"][holder]
    }
    assert by_unit == {place: round(minutes / 60, 2) for place, minutes in units.items() if minutes}


# How rows come to be


@pytest.fixture
async def books(make_url_of: MakeUrl, tmp_path: Path) -> AsyncIterator[Services]:
    """Services over a database with tables and halls."""
    services = services_at(make_url_of(), tmp_path)
    yield services
    await services.database.close()


async def rows_of(services: Services) -> list[dict[str, Any]]:
    await fill_facts(services)
    async with services.database.read() as session:
        found = await (await session.connection()).execute(select(FACTS).order_by(FACTS.c.case_id))
        return [dict(row) for row in found.mappings()]


async def test_facts_that_are_made_anew_are_the_same(books: Services) -> None:
    stories = [case_12(), close_one(), handled("03-10 10:00"), case_8(), case_9()]
    await keep(books.database, KEYRING, stories, [PHONES[0]] * 5, [MATTERS[0]] * 5)
    before = await rows_of(books)
    async with books.database.begin() as session:
        await (await session.connection()).execute(text("UPDATE cases SET facts_due = true"))
    assert await fill_facts(books, most=3) == 3
    assert await fill_facts(books, most=3) == 2
    assert await fill_facts(books) == 0
    assert await rows_of(books) == before
    assert [row["handled"] for row in before] == [1, 1, 0, 1, 1]


async def test_a_case_that_somebody_wrote_into_holds_up_no_others(books: Services) -> None:
    await keep(books.database, KEYRING, [close_one(), close_one("03-10 09:20")])
    before = await rows_of(books)
    async with books.database.begin() as session:
        connection = await session.connection()
        await connection.execute(text("UPDATE cases SET facts_due = true"))
        await connection.execute(update(CASES).where(CASES.c.id == case_id(0)).values(state={"round": "?"}))
        await connection.execute(FACTS.delete())
    assert await fill_facts(books) == 2
    assert await rows_of(books) == before[1:]


async def test_an_event_marks_its_case_and_its_facts_follow(books: Services) -> None:
    story = handled("03-09 09:20", "simple", "market")
    await keep(books.database, KEYRING, [story])
    (row,) = await rows_of(books)
    assert row["handled"] == 0
    told(story, "03-10 15:00")
    await go_on(books.database, KEYRING, story, 0)
    (row,) = await rows_of(books)
    assert (row["told"], row["on_time"], row["contact_minutes"]) == (1, 1, 670)


@pytest.mark.parametrize(
    ("second", "phone", "matter", "repeated"),
    [
        ("06-07 09:20", 0, 0, 1),  # the ninetieth day after, to the minute
        ("06-07 09:21", 0, 0, 0),
        ("03-20 09:20", 1, 0, 0),  # somebody else
        ("03-20 09:20", 0, 2, 0),  # something else
        ("03-20 09:20", 0, 1, 1),  # the same but for a space
    ],
)
async def test_the_same_person_with_the_same_matter_within_ninety_days(
    books: Services, second: str, phone: int, matter: int, repeated: int
) -> None:
    stories = [Story("03-09 09:20"), Story(second)]
    await keep(books.database, KEYRING, stories, [PHONES[0], PHONES[phone]], [MATTERS[0], MATTERS[matter]])
    assert [row["repeated"] for row in await rows_of(books)] == [0, repeated]


async def test_a_matter_typed_anew_at_triage_is_compared_anew(books: Services) -> None:
    first = Story("03-09 09:20")
    second = Story("03-10 09:20").give(triage("simple", "market"))
    await keep(books.database, KEYRING, [first, second], [PHONES[0]] * 2, [MATTERS[0], MATTERS[2]])
    assert [row["repeated"] for row in await rows_of(books)] == [0, 0]
    other = Story("03-11 09:20")
    await keep_one(books.database, KEYRING, other, 2, PHONES[0], MATTERS[2])
    other.give(triage("simple", "market"))
    await go_on(books.database, KEYRING, other, 2, {"matter": MATTERS[0]})
    assert [row["repeated"] for row in await rows_of(books)] == [0, 0, 1]
    assert (await rows_of(books))[2]["matter_key"] == (await rows_of(books))[0]["matter_key"]
