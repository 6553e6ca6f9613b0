"""What happened to a case, and the fold of it.

An event records what changed, field by field, so that an old ledger folds to the same state
under any later version of the rules (docs/adr: events carry their changes).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from rules.case.state import CaseState, Fired
from rules.case.vocabulary import Role


@dataclass(frozen=True)
class Actor:
    """Who acted; the system and the citizen have a role and nothing else."""

    role: Role
    username: str | None = None
    name: str | None = None
    hall: str | None = None
    unit: str | None = None


SYSTEM = Actor(Role.SYSTEM)
CITIZEN = Actor(Role.CITIZEN)


@dataclass(frozen=True)
class Event:
    """One row of the ledger, before it is numbered and hashed.

    ``type`` is the command's or the alarm's name; ``at`` the instant it was decided (UTC).
    ``data`` holds facts, ``texts`` what people typed (sealed at rest), ``changes`` the fields of
    `CaseState` that took a new value. ``fired`` names the alarm's key, and those merged into it.
    """

    type: str
    at: datetime
    actor: Actor
    data: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    fired: tuple[str, ...] = ()


def difference(before: CaseState | None, after: CaseState) -> dict[str, Any]:
    """Return the fields of `after` that differ from `before` (from the defaults: all of them)."""
    return {
        f.name: getattr(after, f.name)
        for f in fields(after)
        if before is None or getattr(before, f.name) != getattr(after, f.name)
    }


def evolve(state: CaseState | None, event: Event) -> CaseState:
    """Return the state after `event`; the first event of a case makes it out of nothing."""
    after = CaseState(**event.changes) if state is None else replace(state, **event.changes)
    if not event.fired:
        return after
    marks = tuple(Fired(key, event.at) for key in event.fired)
    return replace(after, fired=after.fired + marks)


def fold(events: Iterable[Event]) -> CaseState | None:
    """Return the state that the events make, or None where there are none."""
    state: CaseState | None = None
    for event in events:
        state = evolve(state, event)
    return state
