"""Every cell of status × command, for every role, by the table of the procedure (domain.md, section 4).

The table below is written by hand from that page; the code under test has one of its own.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from rules.case.commands import COMMANDS
from rules.case.events import CITIZEN, SYSTEM, Actor
from rules.case.vocabulary import Status
from tests.support.cases import (
    ADMIN,
    AUDITOR,
    CENTRE,
    CLERK,
    LEAD,
    NOTICE,
    SUPERIOR,
    SUPERVISOR,
    Story,
    contact,
    dispatched,
    handled,
    leader,
    t,
    told,
)

MORNING = "03-09 09:20"

# What a cell says: allowed (+), a wrong status (.), or the rule that stands against it.
RULES = {
    ".": "status",
    "n": "no_unit",
    "l": "not_late",
    "e": "no_extension_pending",
    "u": "no_unsolvable_pending",
    "j": "no_judgement_owed",
}

TABLE = """\
                   registered
                   | dispatched
                   | | return_review
                   | | | handling
                   | | | | limit_pending
                   | | | | | suspended
                   | | | | | | referred
                   | | | | | | | explaining
                   | | | | | | | | replied
                   | | | | | | | | | revisiting
                   | | | | | | | | | | closed
                   | | | | | | | | | | | archived
register           . . . . . . . . . . . .   system
triage             + . . . . . . . . . . .   clerk window_lead
transfer           + . . . . . . . . . . .   window_lead centre
sign               . + . . . . . . . . . .   contact deputy_leader
return_order       . + . . . . . . . . . .   contact deputy_leader
decide_return      . . + . . . . . . . . .   window_lead
progress           . . . + . . + + . . . .   contact deputy_leader
inform             n + + + + + + + + + . .   clerk window_lead contact deputy_leader
mark_unable        . . . + . . . . . . . .   contact
coordinate         . . . + . . . . . . . .   deputy_leader
convene            . . . + . . . . . . . .   window_lead centre supervisor
opine              . . . + . . . . . . . .   contact deputy_leader
report_complex     . + . + . . . . . . . .   window_lead centre
set_limit          . . . . + . . . . . . .   supervisor
refer_up           . . . + . . . . . . . .   supervisor
referral_reply     . . . . . . + . . . . .   superior supervisor
request_extension  . . . + . . . . . . . .   deputy_leader
decide_extension   . . . e . + . . . . . .   window_lead
suspend            . . . + . . . . . . . .   window_lead
resume             . . . . . + . . . . . .   window_lead
reclassify         . + . + . . . . . . . .   window_lead
reassign           . + . + . . . . . . . .   window_lead
declare_unsolvable . . . + . . . . . . . .   deputy_leader
confirm_unsolvable . . . u . . . . . . . .   window_lead
reply              . . . + . . + + . . . .   contact deputy_leader
check_reply        . . . . . . . . + . . .   window_lead
revisit            . . . . . . . . . + . .   clerk window_lead
judge_revisit      . . . . . . . . . j . .   window_lead
rate               . . . . . . . . + + + .   citizen
object             . . . . . . . . . . + .   citizen
archive            . . . . . . . . . . + .   window_lead
withdraw           + + + + + + + + + + . .   clerk window_lead
merge              + + + + + + + + + + . .   window_lead
remind             n + + + + + + + + + . .   window_lead centre supervisor
order              n + + + + + + + + + . .   supervisor
answer_order       n + + + + + + + + + . .   deputy_leader
excuse             l l l l l . l l l l l .   supervisor
attach             + + + + + + + + + + . .   clerk window_lead contact deputy_leader *
calendar_changed   + + + + + + + + + + + .   system
"""

STAFF = {
    "clerk": CLERK,
    "window_lead": LEAD,
    "contact": contact(),
    "deputy_leader": leader(),
    "centre": CENTRE,
    "supervisor": SUPERVISOR,
    "superior": SUPERIOR,
    "auditor": AUDITOR,
    "admin": ADMIN,
    "citizen": CITIZEN,
    "system": SYSTEM,
}

BODIES: dict[str, dict[str, Any]] = {
    "register": dict(case_id="case", number="n", hall="guilin", channel="counter", received_at=t(MORNING)),
    "triage": dict(kind="commitment", cause="other", unit="market", one_time_notice=NOTICE),
    "transfer": dict(hall="chengzhong"),
    "decide_return": dict(unit="market"),
    "convene": dict(co_units=("education",)),
    "set_limit": dict(due_on="12-31"),
    "refer_up": dict(due_on="12-31"),
    "request_extension": dict(working_days=3),
    "reclassify": dict(kind="simple"),
    "reassign": dict(unit="market"),
    "revisit": dict(rating=4),
    "judge_revisit": dict(reopen=True),
    "rate": dict(rating=5),
    "merge": dict(into="older", into_hall="guilin", into_received_at=t("03-06 10:00"), into_open=True),
}


ALSO = {"centre", "supervisor", "superior"}  # "*" in the table
UNIT_ROLES = {"contact", "deputy_leader"}
BEFORE_CONVENING = {"registered", "dispatched", "return_review", "limit_pending"}


def _read(table: str) -> tuple[dict[tuple[str, str], str], dict[str, set[str]]]:
    cells: dict[tuple[str, str], str] = {}
    who: dict[str, set[str]] = {}
    for line in table.splitlines():
        name, *marks = line.split() or [""]
        if name in COMMANDS:
            rules, roles = marks[: len(Status)], marks[len(Status) :]
            cells |= {(name, status): mark for status, mark in zip(COLUMN_NAMES, rules, strict=True)}
            who[name] = set(roles) - {"*"} | (ALSO if "*" in roles else set())
    return cells, who


COLUMN_NAMES = [line.split()[-1] for line in TABLE.splitlines() if line.startswith(" ")]
CELLS, WHO = _read(TABLE)


def _dispatched() -> Story:
    return dispatched(MORNING).give("order")


def _handling() -> Story:
    return handled(MORNING).give("order").give("convene", co_units=("civil",))


def _revisiting() -> Story:
    return told(_handling(), MORNING)


def _closed() -> Story:
    return _revisiting().give("revisit", rating=4)


# A case in each status, with an order open and a co-unit asked as soon as there can be.
TELLERS: dict[str, Callable[[], Story]] = {
    "registered": lambda: Story(MORNING),
    "dispatched": _dispatched,
    "return_review": lambda: _dispatched().give("return_order"),
    "handling": _handling,
    "limit_pending": lambda: _dispatched().give("report_complex"),
    "suspended": lambda: _handling().give("request_extension", working_days=3).give("suspend"),
    "referred": lambda: _handling().give("refer_up", due_on="12-31"),
    "explaining": lambda: _handling().give("declare_unsolvable").give("confirm_unsolvable"),
    "replied": lambda: _handling().give("reply"),
    "revisiting": _revisiting,
    "closed": _closed,
    "archived": lambda: _closed().give("archive"),
}


@cache
def in_status(status: str) -> Story:
    return TELLERS[status]()


def asking(name: str, role: str) -> Actor:
    """Who gives the command in this role: opinions come from the co-unit's people."""
    if name == "opine" and role in UNIT_ROLES:
        return contact("civil") if role == "contact" else leader("civil")
    return STAFF[role]


