"""The twelve worked cases: every time that the procedure promises, told by the decider.

Source: the worked cases of the specification (invented, plausible; no real persons). National
calendar of 2026; hours 09:00-12:00 and 13:30-17:30.
"""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from statistics import mean, median
from typing import NamedTuple

import pytest

from rules.case.state import CaseState
from rules.case.vocabulary import Ground, Kind, Outcome
from rules.holding import stretches, working_hours
from tests.support.cases import NATIONAL, Story, dispatched, handled, leader, shown, told, triage

SATISFIED = dict(reached=True, rating=4)
VERY_SATISFIED = dict(reached=True, rating=5)


def case_1() -> Story:
    """【桂林·即办】个体户周某注销，窗口要求重复提交已共享证件."""
    story = dispatched("03-09 09:20", "simple", "market", cause="mechanical_application")
    story.give("sign", "03-09 10:00").give("inform", "03-09 11:00")
    return told(story, "03-10 15:00").give("revisit", "03-11 10:00", **VERY_SATISFIED).give("archive")


def case_2() -> Story:
    """【桂林·承诺·分管领导】某餐饮店食品许可被退三次."""
    story = handled("04-02 10:10", "commitment", "market").give("mark_unable", "04-07 10:00")
    story.give("coordinate", "04-08 09:30").until("04-09 16:00")
    return told(story, "04-09 16:00").give("revisit", "04-10 10:00", **SATISFIED).give("archive")


def case_3() -> Story:
    """【城中·咨询】吴某问居住证续签材料；当场答复."""
    return dispatched("05-08 10:00", "consultation", hall="chengzhong").until("12-31 12:00")


def case_4() -> Story:
    """【桂林·范围外】邻里噪声；当日告知社区及 12345 地址电话."""
    return dispatched("03-16 09:40", "out_of_scope").until("12-31 12:00")


def case_5() -> Story:
    """【城中·会商】"宠物殡葬"经营范围，目录无明确分类；主办市场监管，协办民政、农业."""
    story = handled("04-29 15:00", "commitment", "market", "chengzhong")
    story.give("convene", "05-07 09:30", co_units=("civil", "agriculture"), at="05-07 15:00")
    story.give("opine", "05-08 10:00", actor=leader("civil"))
    story.give("opine", "05-11 10:00", actor=leader("agriculture")).until("05-14 11:00")
    return told(story, "05-14 11:00").give("revisit", "05-15 10:00", **VERY_SATISFIED).give("archive")


def case_6() -> Story:
    """【桂林·历史遗留】开发商已注销，房改房无法办证."""
    story = handled("01-26 09:30", "commitment", "resources", cause="legacy")
    story.give("report_complex", "01-27 10:00")
    assert story.armed()["limit_missing"] == "01-29 17:30"
    story.give("set_limit", "01-28 10:00", due_on="04-15")
    for on in ("02-03", "02-09", "02-14", "02-26", "03-04", "03-11", "03-18", "03-25", "04-01", "04-08"):
        story.give("progress", f"{on} 10:00")
    return told(story, "04-14 16:00").give("revisit", "04-16 10:00", **SATISFIED).give("archive")


def case_7() -> Story:
    """【桂林·无法解决】要求超龄补缴，法规不允许."""
    story = handled("05-06 11:00", "commitment", "social", cause="policy_gap")
    story.give("declare_unsolvable", "05-12 09:00").give("confirm_unsolvable", "05-12 11:00")
    told(story, "05-14 10:00", resolved=False)
    return story.give("revisit", "05-15 10:00", reached=True, rating=3, resolved=False).give("archive")


def case_8() -> Story:
    """【桂林·退单】医保转移误派人社."""
    story = Story("09-18 14:00").give(triage("simple", "social"), "09-18 14:05")
    story.give("return_order", "09-18 16:00").give("decide_return", "09-20 09:15", unit="medical")
    assert story.armed()["sign_late_1"] == "09-20 11:15"
    story.give("sign", "09-20 10:00").give("inform")
    return told(story, "09-22 11:00").give("revisit", "09-23 10:00", **SATISFIED).give("archive")


