"""What a report counts, of which cases: by the ledger as of its cut-off, from stories in both databases."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import col, func, select

from activities.reporting import Made, make_once, report_id_of
from casework.report_making import ReportMaker
from casework.services import Services
from models.database import Database
from models.inbox import Notification
from models.report import Report, ReportCase, ReportFile
from rules.reporting import Due, ReportKind
from tests.support.cases import POLICIES, Story, dispatched, handled, t, told, triage
from tests.support.figuring import case_id, go_on, keep
from tests.support.office import Office

CENTRE = ReportKind.CENTRE_WEEKLY
FIRST = Due(CENTRE, t("03-16 09:00"), t("03-06 17:30"), t("03-13 17:30"))
SECOND = Due(CENTRE, t("03-23 09:00"), t("03-13 17:30"), t("03-20 17:30"))
MONDAY = "03-09 09:20"


async def made(services: Services, *stories: Story, due: Due = FIRST, hall: str = "guilin") -> Made:
    """The report of a week over these stories; nothing is stored of it."""
    await keep(services.database, services.keyring, stories)
    return await ReportMaker(services.database, services.keyring).make(hall, due, due.at)


async def figures(services: Services, *stories: Story, **asked: Any) -> dict[str, Any]:
    return dict((await made(services, *stories, **asked)).report.facts["figures"])


async def stored(services: Services, due: Due, hall: str = "guilin") -> Report:
    """Make a report of this period as it is made when due; return it."""
    maker = ReportMaker(services.database, services.keyring)
    report_id = await make_once(services.database, maker, hall, due, due.at)
    async with services.database.read() as session:
        return await session.get_one(Report, report_id)


# Whose news it is


async def test_a_return_belongs_to_the_unit_that_gave_the_case_back(office: Office) -> None:
    story = dispatched(MONDAY, unit="social").give("return_order", "03-09 10:00")
    story.give("decide_return", "03-09 11:00", unit="market")
    found = await figures(office.services, story)
    assert found["period"] == {"registered": 1, "dispatched": 2, "returns": 1}
    assert found["units"] == {
        "social": {"registered": 1, "dispatched": 1, "returns": 1},
        "market": {"dispatched": 1, "open": 1},
    }


async def test_an_order_before_a_reassignment_stays_with_the_unit_that_got_it(office: Office) -> None:
    story = handled(MONDAY, unit="social").give("order", "03-09 10:00").give("remind", "03-09 10:30")
    story.give("reassign", "03-09 11:00", unit="market").give("remind", "03-09 14:00")
    found = await figures(office.services, story)
    assert found["units"]["social"] == {"registered": 1, "dispatched": 1, "orders": 1, "reminders": 1}
    assert found["units"]["market"] == {"dispatched": 1, "reminders": 1, "open": 1, "orders_open": 1}


async def test_news_of_a_later_week_is_the_later_units(office: Office) -> None:
    story = handled(MONDAY, "commitment", unit="social").give("order", "03-09 10:00")
    story.give("reassign", "03-16 11:00", unit="market").give("order", "03-17 10:00")
    found = await figures(office.services, story, due=SECOND)
    assert found["units"]["market"]["orders"] == 1
    assert "social" not in found["units"]


async def test_the_closing_belongs_to_the_unit_that_handled_it(office: Office) -> None:
    story = told(handled(MONDAY, "simple", "market"), "03-09 15:00")
    story.give("revisit", "03-10 10:00", rating=5)
    found = await figures(office.services, story)
    assert found["units"] == {"market": {"registered": 1, "dispatched": 1, "told": 1, "closed": 1}}
    assert found["outcomes"] == {"solved": 1}


# Rates


def rates(found: dict[str, Any]) -> dict[str, Any]:
    return dict(found["rates"])


async def test_the_rates_are_those_of_the_figures_over_the_cases_of_the_period(office: Office) -> None:
    solved = told(handled(MONDAY, "simple", "market"), "03-09 15:00")
    solved.give("revisit", "03-10 10:00", rating=5)
    late = dispatched(MONDAY, "simple", "social").until("03-13 17:30")
    waiting = handled("03-12 09:00", "commitment", "market").until("03-13 17:30")
    found = rates(await figures(office.services, solved, late, waiting))
    assert found["hall"] == {
        "handled": 2,
        "on_time_rate": [1, 2],
        "solved_rate": [1, 1],
        "satisfaction_final": [1, 1],
        "response_rate": [1, 2],
    }
    assert {unit: (each["handled"], each["on_time_rate"]) for unit, each in found["units"].items()} == {
        "market": (1, [1, 1]),
        "social": (1, [0, 1]),
    }
    page = (await office.get("figures", "auditor", **{"from": "2026-03-07", "to": "2026-03-13"})).json()
    for name, (part, whole) in ((name, each) for name, each in found["hall"].items() if name != "handled"):
        assert page[name] == round(part / whole, 4), name
    assert page["handled"] == 2


async def test_a_week_without_cases_has_rates_without_a_denominator(office: Office) -> None:
    found = rates(await figures(office.services))
    assert found["units"] == {}
    assert found["hall"]["handled"] == 0
    assert all(found["hall"][name] == [0, 0] for name in found["hall"] if name != "handled")


async def test_what_happens_after_the_cut_off_changes_no_rate_of_a_past_period(office: Office) -> None:
    """A case told in the week and rated after it has no rating in its report, also when it is run again."""
    services = office.services
    story = told(handled(MONDAY, "simple", "market"), "03-09 15:00")
    await keep(services.database, services.keyring, [story])
    first = await stored(services, FIRST)
    assert first.facts["figures"]["rates"]["hall"]["satisfaction_final"] == [0, 0]
    story.give("revisit", "03-16 09:30", rating=1, resolved=False)
    await go_on(services.database, services.keyring, story, 0)
    content, _ = await ReportMaker(services.database, services.keyring).again(first)
    assert content.digest == first.digest
    late = await ReportMaker(services.database, services.keyring).make("guilin", FIRST, FIRST.at)
    assert late.report.facts["figures"] == first.facts["figures"]


async def test_a_reply_that_is_accepted_after_the_cut_off_counts_once_in_the_next_report(
    office: Office,
) -> None:
    """It counts in the week in which it was given; that week's report could not know it yet."""
    services = office.services
    story = handled("03-13 09:00", "simple", "market").give("reply", "03-13 16:00")
    await keep(services.database, services.keyring, [story])
    first = await stored(services, FIRST)
    story.give("check_reply", "03-16 10:00")
    await go_on(services.database, services.keyring, story, 0)
    second = await stored(services, SECOND)
    third = Due(CENTRE, t("03-30 09:00"), t("03-20 17:30"), t("03-27 17:30"))
    found = [
        each.facts["figures"]["rates"]["hall"] for each in (first, second, await stored(services, third))
    ]
    assert [(each["handled"], each["on_time_rate"]) for each in found] == [
        (0, [0, 0]),
        (1, [1, 1]),
        (0, [0, 0]),
    ]