def outcome(status: str, name: str, role: str) -> str:
    """What becomes of a command: "+", or why it is refused. The story stays as it is."""
    story = in_status(status)
    body, actor = BODIES.get(name, {}), asking(name, role)
    if name == "register":
        body = body | dict(policy=story.state.policy, calendar="")
    return story.refusal(name, actor=actor, **body) or "+"


def has_part(status: str, name: str, role: str) -> bool:
    """Whether the role may, and the case is (or was made) a matter of its unit."""
    no_unit = status == "registered" or (name == "opine" and status in BEFORE_CONVENING)
    return role in WHO[name] and not (role in UNIT_ROLES and no_unit)


def test_the_table_names_every_status_every_command_and_every_role() -> None:
    assert sorted(COLUMN_NAMES) == sorted(Status)
    assert sorted(WHO) == sorted(COMMANDS)
    assert set().union(*WHO.values()) <= set(STAFF)


@pytest.mark.parametrize("status", COLUMN_NAMES)
def test_the_stories_stand_in_the_status_that_they_are_named_after(status: str) -> None:
    assert in_status(status).state.status == status


@pytest.mark.parametrize("name", WHO)
@pytest.mark.parametrize("status", COLUMN_NAMES)
def test_who_may_may_where_the_table_says_so_and_nobody_else(status: str, name: str) -> None:
    cell = CELLS[name, status]
    for role in STAFF:
        expected = RULES.get(cell, cell) if has_part(status, name, role) else "forbidden"
        assert outcome(status, name, role) == expected, role


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("status", COLUMN_NAMES)
def test_allowed_lists_what_the_role_may_do_now(status: str, role: str) -> None:
    expected = {name for name in WHO if CELLS[name, status] == "+" and has_part(status, name, role)}
    # Their own unit is the lead unit here: it gives no opinion.
    assert in_status(status).allowed(STAFF[role]) == sorted(expected - {"opine"})


@pytest.mark.parametrize("actor", [contact("civil"), leader("civil")], ids=lambda actor: actor.role)
@pytest.mark.parametrize("status", COLUMN_NAMES)
def test_the_people_of_a_co_unit_may_opine_and_attach(status: str, actor: Actor) -> None:
    asked = any(c.unit == "civil" for c in in_status(status).state.co_units)
    expected = {"attach"} if asked and CELLS["attach", status] == "+" else set()
    if status == "handling":
        expected.add("opine")
    assert in_status(status).allowed(actor) == sorted(expected)


