"""Figures over whole databases: equal to what is counted by hand, scoped, and shown as the contract says."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from casework.figures import Asked, read_figures
from casework.viewer import Viewer
from models.database import Database
from models.migrate import upgrade
from rules.case.vocabulary import Role
from tests.support import counting
from tests.support.books import furnish
from tests.support.cases import Story, t
from tests.support.figuring import keep, wander
from tests.support.house import KEYRING
from tests.support.office import SetClock, services_at
from tests.support.postgres import Databases

AUDITOR = Viewer("auditor", "审计", Role.AUDITOR)
START, END = t("2025-12-01 00:00"), t("2026-07-01 00:00")
PHONES = ("13800130001", "13800130002", "13800130003")
MATTERS = ("食品经营许可证变更", "食品经营 许可证变更", "社保卡激活")
MakeUrl = Callable[[], str]


@pytest.fixture(scope="module")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with tables and halls, to be copied."""
    path = tmp_path_factory.mktemp("figures") / "empty.db"
    asyncio.run(_prepare(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="module")
def empty_postgres(postgres_databases: Databases) -> str:
    """The name of a PostgreSQL database with tables and halls, to be copied."""
    url = postgres_databases.create_database()
    asyncio.run(_prepare(url))
    return str(make_url(url).database)


async def _prepare(url: str) -> None:
    await upgrade(url)
    database = Database(url)
    await furnish(database)
    await database.close()


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


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_figures_are_what_is_counted_by_hand(make_url_of: MakeUrl, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    stories = sorted((wander(random, 14) for _ in range(24)), key=lambda s: s.state.received_at)
    phones = [random.choice(PHONES) for _ in stories]
    matters = [random.choice(MATTERS) for _ in stories]
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
        await keep(services.database, KEYRING, stories, phones, matters)
        middle = START + (END - START) / 2
        for asked in (Asked(START, END), Asked(START, middle), Asked(middle, END, hall="guilin")):
            found = await read_figures(services, AUDITOR, asked)
            _check(found, asked, stories, phones, matters, now)
    finally:
        await services.database.close()


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
            and matters[j].replace(" ", "") == matters[i].replace(" ", "")
            and (case.received_at - stories[j].state.received_at).total_seconds() <= 90 * 86400
            for j in range(i)
        )
    names = ("registered", "consulted", "out_of_scope", "merged", "repeated")
    assert tuple(found[name] for name in names) == (registered, consulted, outside, merged, repeated)
    assert found["repeat_rate"] == counting.ratio(repeated, registered)


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
