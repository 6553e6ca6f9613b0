"""The paths whose histories are recorded: one coroutine each, told step by step.

Each gets a fresh case, filed on Monday 9 March 2037 at 09:20 (the weekdays of 2026), and the shell
that runs it. What a path needs beside its own case it files itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from uuid import NAMESPACE_URL, uuid5

from models.messages import Terms
from tests.support.books import keep_terms, person, terms_with
from tests.support.cases import make, triage
from tests.support.shell import CALENDAR, CHENGZHONG, YEAR, LiveCase, Shell
from tests.support.unheard import write_unheard

FILED = "03-09 09:20"
Path = Callable[[Shell, LiveCase], Awaitable[None]]
PATHS: dict[str, Path] = {}
WITH_GATEWAY = frozenset({"told_outside"})
IN_SHORT_RUNS = frozenset({"continued"})  # recorded where the server soon suggests to continue as new

HOLIDAY = terms_with(
    "guilin",
    calendar=replace(CALENDAR, version="with-a-holiday", off=CALENDAR.off | {date(YEAR, 3, 11)}),
)


def path(told: Path) -> Path:
    """Register a path under its name."""
    PATHS[told.__name__] = told
    return told


def case_id_of(name: str) -> str:
    """The id of a recorded case: the same in every recording."""
    return str(uuid5(NAMESPACE_URL, f"bancheng/histories/{name}"))


async def handled(case: LiveCase, kind: str = "commitment", unit: str = "housing") -> LiveCase:
    """Triaged, signed for, and the citizen told so."""
    await case.give(triage(kind, unit), "03-09 09:40")
    await case.give("sign", "03-09 10:00")
    return await case.give("inform", "03-09 10:10")


async def settled(case: LiveCase, day: str) -> LiveCase:
    """Replied to, accepted and revisited on one day, then archived."""
    await case.give("reply", f"{day} 14:00")
    await case.give("check_reply", f"{day} 14:20")
    await case.give("revisit", f"{day} 15:00", rating=5)
    return await case.give("archive", f"{day} 15:10")


@path
async def standard(shell: Shell, case: LiveCase) -> None:
    """A simple case, done and told on the second day."""
    await handled(case, "simple", "market")
    await settled(case, "03-10")


@path
async def nobody_acts(shell: Shell, case: LiveCase) -> None:
    """It climbs to supervision by itself; the order stays unanswered, a bulletin is drafted."""
    await case.give(triage("commitment"), "03-09 09:40")
    await case.until("03-24 09:10")


@path
async def return_accepted(shell: Shell, case: LiveCase) -> None:
    """Sent to the wrong unit, returned, sent to the right one."""
    await case.give(triage("simple", "social"), "03-09 09:40")
    await case.give("return_order", "03-09 10:00")
    await case.give("decide_return", "03-09 11:00", accept=True, unit="civil")
    await case.give("sign", "03-09 11:30")
    await settled(case, "03-11")


@path
async def return_refused(shell: Shell, case: LiveCase) -> None:
    """The unit that returned it must keep it."""
    await case.give(triage("simple"), "03-09 09:40")
    await case.give("return_order", "03-09 10:00")
    await case.until("03-10 09:10")
    await case.give("decide_return", "03-10 09:30", accept=False, reason="请补充依据")
    await case.give("sign", "03-10 09:50")
    await settled(case, "03-11")


@path
async def unable_and_coordinated(shell: Shell, case: LiveCase) -> None:
    """The contact can't, the leader is late, then hands it to supervision."""
    await handled(case)
    await case.give("mark_unable", "03-10 10:00")
    await case.until("03-11 17:40")
    await case.give("coordinate", "03-12 09:30", to="supervision")
    await settled(case, "03-13")


@path
async def complex_with_limit(shell: Shell, case: LiveCase) -> None:
    """Supervision sets a date after a reminder; progress is written, once late."""
    await case.give(triage("complex", "housing", cause="legacy"), "03-09 09:40")
    await case.until("03-11 17:40")
    await case.give("set_limit", "03-12 10:00", due_on=f"{YEAR}-04-15")
    await case.give("sign", "03-12 11:00")
    await case.give("progress", "03-16 10:00")
    await case.until("03-24 09:00")
    await case.give("progress", "03-24 10:00")
    await settled(case, "03-25")


