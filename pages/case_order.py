"""Which commands a case page offers first: the natural next step of whoever looks at it."""

from collections.abc import Sequence

FIRST = 3

# What a person usually does next, most pressing first; the rest is folded away. One order serves all
# statuses and roles, since the rules allow each of them only some.
COMMON = (
    "triage",
    "sign",
    "decide_return",
    "set_limit",
    "decide_extension",
    "confirm_unsolvable",
    "check_reply",
    "judge_revisit",
    "revisit",
    "resume",
    "answer_order",
    "opine",
    "coordinate",
    "reply",
    "referral_reply",
    "progress",
    "order",
    "inform",
    "remind",
    "archive",
    "request_extension",
    "return_order",
    "mark_unable",
    "transfer",
)


def ordered(allowed: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the first few commands, and the others. `attach` has its own place on the page."""
    common = [name for name in COMMON if name in allowed]
    first = common[:FIRST]
    others = common[FIRST:] + [name for name in allowed if name not in COMMON and name != "attach"]
    return first, others
