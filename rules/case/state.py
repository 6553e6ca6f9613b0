"""The state of a case: the fold of its events, and nothing else.

No text that a person typed stands here (texts live sealed in the ledger), so the state may be
held by a workflow and by the projection. Every datetime is aware and in UTC. Slots, because a worker
holds thousands of states.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from rules.case.vocabulary import (
    ENDED,
    Cause,
    Channel,
    Kind,
    Level,
    Light,
    Outcome,
    Request,
    Status,
)


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """The policy version that the case was accepted under."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Due:
    """From what a due date is reckoned, so that a new calendar can reckon it again.

    Either ``start`` (day 0 is its date) or ``on`` (a date set by a person), plus working days.
    """

    days: int
    start: datetime | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One time round the loop, from acceptance or reopening to the revisit.

    ``on_time`` is null until the reply is accepted. ``late`` is kept apart from it: once the case
    was overdue, a due date that a later decision moved does not cure it.
    """

    round: int
    started_at: datetime
    due_at: datetime | None = None
    late: bool = False
    suspended_days: int = 0
    replied_at: datetime | None = None
    told_at: datetime | None = None
    on_time: bool | None = None
    resolved: bool | None = None
    clerk_rating: int | None = None
    citizen_rating: int | None = None
    attempts: tuple[datetime, ...] = ()
    reached: bool = False
    revisited: bool = False

    @property
    def rating(self) -> int | None:
        """The citizen's own rating counts; the clerk's stands in where there is none."""
        return self.citizen_rating or self.clerk_rating


@dataclass(frozen=True, slots=True)
class Reply:
    """The last reply: when, whether it says solved, and where it came from (to go back to)."""

    at: datetime
    resolved: bool
    source: Status


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits for a decision; ``serial`` is the instance of its alarm."""

    request: Request
    at: datetime
    serial: int
    days: int = 0


@dataclass(frozen=True, slots=True)
class CoUnit:
    """A unit asked for its opinion by a joint consultation (会商)."""

    unit: str
    asked_at: datetime
    opined_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A supervision order (督办单). ``ladder`` is the due date's epoch when a rung gave it.

    ``lapsed``: nothing follows from it alone any more. Its due time came while the case was closed, so it
    is no material for a 通报; or it was answered, and a late reply was refused after that.
    """

    id: str
    given_at: datetime
    due_at: datetime
    answered_at: datetime | None = None
    ladder: int | None = None
    lapsed: bool = False


@dataclass(frozen=True, slots=True)
class Fired:
    """An alarm that has fired, and when."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case as its ledger makes it.

    ``stage`` counts the entries into a status and is the instance of stage alarms; ``due_epoch``
    counts the moves of the due date and is the instance of the due ladder. ``response_since`` holds
    the instants from which the citizen is still owed a word.
    """

    case_id: str
    number: str
    hall: str
    channel: Channel
    received_at: datetime
    registered_at: datetime
    policy: PolicyRef
    calendar: str
    stage_since: datetime
    stage: int = 1
    status: Status = Status.REGISTERED
    kind: Kind | None = None
    cause: Cause | None = None
    level: Level = Level.CONTACT
    light: Light = Light.GREY
    outcome: Outcome | None = None
    unit: str | None = None
    unit_signed: bool = False
    co_units: tuple[CoUnit, ...] = ()
    convenings: int = 0
    due: Due | None = None
    due_at: datetime | None = None
    due_set_at: datetime | None = None
    due_provisional: bool = False
    due_epoch: int = 0
    original_due_at: datetime | None = None
    limit_days: int | None = None
    ladder_from: datetime | None = None
    rounds: tuple[Round, ...] = ()
    dispatches: int = 0
    responses_owed: int = 0
    response_since: tuple[datetime, ...] = ()
    leader_since: datetime | None = None
    progress_at: datetime | None = None
    reply: Reply | None = None
    refused_replies: int = 0
    pending: Pending | None = None
    requests: int = 0
    extensions: int = 0
    suspended_days: int = 0
    returns: int = 0
    refused_returns: int = 0
    no_return_units: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    judgement_since: datetime | None = None
    referred: bool = False
    limit_asked: bool = False
    merged_into: str | None = None
    attachments: int = 0
    excused: bool = False
    closed_at: datetime | None = None
    archived_at: datetime | None = None
    fired: tuple[Fired, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Neither closed nor archived."""
        return self.status not in ENDED

    @property
    def escalated(self) -> bool:
        """Level above contact, a limit asked for, or referred (domain.md, section 4)."""
        return self.level is not Level.CONTACT or self.limit_asked or self.referred

    @property
    def round(self) -> Round:
        """The round under way."""
        return self.rounds[-1]

    def opinions_missing(self) -> tuple[str, ...]:
        """The co-units that were asked and have not answered yet."""
        return tuple(c.unit for c in self.co_units if c.opined_at is None)