@path
async def reported_complex(shell: Shell, case: LiveCase) -> None:
    """Turns out to be complex while it is worked on."""
    await handled(case)
    await case.give("report_complex", "03-10 10:00")
    await case.give("set_limit", "03-11 10:00", due_on=f"{YEAR}-03-20")
    await settled(case, "03-18")


@path
async def extension(shell: Shell, case: LiveCase) -> None:
    """Asked for in time, decided late, granted from the old due date."""
    await handled(case)
    await case.give("request_extension", "03-12 10:00", working_days=5)
    await case.until("03-13 17:40")
    await case.give("decide_extension", "03-16 09:30")
    await case.give("inform", "03-16 10:00")
    await settled(case, "03-20")


@path
async def suspended_and_resumed(shell: Shell, case: LiveCase) -> None:
    """Once by hand, once by itself when the days are used up."""
    await handled(case)
    await case.give("suspend", "03-10 10:00")
    await case.give("resume", "03-11 10:00")
    await case.give("suspend", "03-12 10:00")
    await case.until("03-20 09:10")
    await settled(case, "03-20")


@path
async def unsolvable(shell: Shell, case: LiveCase) -> None:
    """Declared in time, confirmed late, explained within three days of the declaration."""
    await handled(case)
    await case.give("declare_unsolvable", "03-12 10:00")
    await case.until("03-13 17:40")
    await case.give("confirm_unsolvable", "03-16 10:00")
    await case.give("reply", "03-17 10:00", resolved=False)
    await case.give("check_reply", "03-17 10:20")
    await case.give("revisit", "03-18 10:00", rating=3, resolved=False)
    await case.give("archive", "03-18 10:10")


@path
async def referral(shell: Shell, case: LiveCase) -> None:
    """Beyond the hall's power: referred up, answered, replied."""
    await handled(case)
    await case.give("refer_up", "03-12 10:00", due_on=f"{YEAR}-03-31")
    await case.give("inform", "03-12 15:00")
    await case.give("referral_reply", "03-24 10:00")
    await settled(case, "03-25")


@path
async def joint_handling(shell: Shell, case: LiveCase) -> None:
    """Two co-units are asked; one answers, the other is late."""
    await handled(case, "commitment", "market")
    units = ("civil", "social")
    await case.give("convene", "03-10 10:00", co_units=units, at=f"{YEAR}-03-11 09:30")
    await case.give("opine", "03-11 10:00", person("guilin.civil.leader"))
    await case.until("03-13 17:40")
    await case.give("opine", "03-16 09:30", person("guilin.social.contact"))
    await settled(case, "03-16")


@path
async def reply_refused_after_due(shell: Shell, case: LiveCase) -> None:
    """Replied in time, refused too late: overdue at once, twice poor, then accepted."""
    await handled(case, "simple")
    await case.give("reply", "03-12 16:00")
    await case.until("03-13 14:40")
    await case.give("check_reply", "03-13 15:00", accept=False, reason="请补充依据")
    await case.give("reply", "03-13 16:00")
    await case.give("check_reply", "03-13 17:00", accept=False, reason="请补充依据")
    await case.until("03-16 17:40")
    await case.give("answer_order", "03-17 09:30")
    await settled(case, "03-17")


@path
async def never_reached(shell: Shell, case: LiveCase) -> None:
    """Tried too late, three times on two days; the case closes, and archives itself later."""
    await handled(case, "simple")
    await case.give("reply", "03-10 14:00")
    await case.give("check_reply", "03-10 14:20")
    for when in ("03-16 10:00", "03-16 16:00", "03-17 10:00"):
        await case.give("revisit", when, reached=False, resolved=None)
    await case.until("03-31 09:00")


@path
async def second_round(shell: Shell, case: LiveCase) -> None:
    """Not satisfied: reopened, done better."""
    await handled(case, "simple")
    await case.give("reply", "03-10 14:00")
    await case.give("check_reply", "03-10 14:20")
    await case.give("rate", "03-10 20:00", rating=2)
    await case.give("revisit", "03-11 10:00", rating=1, resolved=False)
    await case.give("judge_revisit", "03-11 11:00", reopen=True)
    await settled(case, "03-13")


