"""The numbers that figures are made of, each added up over cases. Source: domain.md, section 9."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Counts:
    """Numbers that are added up over the cases of a period; for one case most are 0 or 1.

    ``handled`` is N. Names that end in ``_minutes`` are working time. ``unextended`` judges by the due
    date as it would stand without the extensions that were granted.
    """

    handled: int = 0
    on_time: int = 0
    unit_on_time: int = 0
    excused: int = 0
    unit_excused: int = 0
    on_time_unextended: int = 0
    unit_on_time_unextended: int = 0
    dispatched: int = 0
    responded: int = 0
    dispatches: int = 0
    signed: int = 0
    signed_in_time: int = 0
    returns: int = 0
    refused_returns: int = 0
    orders: int = 0
    solved: int = 0
    unsolved: int = 0
    rated_first: int = 0
    satisfied_first: int = 0
    rated_final: int = 0
    satisfied_final: int = 0
    told: int = 0
    revisited: int = 0
    reached: int = 0
    escalated: int = 0
    extended: int = 0
    reopened: int = 0
    ordered: int = 0
    hard_solved: int = 0
    handling_days: int = 0
    handling_minutes: int = 0
    window_minutes: int = 0
    contact_minutes: int = 0
    deputy_leader_minutes: int = 0
    supervision_minutes: int = 0
    superior_minutes: int = 0
    citizen_minutes: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Add two cases, or two groups of them."""
        return Counts(*(getattr(self, name) + getattr(other, name) for name in COUNTED))

    def __sub__(self, other: "Counts") -> "Counts":
        """Take a part away."""
        return Counts(*(getattr(self, name) - getattr(other, name) for name in COUNTED))


COUNTED = tuple(f.name for f in fields(Counts))
