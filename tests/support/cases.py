"""Stories: a case told step by step, as the shell would drive it; alarms fire in between by themselves.

Times are written "MM-DD HH:MM" (or with seconds, or with a year in front) on the wall clock of
Shanghai, in 2026 unless said else. Commands go by their names in domain.md, section 4; the texts
that they need are filled in, and so is the actor who usually gives them.
"""

from collections.abc import Iterable
from dataclasses import MISSING, fields, replace
from datetime import UTC, date, datetime
from typing import Any, get_type_hints

from models.calendar_source import build_calendar
from models.policies import read_policies
from rules.calendar import OPENING_HOURS, SHANGHAI, Calendar
from rules.case.alarms import Alarm, alarms, next_alarm
from rules.case.commands import COMMANDS, Command, Guidance, OneTimeNotice, Register
from rules.case.context import Context
from rules.case.decide import decide
from rules.case.errors import Forbidden, Illegal, Invalid, Refusal
from rules.case.events import CITIZEN, SYSTEM, Actor, Event, evolve
from rules.case.notices import Material, material, recipients
from rules.case.permits import allowed, may
from rules.case.state import CaseState, PolicyRef
from rules.case.vocabulary import Cause, Channel, Kind, Means, Role
from rules.policy import Policy

POLICIES = read_policies(None)
NATIONAL = build_calendar([2025, 2026, 2027], {}, {}, OPENING_HOURS)

CLERK = Actor(Role.CLERK, "clerk")
LEAD = Actor(Role.WINDOW_LEAD, "lead")
CENTRE = Actor(Role.CENTRE, "centre")
SUPERVISOR = Actor(Role.SUPERVISOR, "supervisor")
SUPERIOR = Actor(Role.SUPERIOR, "superior")
AUDITOR = Actor(Role.AUDITOR, "auditor")
ADMIN = Actor(Role.ADMIN, "admin")


def contact(unit: str = "housing") -> Actor:
    """The unit's contact."""
    return Actor(Role.CONTACT, f"{unit}.contact", unit=unit)


def leader(unit: str = "housing") -> Actor:
    """The unit's deputy leader."""
    return Actor(Role.DEPUTY_LEADER, f"{unit}.leader", unit=unit)


USUAL = {
    CLERK: "triage revisit withdraw",
    LEAD: "transfer convene report_complex decide_extension suspend resume reclassify reassign "
    "confirm_unsolvable check_reply judge_revisit archive merge remind",
    SUPERVISOR: "set_limit refer_up order excuse",
    SUPERIOR: "referral_reply",
    CITIZEN: "rate object",
    SYSTEM: "register calendar_changed",
}
USUALLY = {name: actor for actor, names in USUAL.items() for name in names.split()}
OF_THE_LEADER = frozenset(
    {"coordinate", "request_extension", "declare_unsolvable", "answer_order"},
)
RETURN_DECIDERS = (LEAD, CENTRE, SUPERVISOR)

FILLED_IN: dict[str, Any] = {
    "reason": "理由",
    "text": "内容",
    "basis": "依据",
    "place": "二楼会议室",
    "to": "市住房公积金管理中心",
    "means": Means.PHONE,
    "accept": True,
    "reached": True,
    "resolved": True,
    "order": "1",
    "attachment": "a1",
    "file_name": "证明.pdf",
    "size": 1000,
    "sha256": "0" * 64,
    "media_type": "application/pdf",
    "calendar": "new",
    "at": datetime(2026, 12, 31, 7, tzinfo=UTC),
}
NOTICE = OneTimeNotice(materials="身份证", window="3 号窗口", person="张三", contact="0773-2800000")
GUIDANCE = Guidance(unit="社区居委会", address="中山路 1 号", phone="12345")


def t(text: str) -> datetime:
    """The instant (UTC) of a time on the wall clock of Shanghai."""
    whole = text if text[:4].isdigit() and text[4] == "-" else f"2026-{text}"
    pattern = "%Y-%m-%d %H:%M:%S" if whole.count(":") == 2 else "%Y-%m-%d %H:%M"
    return datetime.strptime(whole, pattern).replace(tzinfo=SHANGHAI).astimezone(UTC)