def case_9() -> Story:
    """【桂林·超期问责】施工许可无人签收."""
    story = dispatched("09-30 16:50", "commitment", "housing").until("10-19 10:00")
    told(story.give("sign"), "10-19 10:00")
    story.give("revisit", "10-20 10:00", reached=True, rating=2, resolved=True)
    return story.give("judge_revisit", "10-20 15:00", reopen=False).until("12-31 12:00")


def case_10() -> Story:
    """【桂林·延期】需外省函证学历."""
    story = handled("06-18 09:40", "commitment", "education")
    story.give("request_extension", "06-25 10:00", working_days=5)
    story.give("decide_extension", "06-25 15:00").give("inform", "06-25 16:00")
    return told(story, "07-02 15:00").give("revisit", "07-03 10:00", **SATISFIED).give("archive")


def case_11() -> Story:
    """【城中·上报】跨市公积金，权限在市."""
    story = handled("07-01 10:00", "commitment", "housing", "chengzhong")
    story.give("refer_up", "07-08 15:00", due_on="07-31").give("inform", "07-09 10:00")
    story.give("referral_reply", "07-23 10:00")
    return told(story, "07-24 10:00").give("revisit", "07-27 10:00", **SATISFIED).give("archive")


def case_12() -> Story:
    """【桂林·即办·重办，跨春节】社保卡激活失败."""
    story = told(handled("02-13 16:00", "simple", "social", cause="system_barrier"), "02-14 11:00")
    story.give("revisit", "02-24 10:00", reached=True, rating=2, resolved=False)
    story.give("judge_revisit", reopen=True)
    return told(story, "02-27 14:00").give("revisit", "02-28 10:00", **SATISFIED).give("archive")


class Expected(NamedTuple):
    """What the worked case promises. Times are due times and instants on the clock of Shanghai."""

    due: tuple[str, ...]  # of each round, as it stood at the end
    replied: tuple[str, ...]
    days: int  # working days from T0 to the last accepted reply; day 0 is the day of T0
    rating: tuple[int, ...]
    alarms: tuple[str, ...]
    original: str | None = None  # where the due date of round 1 moved
    on_time: tuple[bool, ...] = (True,)
    outcome: str = "solved"
    level: str = "contact"
    escalated: bool = False
    light: str = "green"


HANDLED = {
    case_1: Expected(("03-12 17:30",), ("03-10 15:00",), 1, (5,), ()),
    case_2: Expected(
        ("04-10 17:30",),
        ("04-09 16:00",),
        4,
        (4,),
        ("due_soon_1 04-09 09:00",),
        level="deputy_leader",
        escalated=True,
        light="yellow",
    ),
    case_5: Expected(
        ("05-15 17:30",), ("05-14 11:00",), 9, (5,), ("due_soon_1 05-14 09:00",), light="yellow"
    ),
    case_6: Expected(
        ("04-15 17:30",),
        ("04-14 16:00",),
        51,
        (4,),
        ("due_soon_1 04-14 09:00",),
        original="02-02 17:30",
        escalated=True,
        light="yellow",
    ),
    case_7: Expected(
        ("05-15 17:30",),
        ("05-14 10:00",),
        7,
        (3,),
        ("due_soon_1 05-11 09:00", "due_soon_2 05-12 09:00", "due_soon_1 05-14 09:00"),
        original="05-12 17:30",
        outcome="explained",
        light="yellow",
    ),
    case_8: Expected(
        ("09-22 17:30",),
        ("09-22 11:00",),
        3,
        (4,),
        ("due_soon_1 09-21 09:00", "due_soon_2 09-22 09:00"),
        light="yellow",
    ),
    case_9: Expected(
        ("10-13 17:30",),
        ("10-19 10:00",),
        9,
        (2,),
        (
            "sign_late_1 10-08 13:50",
            "response_late 10-08 17:30",
            "sign_late_2 10-09 09:20",
            "due_soon_1 10-12 09:00",
            "due_soon_2 10-13 09:00",
            "overdue_1 10-13 17:30:01",
            "overdue_2 10-14 17:30",
            "order_unanswered 10-16 17:30",
            "auto_archive 11-03 17:30",
        ),
        on_time=(False,),
        level="supervision",
        escalated=True,
        light="red",
    ),
    case_10: Expected(
        ("07-03 17:30",),
        ("07-02 15:00",),
        9,
        (4,),
        ("due_soon_1 06-25 09:00", "due_soon_1 07-02 09:00"),
        original="06-26 17:30",
        light="yellow",
    ),
    case_11: Expected(
        ("07-31 17:30",), ("07-24 10:00",), 17, (4,), (), original="07-15 17:30", escalated=True
    ),
    case_12: Expected(
        ("02-25 17:30", "02-27 17:30"),
        ("02-14 11:00", "02-27 14:00"),
        5,
        (2, 4),
        ("due_soon_1 02-26 09:00", "due_soon_2 02-27 09:00"),
        on_time=(True, True),
        light="yellow",
    ),
}
UNTRIAGED = {
    case_3: ("consulted", "05-08 10:00", ("auto_archive 05-21 17:30",)),
    case_4: ("informed", "03-16 09:40", ("auto_archive 03-30 17:30",)),
}
ALL = (*HANDLED, *UNTRIAGED)
Teller = Callable[[], Story]