@path
async def objection(shell: Shell, case: LiveCase) -> None:
    """A consultation, answered late and objected to; judged late, and closed for good."""
    await case.give(triage("consultation"), "03-09 11:40")
    await case.give("object", "03-11 10:00")
    await case.until("03-12 17:40")
    await case.give("judge_revisit", "03-13 10:00", reopen=False)
    await case.until("04-08 09:00")


@path
async def merged(shell: Shell, case: LiveCase) -> None:
    """A second filing of the same matter goes into the older case."""
    older = await shell.file("03-09 09:00", case_id=case_id_of("merged-into"))
    await case.give(triage("simple"), "03-09 09:40")
    command = make(
        "merge",
        into=older.case_id,
        into_hall="guilin",
        into_received_at=f"{YEAR}-03-09 09:00",
        into_open=True,
    )
    await case.give(command, "03-09 10:00")
    await case.until("03-31 09:00")


@path
async def withdrawn(shell: Shell, case: LiveCase) -> None:
    """The citizen takes it back after the due date: it counts as late, and is excused."""
    await handled(case, "simple")
    await case.until("03-12 17:40")
    await case.give("excuse", "03-13 09:30")
    await case.give("withdraw", "03-13 10:00")
    await case.until("03-31 09:00")


@path
async def calendar_changed(shell: Shell, case: LiveCase) -> None:
    """A holiday is published while it is open, and taken back."""
    await handled(case)
    for terms in (HOLIDAY, case.terms):
        await keep_terms(shell.database, terms)
        await shell.engine.calendar_changed(case.case_id, terms)
        await case.idle()
    await settled(case, "03-13")


@path
async def folded_in(shell: Shell, case: LiveCase) -> None:
    """Rows that the run never heard of: found by a signal, by a command and by an alarm."""
    await case.give(triage("commitment"), "03-09 09:40")
    await write_unheard(case, make("sign"), "03-09 10:00", "lost-1")
    await shell.engine.catch_up(case.case_id)
    await write_unheard(case, make("progress"), "03-09 10:10", "lost-2")
    await case.give("progress", "03-09 10:30")
    await write_unheard(case, make("inform"), "03-09 11:00", "lost-3")
    await settled(await case.until("03-11 09:10"), "03-12")


@path
async def told_outside(shell: Shell, case: LiveCase) -> None:
    """Every event that somebody hears of goes out over a channel too."""
    await handled(case, "simple")
    await settled(case, "03-10")


@path
async def continued(shell: Shell, case: LiveCase) -> None:
    """Long enough to continue as new, an alarm and a calendar on either side."""
    await handled(case)
    for minute in range(10, 40):
        await case.give("progress", f"03-10 10:{minute}")
    await case.until("03-16 09:10")
    await keep_terms(shell.database, HOLIDAY)
    await shell.engine.calendar_changed(case.case_id, HOLIDAY)
    await case.idle()
    await settled(case, "03-16")


@path
async def transferred(shell: Shell, case: LiveCase) -> None:
    """To the other hall, with its policy from then on."""
    await transfer(case, CHENGZHONG)
    await handled(case)
    await case.until("03-20 09:10")
    await settled(case, "03-20")


async def transfer(case: LiveCase, terms: Terms) -> None:
    """Hand a case to another hall."""
    command = make("transfer", hall=terms.policy.id)
    await case.send(command, await case.usual("transfer"), terms=terms)


@path
async def reassigned_and_ordered(shell: Shell, case: LiveCase) -> None:
    """Another unit, another kind, a reminder, an order answered, a file attached."""
    await handled(case)
    await case.give("remind", "03-10 09:30")
    await case.give("reassign", "03-10 10:00", unit="market")
    await case.give("sign", "03-10 10:30")
    await case.give("reclassify", "03-10 11:00", kind="simple")
    await case.give("order", "03-10 14:00")
    await case.give("answer_order", "03-11 10:00")
    await case.give("attach", "03-11 10:30", person("guilin.market.contact"))
    await settled(case, "03-12")