def day(text: str) -> date:
    """A date written "MM-DD", in 2026 unless said else."""
    return date.fromisoformat(text if text.count("-") == 2 else f"2026-{text}")


def shown(at: datetime | None) -> str | None:
    """The same the other way round, for comparing."""
    if at is None:
        return None
    clock = at.astimezone(SHANGHAI)
    text = clock.strftime("%Y-%m-%d %H:%M:%S" if clock.second else "%Y-%m-%d %H:%M")
    return text.removeprefix("2026-")


def make(name: str, /, **given: Any) -> Command:
    """A command by its name; fields that it needs and the test does not care for are filled in."""
    kind = COMMANDS[name]
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in given:
            values[field.name] = _typed(hints[field.name], given.pop(field.name))
        elif field.default is MISSING:
            values[field.name] = FILLED_IN[field.name]
    assert not given, f"{name} has no {', '.join(given)}"
    return kind(**values)


def _typed(hint: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for kind in (Kind, Cause, Means):
        if hint == kind or hint == kind | None:
            return kind(value)
    if hint == datetime:
        return t(value)
    return day(value) if hint == date else value


def triage(kind: str, unit: str = "housing", **given: Any) -> Command:
    """A triage with all that its kind needs."""
    needed: dict[str, Any] = {"unit": unit, "cause": "other", "one_time_notice": NOTICE}
    if kind == "consultation":
        needed = {"answer": "凭身份证到 3 号窗口办理"}
    elif kind == "out_of_scope":
        needed = {"guidance": GUIDANCE}
    return make("triage", kind=kind, **{**needed, **given})


class Story:
    """A case from its registration on. ``state`` and ``events`` are what there is so far."""

    def __init__(
        self,
        received: str,
        hall: str = "guilin",
        *,
        policy: Policy | None = None,
        calendar: Calendar = NATIONAL,
        registered: str | None = None,
    ) -> None:
        """File the case; it is registered in the same minute unless `registered` says else."""
        self.policy, self.calendar = policy or POLICIES[hall], calendar
        self.states: list[CaseState] = []
        self.events: list[Event] = []
        self.clock = t(registered or received)
        self._carry_out(
            Register(
                case_id="case",
                number="guilin-20260101-0001",
                hall=hall,
                channel=Channel.COUNTER,
                received_at=t(received),
                policy=PolicyRef(self.policy.id, self.policy.version),
                calendar=calendar.version,
            ),
            SYSTEM,
        )

    @property
    def state(self) -> CaseState:
        """The case as it is now."""
        return self.states[-1]

    @property
    def due(self) -> str | None:
        """The due date."""
        return shown(self.state.due_at)

    def give(
        self, command: str | Command, at: str | None = None, /, actor: Actor | None = None, **given: Any
    ) -> "Story":
        """Give a command at an instant (or at once); what was due until then fires before it."""
        self._go_to(at)
        if isinstance(command, str):
            command = make(command, **given)
        self._carry_out(command, actor or self.usual(command.name))
        return self

    def until(self, at: str) -> "Story":
        """Let time pass up to and including an instant, alarms firing each at its own."""
        self._go_to(at)
        return self

    def catch_up(self, now: datetime) -> "Story":
        """Let time pass up to an instant given as such, to the second."""
        return self.until(f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}")

    def outage(self, until: str) -> "Story":
        """Let time pass with nobody there: all that came due meanwhile fires only at the end."""
        self.clock = t(until)
        self._go_to(None)
        return self

    def refusal(
        self, command: str | Command, at: str | None = None, /, actor: Actor | None = None, **given: Any
    ) -> str | None:
        """Why a command is refused: "forbidden", the name of the rule, or "field: fault"; None: it is not.

        Nothing changes, whatever the answer.
        """
        self._go_to(at)
        if isinstance(command, str):
            command = make(command, **given)
        actor = actor or self.usual(command.name)
        try:
            if self.states:
                may(self.state, command.name, actor)  # asked before it is sent, as casework does
            self._decide(command, actor)
        except Refusal as refusal:
            return reason_of(refusal)
        return None

    def usual(self, name: str) -> Actor:
        """Who usually gives a command on this case."""
        unit = self.state.unit or "housing"
        if name == "decide_return":
            return RETURN_DECIDERS[min(self.state.returns, 3) - 1]
        if name in OF_THE_LEADER:
            return leader(unit)
        return USUALLY.get(name) or contact(unit)

    def allowed(self, actor: Actor) -> list[str]:
        """The commands that `actor` may give now."""
        return allowed(self.state, Context(self.clock, actor, self.policy, self.calendar))

    def armed(self) -> dict[str, str]:
        """What is armed and has not fired: name → instant."""
        found = alarms(self.state, self.policy, self.calendar)
        assert len({a.key for a in found}) == len(found)
        return {a.name: str(shown(a.at)) for a in found}

    def next_alarm(self) -> Alarm | None:
        """The alarm that the shell would arm now."""
        return next_alarm(self.state, self.policy, self.calendar)

    def fired(self, *names: str) -> list[str]:
        """The alarms of these names (all, where none is named) that fired, each with its instant."""
        return [
            f"{event.type} {shown(event.at)}"
            for event in self.events
            if event.fired and (not names or event.type in names)
        ]

    def told(self, index: int = -1) -> list[str]:
        """Who is told of an event, the last one unless said else: "role", "role unit", "alternate unit"."""
        addresses = recipients(self.states[index], self.events[index])
        return [
            " ".join(filter(None, ("alternate" if a.alternate else a.role.value, a.unit))) for a in addresses
        ]

    def materials(self) -> list[Material]:
        """All material for a 通报 that the case has given."""
        befores: Iterable[CaseState | None] = (None, *self.states)
        steps = zip(befores, self.states, self.events, strict=False)
        return [found for before, after, event in steps for found in material(before, after, event)]

    def change_calendar(self, at: str, *, off: Iterable[str] = (), work: Iterable[str] = ()) -> "Story":
        """Publish a new calendar: these days off, or worked, beside what stood."""
        days_off, days_worked = set(map(day, off)), set(map(day, work))
        self._go_to(at)
        self.calendar = replace(
            self.calendar,
            version=f"{self.calendar.version}+",
            off=self.calendar.off - days_worked | {d for d in days_off if d.weekday() < 5},
            work=self.calendar.work - days_off | {d for d in days_worked if d.weekday() >= 5},
        )
        return self.give("calendar_changed", calendar=self.calendar.version)

    def _go_to(self, at: str | None) -> None:
        """Fire what comes due until `at`, each at its instant, or now if that is past."""
        end = self.clock if at is None else t(at)
        assert end >= self.clock, "a story does not go back"
        for _ in range(500):
            alarm = self.next_alarm() if self.events else None
            if alarm is None or alarm.at > end:
                break
            self.clock = max(self.clock, alarm.at)
            self._carry_out(alarm, SYSTEM)
        else:
            raise AssertionError("alarms without end")
        self.clock = end

    def _decide(self, command: Command | Alarm, actor: Actor) -> list[Event]:
        before = self.states[-1] if self.states else None
        return decide(before, command, self.clock, actor, self.policy, self.calendar)

    def _carry_out(self, command: Command | Alarm, actor: Actor) -> None:
        for event in self._decide(command, actor):
            self.states.append(evolve(self.states[-1] if self.states else None, event))
            self.events.append(event)


def reason_of(refusal: Refusal) -> str:
    """The name of what forbids a command."""
    if isinstance(refusal, Illegal):
        return refusal.rule
    if isinstance(refusal, Invalid):
        return str(refusal)
    assert isinstance(refusal, Forbidden)
    return "forbidden"


def dispatched(
    received: str,
    kind: str = "commitment",
    unit: str = "housing",
    hall: str = "guilin",
    *,
    cause: str = "other",
    policy: Policy | None = None,
) -> Story:
    """A story that was filed and triaged in the same minute."""
    return Story(received, hall, policy=policy).give(triage(kind, unit, cause=cause))


def handled(
    received: str, kind: str = "commitment", unit: str = "housing", *place: str, **given: Any
) -> Story:
    """A story that was filed, triaged and signed for, and whose citizen was told so, in one minute."""
    return dispatched(received, kind, unit, *place, **given).give("sign").give("inform")


def told(story: Story, at: str, **given: Any) -> Story:
    """The same story, replied to and accepted at `at`."""
    return story.give("reply", at, **given).give("check_reply")
