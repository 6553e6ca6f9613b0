"""The words of a case: one term per thing, the same in code, API, database and on screen.

Source: domain.md, sections 1, 2, 4 and 10.
"""

from enum import StrEnum


class Role(StrEnum):
    """Who acts. ``citizen`` and ``system`` never sign in."""

    CLERK = "clerk"
    WINDOW_LEAD = "window_lead"
    CONTACT = "contact"
    DEPUTY_LEADER = "deputy_leader"
    CENTRE = "centre"
    SUPERVISOR = "supervisor"
    SUPERIOR = "superior"
    AUDITOR = "auditor"
    ADMIN = "admin"
    CITIZEN = "citizen"
    SYSTEM = "system"


class Status(StrEnum):
    """Where a case stands in 登记-受理-转办-答复-回头看-归档, side tracks included."""

    REGISTERED = "registered"
    DISPATCHED = "dispatched"
    RETURN_REVIEW = "return_review"
    HANDLING = "handling"
    LIMIT_PENDING = "limit_pending"
    SUSPENDED = "suspended"
    REFERRED = "referred"
    EXPLAINING = "explaining"
    REPLIED = "replied"
    REVISITING = "revisiting"
    CLOSED = "closed"
    ARCHIVED = "archived"


class Kind(StrEnum):
    """What sort of matter it is; decides the limit."""

    CONSULTATION = "consultation"
    SIMPLE = "simple"
    COMMITMENT = "commitment"
    COMPLEX = "complex"
    OUT_OF_SCOPE = "out_of_scope"


class Level(StrEnum):
    """How far the case has climbed: 联系人, 分管领导, 监督管理部门."""

    CONTACT = "contact"
    DEPUTY_LEADER = "deputy_leader"
    SUPERVISION = "supervision"


class Light(StrEnum):
    """The ledger's light; grey where no clock runs."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    GREY = "grey"


class Outcome(StrEnum):
    """How a closed case ended."""

    SOLVED = "solved"
    EXPLAINED = "explained"
    CONSULTED = "consulted"
    INFORMED = "informed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


class Cause(StrEnum):
    """Why the citizen could not get it done. Source: S0, S1."""

    MATERIALS_INCOMPLETE = "materials_incomplete"
    MECHANICAL_APPLICATION = "mechanical_application"
    POOR_ATTITUDE_OR_SKILL = "poor_attitude_or_skill"
    POLICY_GAP = "policy_gap"
    NO_CLASSIFICATION = "no_classification"
    SYSTEM_BARRIER = "system_barrier"
    LEGACY = "legacy"
    OTHER = "other"


class Channel(StrEnum):
    """How the filing reached the window."""

    COUNTER = "counter"
    PHONE = "phone"
    ONLINE = "online"


class Means(StrEnum):
    """How the citizen was told."""

    PHONE = "phone"
    VISIT = "visit"
    SMS = "sms"
    LETTER = "letter"
    ONLINE = "online"


class Request(StrEnum):
    """What waits for a decision while the clock runs on."""

    EXTENSION = "extension"
    UNSOLVABLE = "unsolvable"


class Ground(StrEnum):
    """Material for a 通报 that comes from cases (domain.md, section 4, fine print)."""

    ORDER_UNANSWERED = "order_unanswered"
    TWO_REFUSED_RETURNS = "two_refused_returns"
    TWO_REFUSED_REPLIES = "two_refused_replies"


LEVELS = (Level.CONTACT, Level.DEPUTY_LEADER, Level.SUPERVISION)
ENDED = frozenset({Status.CLOSED, Status.ARCHIVED})
OPEN = frozenset(Status) - ENDED
# Where the unit works on the matter, writes progress and may reply.
WORKING = frozenset({Status.HANDLING, Status.EXPLAINING, Status.REFERRED})
# Where the limit runs against somebody: the due ladder is armed in these and no others.
LADDER = frozenset(
    {
        Status.DISPATCHED,
        Status.RETURN_REVIEW,
        Status.HANDLING,
        Status.LIMIT_PENDING,
        Status.REFERRED,
        Status.EXPLAINING,
    }
)
