"""A hall's policy: every limit that a document sets or that stands in for one, in working time.

A policy is a TOML text. `id`, `version` and `title` stand at its head; every other value is a table
{ value, unit, source } under a heading of the author's choice. `source` is the phrase of the
document that sets the value, or the mark [P] for a proposal where the documents are silent.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, NamedTuple, get_args

from rules.calendar import AfterHours

JudgedBy = Literal["told", "reply"]

MOST = 400
"""No limit is longer, in whatever unit: a slip of the hand, not a promise."""

_HEAD = ("id", "version", "title")
# rules.reporting, rules.retention, rules.weights: pinned to no case
_ELSEWHERE = frozenset({"reporting", "retention", "score"})


_DAYS = {"unit": "working days", "least": 1}
_DAYS_OR_NONE = {"unit": "working days", "least": 0}
_HOURS = {"unit": "working hours", "least": 1}


@dataclass(frozen=True)
class Policy:
    """The values that a case is accepted under. Days and hours are working time unless said else.

    - id, version, title: name it; a case keeps the version that it was accepted under.
    - judged_by: on time is judged by "told" (done and told) or "reply" (replied).
    - after_hours: what a filing after closing counts from.

    Limits of a case, in working days from day 0:

    - simple, commitment: of a simple case (即办件), of a commitment case (承诺件).
    - unsolvable: explanation, from the determination.
    - set_limit: supervision sets the date of a complex case.
    - second_round_simple: of a simple case's later rounds, from the reopening.

    Stage limits in working hours: triage; sign_simple and sign_other (sign-for); return_decision;
    check_reply.

    Stage limits in working days:

    - response: the citizen hears something after the dispatch.
    - leader_decision, extension_decision, unsolvable_confirmation, judgement: from its request.
    - revisit: from being told. progress: between two entries of a complex case.
    - opinion_before_due: joint opinions are due so long before the case.
    - suspension_total: all suspensions of a case together; 0 forbids them.
    - objection: from closing. order: a supervision order. overdue_2: second rung, after due.

    Counts: revisit_attempts fail on at least revisit_attempt_days calendar days before a citizen
    counts as not reached; extensions is how many may be granted, 0 forbids them.
    """

    id: str
    version: str
    title: str
    judged_by: JudgedBy = field(metadata={"unit": "choice", "choices": get_args(JudgedBy)})
    after_hours: AfterHours = field(metadata={"unit": "choice", "choices": tuple(AfterHours)})
    simple: int = field(metadata=_DAYS)
    commitment: int = field(metadata=_DAYS)
    unsolvable: int = field(metadata=_DAYS)
    set_limit: int = field(metadata=_DAYS)
    second_round_simple: int = field(metadata=_DAYS)
    triage: int = field(metadata=_HOURS)
    sign_simple: int = field(metadata=_HOURS)
    sign_other: int = field(metadata=_HOURS)
    return_decision: int = field(metadata=_HOURS)
    check_reply: int = field(metadata=_HOURS)
    response: int = field(metadata=_DAYS)
    leader_decision: int = field(metadata=_DAYS)
    extension_decision: int = field(metadata=_DAYS)
    unsolvable_confirmation: int = field(metadata=_DAYS)
    judgement: int = field(metadata=_DAYS)
    revisit: int = field(metadata=_DAYS)
    progress: int = field(metadata=_DAYS)
    opinion_before_due: int = field(metadata=_DAYS)
    suspension_total: int = field(metadata=_DAYS_OR_NONE)
    objection: int = field(metadata=_DAYS)
    order: int = field(metadata=_DAYS)
    overdue_2: int = field(metadata=_DAYS)
    revisit_attempts: int = field(metadata={"unit": "times", "least": 1})
    revisit_attempt_days: int = field(metadata={"unit": "days", "least": 1})
    extensions: int = field(metadata={"unit": "times", "least": 0})


OnlineFiling = Literal["offered", "not_offered"]


@dataclass(frozen=True)
class HallOffer:
    """What a hall offers beside its limits: written in the same file, but never pinned to a case.

    It says what is open now, to everybody; no decision about a case depends on it, so a change needs no new
    version. Values that a file leaves out are the defaults.

    - online_filing: whether citizens may file by themselves on the public page.
    """

    online_filing: OnlineFiling = field(
        default="not_offered", metadata={"unit": "choice", "choices": get_args(OnlineFiling)}
    )


class Sourced(NamedTuple):
    """A value of a policy with its unit and the phrase that it comes from."""

    value: int | str
    unit: str
    source: str


_OFFERS = frozenset(declared.name for declared in fields(HallOffer))


class FaultyPolicy(ValueError):
    """A text that is no policy; ``faults`` has every fault, each in a phrase."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Take the faults; there is at least one."""
        super().__init__("faulty policy: " + "; ".join(faults))
        self.faults = tuple(faults)