async def test_an_overdue_case_counts_in_the_week_of_its_due_time_only(office: Office) -> None:
    services = office.services
    story = dispatched(MONDAY, "simple", "social").until("03-13 17:30")
    await keep(services.database, services.keyring, [story])
    first = await stored(services, FIRST)
    story.give("sign", "03-16 09:10").give("reply", "03-16 09:30").give("check_reply", "03-16 10:00")
    await go_on(services.database, services.keyring, story, 0)
    second = await stored(services, SECOND)
    assert [each.facts["figures"]["rates"]["hall"]["handled"] for each in (first, second)] == [1, 0]


async def test_the_hall_report_to_the_centre_has_no_rates(office: Office) -> None:
    due = Due(ReportKind.HALL_WEEKLY, FIRST.end, FIRST.start, FIRST.end)
    assert "rates" not in await figures(office.services, due=due)


# Which cases


@pytest.mark.parametrize("onward", ["03-16 08:30", "03-16 12:00"])
async def test_a_hall_between_two_others_tells_of_what_it_had_at_the_cut_off(
    office: Office, onward: str
) -> None:
    """Filed in guilin, transferred to lingui, and from there to chengzhong after the cut-off."""
    story = Story(MONDAY, policy=POLICIES["guilin"]).give("transfer", "03-10 10:00", hall="lingui")
    story.give("transfer", onward, hall="chengzhong")
    services = office.services
    await keep(services.database, services.keyring, [story])
    found = {
        hall: [row.case_id for row in (await made(services, hall=hall)).cases]
        for hall in ("guilin", "lingui", "chengzhong")
    }
    assert found == {"guilin": [], "lingui": [case_id(0)], "chengzhong": []}


async def test_a_hall_that_gave_a_case_away_before_the_cut_off_does_not_tell_of_it(office: Office) -> None:
    story = Story(MONDAY, policy=POLICIES["guilin"]).give("transfer", "03-10 10:00", hall="lingui")
    story.give("transfer", "03-11 12:00", hall="chengzhong")
    await keep(office.services.database, office.services.keyring, [story])
    found = [len((await made(office.services, hall=hall)).cases) for hall in ("lingui", "chengzhong")]
    assert found == [0, 1]


