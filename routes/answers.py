"""What the OpenAPI document says of the answers about cases (contract.md, The case).

Answers are built by casework as plain JSON; these models describe them and are not run.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rules.case.vocabulary import Cause, Channel, Kind, Level, Light, Outcome, Request, Status
from rules.holding import Holder


class Answer(BaseModel):
    """Parent of every answer: nothing stands in it that is not named."""

    model_config = ConfigDict(extra="forbid")


class Petitioner(Answer):
    """The petitioner; null once erased."""

    kind: str
    name: str | None
    phone: str | None
    id_number: str | None
    uscc: str | None


class RoundOfCase(Answer):
    """One time round the loop."""

    round: int
    due_at: datetime | None
    replied_at: datetime | None
    told_at: datetime | None
    on_time: bool | None
    rating: int | None


class OrderOfCase(Answer):
    """A supervision order (督办单)."""

    id: str
    text: str
    due_at: datetime
    answered_at: datetime | None


class NextAlarm(Answer):
    """The alarm that is armed."""

    name: str
    at: datetime


class PolicyOfCase(Answer):
    """The policy that the case was accepted under; no version until it is registered."""

    id: str
    version: str | None


class Reference(Answer):
    """The number of a case in the system that it came from, as a 12345 platform."""

    source: str
    number: str


class CaseAnswer(Answer):
    """A case; `reference` stands in one that came from another system, and in no other."""

    id: str
    number: str | None
    hall: str
    channel: Channel
    kind: Kind | None
    status: Status
    level: Level
    light: Light
    round: int
    outcome: Outcome | None
    unit: str | None
    unit_signed: bool
    matter: str | None
    problem: str | None
    cause: Cause | None
    petitioner: Petitioner | None
    received_at: datetime
    registered_at: datetime | None
    due_at: datetime | None
    due_provisional: bool
    original_due_at: datetime | None
    replied_at: datetime | None
    told_at: datetime | None
    closed_at: datetime | None
    on_time: bool | None
    excused: bool
    rounds: list[RoundOfCase]
    rating: int | None
    resolved: bool | None
    extensions: int
    returns: int
    co_units: list[str]
    orders: list[OrderOfCase]
    pending: Request | None
    next_alarm: NextAlarm | None
    allowed: list[str]
    policy: PolicyOfCase
    reference: Reference | None = None


class FiledAnswer(CaseAnswer):
    """A case as it was filed; the query code is for the citizen's receipt.

    It is left out where the same filing comes again after a newer code was given out.
    """

    query_code: str | None = None


class WorkOrderAnswer(Answer):
    """A work order as a case: what the platform that pushed it may know of it."""

    id: str
    number: str | None
    hall: str
    status: Status
    received_at: datetime
    due_at: datetime | None
    reference: Reference
    query_code: str | None


class WorkOrderState(Answer):
    """How a work order stands; `reply` is what the citizen was told last, once that is."""

    id: str
    number: str | None
    hall: str
    status: Status
    received_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    reference: Reference
    reply: str | None


class CaseList(Answer):
    """A page of a work list."""

    items: list[CaseAnswer]
    total: int
    page: int
    per_page: int


class EventAnswer(Answer):
    """One event of the ledger, in clear."""

    seq: int
    at: datetime
    type: str
    actor: dict[str, Any]
    data: dict[str, Any]
    prev_hash: str
    hash: str


class EventList(Answer):
    """The ledger of a case, and whether its hash chain holds."""

    items: list[EventAnswer]
    verified: bool


HoldingStretch = type(
    "HoldingStretch",
    (Answer,),
    {
        "__doc__": "One holder's time; `to` is null while it lasts.",
        # `from` is no name in Python.
        "__annotations__": {
            "holder": Holder,
            "unit": str | None,
            "from": datetime,
            "to": datetime | None,
            "working_hours": float,
        },
        "__module__": __name__,
    },
)


class Verified(Answer):
    """What came of verifying a case; `detail` says it in words, first of all the first bad event.

    `erased` stands where nothing is wrong and there is nothing to replay: the history went with the
    personal data.
    """

    ledger_ok: bool
    replay_ok: bool
    detail: str
    erased: Literal[True] | None = None


class Holding(Answer):
    """Who held the case for how many working hours."""

    items: list[HoldingStretch]  # type: ignore[valid-type]
    total_working_hours: float


class Unmasked(Answer):
    """The petitioner in clear."""

    petitioner: Petitioner


class QueryCode(Answer):
    """A new query code."""

    query_code: str


class AttachmentAnswer(Answer):
    """A file of a case."""

    id: str
    name: str | None
    size: int
    sha256: str
    media_type: str


class ListedAttachment(AttachmentAnswer):
    """A file of a case, and who added it when."""

    at: datetime
    username: str


class AttachmentList(Answer):
    """The files of a case."""

    items: list[ListedAttachment]


class TimelineEntry(Answer):
    """What happened, in words for the citizen."""

    at: datetime
    type: str
    text: str


class TrackAnswer(Answer):
    """A case as its citizen sees it."""

    number: str | None
    status: Status
    round: int
    judgement: Literal["objection", "dissatisfaction", "upheld"] | None
    light: Light
    hall: str
    hall_name: str | None
    matter: str | None
    unit: str | None
    unit_name: str | None
    received_at: datetime
    due_at: datetime | None
    due_provisional: bool
    closed_at: datetime | None
    timeline: list[TimelineEntry]
    reply: str | None
    allowed: list[str]
