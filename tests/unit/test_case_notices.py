"""Who is told of what: alarms by the procedure's own words, commands to whoever has to act next.

Source: domain.md, section 4, alarms and fine print; S0, 跟踪督办.
"""

from collections.abc import Callable

import pytest

from rules.case.alarms import REMINDERS
from rules.case.commands import COMMANDS
from rules.case.notices import RECIPIENTS
from tests.support.cases import CLERK, LEAD, Story, contact, dispatched, handled, leader, t, told, triage

MONDAY = "03-09 09:20"
Teller = Callable[[], Story]

WINDOW, CLERKS, SUPERVISION = ["window_lead"], ["clerk"], ["supervisor"]
CONTACT, LEADER = ["contact housing"], ["deputy_leader housing"]


def returned(times: int = 1) -> Story:
    story = dispatched(MONDAY)
    for unit in ("market", "social")[: times - 1]:
        story.give("return_order").give("decide_return", unit=unit)
    return story.give("return_order")


# The alarm, a case in which it fires, and who is told.
ALARMS: list[tuple[str, Teller, list[str]]] = [
    ("triage_late", lambda: Story(MONDAY), WINDOW),
    ("sign_late_1", lambda: dispatched(MONDAY), ["alternate housing"]),
    ("sign_late_2", lambda: dispatched(MONDAY), LEADER + WINDOW),
    ("return_undecided", returned, ["window_lead", "centre"]),
    ("return_undecided", lambda: returned(2), ["centre", "supervisor"]),
    ("return_undecided", lambda: returned(3), SUPERVISION),
    ("leader_undecided", lambda: handled(MONDAY).give("mark_unable"), SUPERVISION + WINDOW),
    ("limit_missing", lambda: handled(MONDAY).give("report_complex"), SUPERVISION + WINDOW),
    ("extension_undecided", lambda: handled(MONDAY).give("request_extension", working_days=1), WINDOW),
    (
        "extension_undecided",
        lambda: _extended().give("request_extension", working_days=1),
        SUPERVISION + WINDOW,
    ),
    ("unsolvable_unconfirmed", lambda: handled(MONDAY).give("declare_unsolvable"), WINDOW),
    ("judgement_late", lambda: told(handled(MONDAY), MONDAY).give("revisit", rating=1), WINDOW),
    ("check_late", lambda: handled(MONDAY).give("reply"), WINDOW),
    ("revisit_late", lambda: told(handled(MONDAY), MONDAY), CLERKS + WINDOW),
    (
        "opinion_late",
        lambda: (
            handled(MONDAY)
            .give("convene", co_units=("civil", "social"))
            .give("opine", actor=contact("civil"))
        ),
        ["contact social", *WINDOW],
    ),
    ("progress_late", lambda: _complex(), CONTACT + WINDOW),
    ("response_late", lambda: dispatched(MONDAY), CONTACT + WINDOW),
    ("due_soon_1", lambda: handled(MONDAY), CONTACT),
    ("due_soon_2", lambda: handled(MONDAY), CONTACT),
    ("due_soon_1", returned, WINDOW),
    ("due_soon_2", lambda: dispatched(MONDAY, "complex"), SUPERVISION),
    ("overdue_1", lambda: handled(MONDAY), LEADER + WINDOW),
    ("overdue_1", returned, LEADER + WINDOW),
    ("overdue_1", lambda: dispatched(MONDAY, "complex"), SUPERVISION + WINDOW),
    ("overdue_2", lambda: handled(MONDAY), SUPERVISION + LEADER + WINDOW),
    ("overdue_2", lambda: dispatched(MONDAY, "complex"), [*SUPERVISION, "superior"]),
    ("order_unanswered", lambda: handled(MONDAY).give("order"), SUPERVISION + LEADER),
    ("auto_resume", lambda: handled(MONDAY).give("suspend"), CONTACT + WINDOW),
    ("auto_archive", lambda: dispatched(MONDAY, "consultation"), []),
]


def _extended() -> Story:
    return handled(MONDAY).give("request_extension", working_days=1).give("decide_extension").give("inform")


def _complex() -> Story:
    return handled(MONDAY).give("report_complex").give("set_limit", due_on="03-31")


@pytest.mark.parametrize(("name", "teller", "told_of_it"), ALARMS)
def test_an_alarm_tells(name: str, teller: Teller, told_of_it: list[str]) -> None:
    story = teller()
    story.until(story.armed()[name])
    index = next(i for i, event in enumerate(story.events) if event.type == name)
    assert story.told(index) == told_of_it