# Two at once


class Meeting:
    """A maker that lets nobody go on before so many have made the report."""

    def __init__(self, services: Services, several: int) -> None:
        self._maker = ReportMaker(services.database, services.keyring)
        self._all = asyncio.Barrier(several)

    async def make(self, hall: str, due: Due, made_at: datetime) -> Made:
        found = await self._maker.make(hall, due, made_at)
        await self._all.wait()
        return found


async def test_a_report_that_two_make_at_once_is_one_and_nobody_sees_an_error(
    office: Office, furnished_url: str
) -> None:
    """The worker and `report run` at the same moment, each with a connection of its own."""
    services = office.services
    await keep(services.database, services.keyring, [handled(MONDAY, "commitment")])
    maker, other = Meeting(services, 2), Database(furnished_url)
    try:
        ids = await asyncio.gather(
            *(make_once(each, maker, "guilin", FIRST, FIRST.at) for each in (services.database, other))
        )
    finally:
        await other.close()
    assert ids == [report_id_of("guilin", FIRST)] * 2
    async with services.database.read() as session:
        counts = [
            (await session.exec(select(func.count()).select_from(each))).one()
            for each in (Report, ReportCase, ReportFile)
        ]
        lines = select(Notification.username).where(Notification.kind == CENTRE)
        told_of: Sequence[str] = (await session.exec(lines.order_by(col(Notification.id)))).all()
    assert (counts, told_of) == ([1, 1, 2], ["guilin.supervisor"])


# The lists of a month

MONTH = Due(ReportKind.MONTHLY, t("03-23 17:30"), t("02-24 17:30"), t("03-20 17:30"))
NEXT_MONTH = Due(ReportKind.MONTHLY, t("04-22 17:30"), t("03-20 17:30"), t("04-20 17:30"))


async def causes(services: Services, *stories: Story, due: Due = MONTH) -> dict[str, Any]:
    return dict((await figures(services, *stories, due=due))["causes"])


async def test_a_problem_is_what_is_new_or_still_open(sqlite_office: Office) -> None:
    closed = told(handled(MONDAY, "simple", "market"), "03-09 15:00").give("revisit", "03-10 10:00", rating=5)
    still_open = handled("03-12 09:00", "commitment", "market").until("03-20 17:30")
    found = await causes(sqlite_office.services, closed, still_open)
    cause = str(closed.state.cause or "none")
    assert {name: found[cause][name] for name in ("problems", "registered", "open")} == {
        "problems": 2,
        "registered": 2,
        "open": 1,
    }
    # A month later the closed one is none any more; the other one is still open, and not new.
    await go_on(sqlite_office.services.database, sqlite_office.services.keyring, still_open, 1)
    maker = ReportMaker(sqlite_office.services.database, sqlite_office.services.keyring)
    later = (await maker.make("guilin", NEXT_MONTH, NEXT_MONTH.at)).report.facts["figures"]["causes"]
    assert {name: later[cause][name] for name in ("problems", "registered", "open")} == {
        "problems": 1,
        "registered": 0,
        "open": 1,
    }


async def test_a_consultation_and_what_is_out_of_scope_are_no_problems(sqlite_office: Office) -> None:
    asked = Story(MONDAY).give(triage("consultation"), "03-09 10:00")
    elsewhere = Story(MONDAY).give(triage("out_of_scope"), "03-09 10:00")
    found = await causes(sqlite_office.services, asked, elsewhere, Story("03-20 17:00"))
    assert found == {"none": {"problems": 1, "registered": 1, "open": 1, "demands": 0, "measures": 0}}


async def test_an_explanation_is_a_measure_of_its_own_name(sqlite_office: Office) -> None:
    services = sqlite_office.services
    story = handled(MONDAY, "commitment", "market").give("declare_unsolvable", "03-09 11:00")
    story.give("confirm_unsolvable", "03-09 14:00").give("reply", "03-10 10:00", resolved=False)
    report = await made(services, story, due=replace(MONTH, kind=ReportKind.MONTHLY_LISTS))
    [workbook] = report.files
    content = services.keyring.open(workbook.content, f"report:{report.report.id}:xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("措施清单").to_python()
    assert [str(row[6]).split(" ")[:3][-1].split("：")[0] for row in rows[3:]] == ["释明"]