def of(case: Teller) -> str:
    return case.__name__


@pytest.fixture(scope="module")
def stories() -> dict[Teller, Story]:
    return {case: case() for case in ALL}


@pytest.mark.parametrize("case", HANDLED, ids=of)
def test_each_round_ends_when_the_policy_says(case: Teller, stories: dict[Teller, Story]) -> None:
    state, expected = stories[case].state, HANDLED[case]
    assert tuple(shown(r.due_at) for r in state.rounds) == expected.due
    assert tuple(shown(r.replied_at) for r in state.rounds) == expected.replied
    assert tuple(shown(r.told_at) for r in state.rounds) == expected.replied
    assert shown(state.original_due_at) == (expected.original or expected.due[0])


@pytest.mark.parametrize("case", HANDLED, ids=of)
def test_the_alarms_fire_at_these_instants_and_no_others(case: Teller, stories: dict[Teller, Story]) -> None:
    assert tuple(stories[case].fired()) == HANDLED[case].alarms


@pytest.mark.parametrize("case", HANDLED, ids=of)
def test_the_case_ends_as_it_is_told(case: Teller, stories: dict[Teller, Story]) -> None:
    state, expected = stories[case].state, HANDLED[case]
    assert state.status == "archived"
    assert state.outcome == expected.outcome
    assert tuple(r.on_time for r in state.rounds) == expected.on_time
    assert tuple(r.rating for r in state.rounds) == expected.rating
    assert (state.level, state.escalated, state.light) == (
        expected.level,
        expected.escalated,
        expected.light,
    )


@pytest.mark.parametrize("case", HANDLED, ids=of)
def test_handling_takes_so_many_working_days(case: Teller, stories: dict[Teller, Story]) -> None:
    assert days_of(stories[case].state) == HANDLED[case].days


@pytest.mark.parametrize("case", UNTRIAGED, ids=of)
def test_what_is_answered_at_the_window_closes_at_once_and_has_no_clock(
    case: Teller, stories: dict[Teller, Story]
) -> None:
    state, (outcome, closed, alarms) = stories[case].state, UNTRIAGED[case]
    assert (state.status, state.outcome, shown(state.closed_at)) == ("archived", outcome, closed)
    assert (state.due_at, state.light, state.unit, state.round.on_time) == (None, "grey", None, None)
    assert tuple(stories[case].fired()) == alarms


def test_the_shopkeeper_waits_eleven_working_hours(stories: dict[Teller, Story]) -> None:
    state = stories[case_1].state
    replied = state.round.replied_at
    assert replied is not None
    assert NATIONAL.working_hours_between(state.received_at, replied) == timedelta(hours=11, minutes=10)