# The command, what led to it, who gives it, and who is told.
COMMANDS_TOLD: list[tuple[str, Teller, list[str]]] = [
    ("registered", lambda: Story(MONDAY), CLERKS + WINDOW),
    ("transfer", lambda: Story(MONDAY).give("transfer", hall="chengzhong"), CLERKS + WINDOW),
    ("triage", lambda: dispatched(MONDAY), CONTACT),
    ("triage, complex", lambda: dispatched(MONDAY, "complex"), SUPERVISION),
    ("sign", lambda: dispatched(MONDAY).give("sign"), []),
    ("return_order", returned, WINDOW),
    ("decide_return", lambda: returned().give("decide_return", unit="market"), ["contact market"]),
    ("decide_return, refused", lambda: returned().give("decide_return", accept=False), CONTACT),
    ("mark_unable", lambda: handled(MONDAY).give("mark_unable"), LEADER),
    ("convene", lambda: handled(MONDAY).give("convene", co_units=("civil",)), ["contact civil", *CONTACT]),
    ("report_complex", lambda: handled(MONDAY).give("report_complex"), SUPERVISION),
    ("set_limit", _complex, CONTACT),
    (
        "refer_up",
        lambda: handled(MONDAY).give("refer_up", due_on="03-31"),
        ["superior", "clerk", "window_lead"],
    ),
    ("request_extension", lambda: handled(MONDAY).give("request_extension", working_days=1), WINDOW),
    (
        "decide_extension",
        lambda: handled(MONDAY).give("request_extension", working_days=1).give("decide_extension"),
        CONTACT + LEADER + CLERKS,
    ),
    ("declare_unsolvable", lambda: handled(MONDAY).give("declare_unsolvable"), WINDOW),
    ("reassign", lambda: handled(MONDAY).give("reassign", unit="market"), ["contact market"]),
    ("reply", lambda: handled(MONDAY).give("reply"), WINDOW),
    ("check_reply", lambda: told(handled(MONDAY), MONDAY), CLERKS),
    (
        "check_reply, refused",
        lambda: handled(MONDAY).give("reply").give("check_reply", accept=False, reason="不全"),
        CONTACT,
    ),
    ("revisit, dissatisfied", lambda: told(handled(MONDAY), MONDAY).give("revisit", rating=1), WINDOW),
    ("revisit, satisfied", lambda: told(handled(MONDAY), MONDAY).give("revisit", rating=4), []),
    (
        "judge_revisit",
        lambda: told(handled(MONDAY), MONDAY).give("revisit", rating=1).give("judge_revisit", reopen=True),
        CONTACT + LEADER,
    ),
    (
        "merge",  # its citizen is to be told at once
        lambda: handled(MONDAY).give(
            "merge", into="0", into_hall="guilin", into_open=True, into_received_at=t("03-06 10:00")
        ),
        CONTACT + CLERKS,
    ),
    ("order", lambda: handled(MONDAY).give("order"), LEADER + CONTACT),
    ("answer_order", lambda: handled(MONDAY).give("order").give("answer_order"), SUPERVISION),
]


@pytest.mark.parametrize(
    ("teller", "told_of_it"), [c[1:] for c in COMMANDS_TOLD], ids=[c[0] for c in COMMANDS_TOLD]
)
def test_a_command_tells(teller: Teller, told_of_it: list[str]) -> None:
    assert teller().told() == told_of_it


def test_nobody_is_told_twice() -> None:
    story = handled(MONDAY).give("request_extension", working_days=1).until("03-10 17:30")
    assert story.told() == WINDOW  # as decider and as window lead


def test_every_reminder_tells_somebody_and_every_name_is_a_command_or_an_alarm() -> None:
    names = {name for name, _, _ in ALARMS}
    assert names - {"auto_archive"} <= set(RECIPIENTS)
    assert set(REMINDERS) <= names
    assert set(RECIPIENTS) - names - set(COMMANDS) == {"registered"}


def test_texts_stand_apart_from_facts() -> None:
    """What a person typed is sealed; what happened is not."""
    story = Story(MONDAY).give(triage("commitment"), actor=CLERK)
    event = story.events[-1]
    assert set(event.texts) == {"one_time_notice"}
    assert set(event.data) == {"kind", "cause", "unit", "due_at", "previous_due_at"}
    event = story.give("sign", note="已收").events[-1]
    assert (dict(event.texts), dict(event.data)) == ({"note": "已收"}, {})
    event = story.give("convene", co_units=("civil",), actor=LEAD).events[-1]
    assert (set(event.texts), set(event.data)) == ({"place"}, {"co_units", "at"})
    event = story.give("opine", actor=leader("civil")).events[-1]
    assert (set(event.texts), event.actor.unit) == ({"text"}, "civil")