def parse_policy(text: str) -> Policy:
    """The policy written in a TOML text.

    Raises ValueError for text that is no TOML, and `FaultyPolicy`, one that names every fault: missing
    and unknown keys, wrong values, wrong units, values without a source.
    """
    head, values = _read(text)
    pinned = {name: sourced.value for name, sourced in values.items() if name not in _OFFERS}
    kept: dict[str, Any] = {**head, **pinned}
    kept["after_hours"] = AfterHours(kept["after_hours"])
    return Policy(**kept)


def parse_offer(text: str) -> HallOffer:
    """What the halls under a policy offer. Raises as parse_policy."""
    values = _read(text)[1]
    given: dict[str, Any] = {name: sourced.value for name, sourced in values.items() if name in _OFFERS}
    return HallOffer(**given)


def policy_sources(text: str) -> dict[str, Sourced]:
    """Every value of a policy with its unit and source, for showing. Raises as parse_policy."""
    return _read(text)[1]


def _read(text: str) -> tuple[dict[str, str], dict[str, Sourced]]:
    content = {name: part for name, part in tomllib.loads(text).items() if name not in _ELSEWHERE}
    sections = {name: part for name, part in content.items() if isinstance(part, dict)}
    head = {name: part for name, part in content.items() if name not in sections}
    entries = [(name, entry) for part in sections.values() for name, entry in part.items()]
    given = [*head, *(name for name, _ in entries)]
    known = {declared.name: declared for declared in (*fields(Policy), *fields(HallOffer))}
    faults = [
        *_listed("missing", [name for name in known if name not in given and name not in _OFFERS]),
        *_listed("unknown", [name for name in given if name not in known]),
        *_listed("given twice", [name for name in known if given.count(name) > 1]),
        *(f"{name}: not a text" for name in _HEAD if not _is_text(head.get(name, name))),
        *(f"{name}: has no unit and source" for name in head if name in known.keys() - {*_HEAD}),
    ]
    for name, entry in entries:
        if name in known:
            faults += (f"{name}: {fault}" for fault in _faults(known[name], entry))
    values = {name: entry["value"] for name, entry in entries if not faults}
    if not faults and values["revisit_attempt_days"] > values["revisit_attempts"]:
        faults.append("revisit_attempt_days: more days than revisit_attempts")
    if faults:
        raise FaultyPolicy(faults)
    return head, {name: Sourced(**entry) for name, entry in entries}


def _faults(declared: Field[Any], entry: object) -> list[str]:
    """What is wrong with one table of a policy."""
    if not isinstance(entry, dict) or entry.keys() != {"value", "unit", "source"}:
        return ["not a table of value, unit and source"]
    rule, value = declared.metadata, entry["value"]
    faults = []
    if "choices" in rule:
        if value not in rule["choices"]:
            faults.append(f"{value!r} is none of {', '.join(rule['choices'])}")
    elif not _is_amount(value, rule):
        faults.append(f"{value!r} is no whole number from {rule['least']} to {MOST}")
    if entry["unit"] != rule["unit"]:
        faults.append(f"the unit is {rule['unit']}, not {entry['unit']!r}")
    if not _is_text(entry["source"]):
        faults.append("no source")
    return faults


def _is_amount(value: object, rule: Mapping[str, Any]) -> bool:
    # True is an integer to Python.
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and rule["least"] <= value <= MOST  # type: ignore[operator]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _listed(fault: str, names: list[str]) -> list[str]:
    return [f"{fault}: {', '.join(names)}"] if names else []