@pytest.mark.parametrize("actor", [contact("education"), leader("education")], ids=lambda actor: actor.role)
@pytest.mark.parametrize("status", COLUMN_NAMES)
def test_another_units_people_may_do_nothing(status: str, actor: Actor) -> None:
    assert in_status(status).allowed(actor) == []


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"register", "opine"}))
def test_another_units_people_are_refused_as_such(name: str) -> None:
    for status in COLUMN_NAMES:
        story, body = in_status(status), BODIES.get(name, {})
        assert story.refusal(name, actor=contact("education"), **body) == "forbidden"
        assert story.refusal(name, actor=leader("education"), **body) == "forbidden"


# The third column of the table; a command that is not named here leaves the status as it is.
LEADS_TO = {
    "triage": "dispatched",
    "sign": "handling",
    "return_order": "return_review",
    "decide_return": "dispatched",
    "report_complex": "limit_pending",
    "set_limit": "dispatched",  # not signed yet
    "refer_up": "referred",
    "referral_reply": "handling",
    "suspend": "suspended",
    "resume": "handling",
    "reassign": "dispatched",
    "reply": "replied",
    "check_reply": "revisiting",
    "revisit": "closed",
    "object": "revisiting",
    "archive": "archived",
    "withdraw": "closed",
    "merge": "closed",
}


@pytest.mark.parametrize(("name", "status"), [cell for cell, mark in CELLS.items() if mark == "+"])
def test_a_command_leads_where_the_table_says(name: str, status: str) -> None:
    story = TELLERS[status]()
    actor = {"opine": contact("civil"), "attach": CLERK}.get(name)
    story.give(name, actor=actor, **BODIES.get(name, {}))
    assert story.state.status == LEADS_TO.get(name, status)
    assert story.events[-1].type == name


# The cells that a pending request, a judgement owed or lateness opens.
def _declared() -> Story:
    return _handling().give("declare_unsolvable")


def _extension_asked() -> Story:
    return _handling().give("request_extension", working_days=3)


def _dissatisfied() -> Story:
    return _revisiting().give("revisit", rating=1)


VARIANTS: dict[str, tuple[Callable[[], Story], dict[str, str]]] = {
    "an extension asked for": (
        _extension_asked,
        {
            "decide_extension": "+",
            "request_extension": "request_pending",
            "declare_unsolvable": "request_pending",
            "confirm_unsolvable": "no_unsolvable_pending",
            "reply": "+",
            "suspend": "+",
        },
    ),
    "a declaration unconfirmed": (
        _declared,
        {
            "confirm_unsolvable": "+",
            "decide_extension": "no_extension_pending",
            "request_extension": "request_pending",
            "declare_unsolvable": "request_pending",
            "reply": "+",
        },
    ),
    "a dissatisfied citizen": (
        _dissatisfied,
        {"judge_revisit": "+", "revisit": "revisited", "rate": "+"},
    ),
    "a rated round": (lambda: _closed().give("rate", rating=4), {"rate": "rated", "object": "+"}),
    "a dissatisfied citizen, closed": (
        lambda: _dissatisfied().give("judge_revisit", reopen=False),
        {"archive": "objection_period", "object": "+"},
    ),
    "a level above the contact's": (
        lambda: _handling().give("mark_unable"),
        {"mark_unable": "level", "reply": "+", "coordinate": "+", "progress": "+"},
    ),
    "an opinion given": (
        lambda: _handling().give("opine", actor=contact("civil")),
        {"opine": "opinion_given"},
    ),
    "a simple case": (
        lambda: handled(MORNING, "simple"),
        {"request_extension": "simple_not_extendable", "declare_unsolvable": "+"},
    ),
    "a complex case": (
        lambda: _handling().give("report_complex").give("set_limit", due_on="12-31"),
        {"reclassify": "kind", "request_extension": "+", "report_complex": "+"},
    ),
    "ten attachments": (
        _ten_attachments := lambda: _attached(_handling(), 10),
        {"attach": "attachments_full"},
    ),
    "no order open": (
        lambda: _handling().give("answer_order"),
        {"answer_order": "no_order_open", "order": "+"},
    ),
}


def _attached(story: Story, times: int) -> Story:
    for _ in range(times):
        story.give("attach")
    return story


@pytest.mark.parametrize(
    ("variant", "name"), [(v, name) for v, (_, cells) in VARIANTS.items() for name in cells]
)
def test_rules_of_the_table_beyond_the_status(variant: str, name: str) -> None:
    teller, cells = VARIANTS[variant]
    story, body = teller(), BODIES.get(name, {})
    actor = contact("civil") if name == "opine" else story.usual(name)
    if cells[name] == "+":
        assert name in story.allowed(actor)
        story.give(name, actor=actor, **body)
    else:
        assert name not in story.allowed(actor)
        assert story.refusal(name, actor=actor, **body) == cells[name]