def test_the_unanswered_order_of_the_building_permit_is_material(stories: dict[Teller, Story]) -> None:
    story = stories[case_9]
    (found,) = story.materials()
    assert (found.ground, found.unit, found.order) == (Ground.ORDER_UNANSWERED, "housing", "1")
    (order,) = story.state.orders
    assert (shown(order.given_at), shown(order.due_at)) == ("10-14 17:30", "10-16 17:30")
    assert all(not stories[case].materials() for case in ALL if case is not case_9)


def days_of(state: CaseState) -> int:
    replied = state.round.replied_at
    assert replied is not None
    return NATIONAL.working_days_between(state.received_at, replied)


FIGURES: dict[str, tuple[Callable[[CaseState], bool], int]] = {
    "on time": (lambda case: case.rounds[0].on_time is True, 9),
    "solved": (lambda case: case.outcome is Outcome.SOLVED, 9),
    "satisfied finally": (lambda case: (case.round.rating or 0) >= 3, 9),
    "satisfied in the first round": (lambda case: (case.rounds[0].rating or 0) >= 3, 8),
    "revisited": (lambda case: case.round.reached and case.round.revisited, 10),
    "escalated": (lambda case: case.escalated, 4),
    "extended": (lambda case: case.extensions > 0, 1),
    "reopened": (lambda case: case.round.round > 1, 1),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_the_figures_over_all_cases(figure: str, stories: dict[Teller, Story]) -> None:
    holds, count = FIGURES[figure]
    states = [stories[case].state for case in HANDLED]
    assert (sum(map(holds, states)), len(states)) == (count, 10)


def test_twelve_are_registered_and_ten_handled(stories: dict[Teller, Story]) -> None:
    kinds = [stories[case].state.kind for case in ALL]
    assert (len(kinds), kinds.count(Kind.CONSULTATION), kinds.count(Kind.OUT_OF_SCOPE)) == (12, 1, 1)


def test_one_return_in_eleven_dispatches(stories: dict[Teller, Story]) -> None:
    states = [story.state for story in stories.values()]
    assert (sum(s.returns for s in states), sum(s.dispatches for s in states)) == (1, 11)


def test_mean_and_median_handling_time(stories: dict[Teller, Story]) -> None:
    days = {case: days_of(stories[case].state) for case in HANDLED}
    usual = [count for case, count in days.items() if case not in {case_6, case_11}]
    assert (mean(days.values()), median(days.values())) == (11.5, 8)
    assert Fraction(sum(usual), len(usual)) == Fraction("5.875")


# Holder, unit, and working hours of each stretch; none at all are left out.
HELD = {
    case_1: ["contact market 11.17", "window 3.5"],
    case_2: ["contact market 13.83", "deputy_leader market 18.5", "window 2.5"],
    case_6: ["contact resources 7.5", "supervision 7", "contact resources 347.5", "window 9.5"],
    case_8: [
        "window 0.08",
        "contact social 1.92",
        "window 1.75",
        "contact medical 15.75",
        "window 6",
    ],
    case_9: [
        "contact housing 8",
        "deputy_leader housing 34.67",
        "supervision 15",
        "window 10.5",
    ],
    case_11: ["contact housing 38.5", "superior 73.5", "contact housing 7", "window 7"],
    case_12: ["contact social 3.5", "window 6", "contact social 23.5", "window 4.5"],
}


@pytest.mark.parametrize("case", HELD, ids=of)
def test_holding_times_name_who_had_the_case(case: Teller, stories: dict[Teller, Story]) -> None:
    story = stories[case]
    found = []
    for stretch in stretches(story.events):
        hours = working_hours(stretch, NATIONAL, story.clock) / timedelta(hours=1)
        if hours:
            found.append(" ".join(filter(None, (stretch.holder, stretch.unit, f"{round(hours, 2):g}"))))
    assert found == HELD[case]
