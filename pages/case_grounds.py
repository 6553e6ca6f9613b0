"""What a decision is about, to stand beside its form: the reply to be checked, the extension asked for.

Derived from the events of the history: the last that the decision answers, with who, when and what was
typed. Where an event is older than the one that settled it, there is nothing to show.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casework.case_file import CaseFile
from pages.case_history import Entry, Line
from pages.rendering import moment

Event = Mapping[str, Any]
Files = tuple[Mapping[str, Any], ...]
# (event, everything before and after it) → whether it is what the decision is about.
Test = Callable[[Event], bool]


@dataclass(frozen=True)
class Ground:
    """One event that a decision is about; ``files`` came with it, ``due`` is what granting it would make."""

    entry: Entry
    files: Files = ()
    due_now: str | None = None
    due_then: str | None = None
    more: tuple[Line, ...] = ()


def _any(event: Event) -> bool:
    return True


def _refused(event: Event) -> bool:
    return event["data"].get("accept") is False


def _told(event: Event) -> bool:
    return event["data"].get("accept") is True


def _reopened(event: Event) -> bool:
    return event["data"].get("reopen") is True


def _answered(event: Event) -> bool:
    return event["data"]["changes"].get("status") == "closed"


def _dispatches(event: Event) -> bool:
    return "dispatches" in event["data"]["changes"]


def _complex(event: Event) -> bool:
    return event["data"].get("kind") == "complex"


@dataclass(frozen=True)
class _Rule:
    """Events of these types since the last one of ``after``; the newest only, or every one."""

    types: Mapping[str, Test]
    after: Mapping[str, Test]
    every: bool = False


_REPLY = _Rule({"reply": _any}, {"judge_revisit": _reopened})
_HEARD = _Rule(
    {"revisit": _any, "rate": _any, "object": _any},
    {"check_reply": _told, "judge_revisit": _any, "triage": _any},
    every=True,
)
_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "sign": (_Rule({"triage": _dispatches, "reassign": _any, "decide_return": _any, "set_limit": _any}, {}),),
    "decide_return": (_Rule({"return_order": _any}, {"decide_return": _any}),),
    "set_limit": (_Rule({"report_complex": _any, "triage": _complex}, {"set_limit": _any}),),
    "coordinate": (_Rule({"mark_unable": _any}, {"coordinate": _any}),),
    "opine": (_Rule({"convene": _any}, {}),),
    "decide_extension": (_Rule({"request_extension": _any}, {"decide_extension": _any}),),
    "confirm_unsolvable": (_Rule({"declare_unsolvable": _any}, {"confirm_unsolvable": _any}),),
    "referral_reply": (_Rule({"refer_up": _any}, {"referral_reply": _any}),),
    "resume": (_Rule({"suspend": _any}, {"resume": _any}),),
    "reply": (_Rule({"check_reply": _refused, "judge_revisit": _reopened}, {"reply": _any}),),
    "check_reply": (_REPLY,),
    "revisit": (_REPLY, _HEARD),
    "judge_revisit": (_Rule({"reply": _any, "triage": _answered}, {}), _HEARD),
}


def grounds(name: str, file: CaseFile, history: Sequence[Entry]) -> list[Ground]:
    """Return what the command `name` decides upon, oldest first; nothing for most commands."""
    if name == "answer_order":
        return _orders(file, history)
    entries = {entry.seq: entry for entry in history}
    found = [event for rule in _RULES.get(name, ()) for event in _picked(rule, file.events)]
    return [_ground(name, file, entries[event["seq"]], event) for event in found]


def _picked(rule: _Rule, events: Sequence[Event]) -> list[Event]:
    since = max((e["seq"] for e in events if _is(e, rule.after)), default=0)
    found = [e for e in events if e["seq"] > since and _is(e, rule.types)]
    return found if rule.every else found[-1:]


def _is(event: Event, types: Mapping[str, Test]) -> bool:
    test = types.get(event["type"])
    return test is not None and test(event)


def _ground(name: str, file: CaseFile, entry: Entry, event: Event) -> Ground:
    then = file.foreseen.get(name)
    files = _files_with(file, event) if event["type"] == "reply" else ()
    return Ground(entry, files, file.case["due_at"] if then else None, then)


def _files_with(file: CaseFile, reply: Event) -> Files:
    """Return the files that the unit added since its reply before, up to the check of this one."""
    types = {"reply": _any, "triage": _any, "reassign": _any}
    since = max((e["seq"] for e in file.events if e["seq"] < reply["seq"] and _is(e, types)), default=0)
    ids = {
        e["data"]["attachment"]
        for e in file.events
        if e["type"] == "attach" and e["seq"] > since and e["actor"].get("unit") == reply["actor"].get("unit")
    }
    return tuple(each for each in file.attachments if each["id"] in ids)


def _orders(file: CaseFile, history: Sequence[Entry]) -> list[Ground]:
    """Return the orders that wait for an answer, with their texts, also of those that a rung gave."""
    given = {e["data"]["order"]: e["seq"] for e in file.events if e["data"].get("order_due_at")}
    entries = {entry.seq: entry for entry in history}
    return [
        Ground(
            entries[given[order["id"]]],
            more=(
                Line(f"督办单 {order['id']} 号", order["text"], typed=True),
                Line("答复时限", moment(order["due_at"])),
            ),
        )
        for order in file.case["orders"]
        if order["answered_at"] is None and order["id"] in given
    ]
