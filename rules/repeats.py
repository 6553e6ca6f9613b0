"""Repeat reports (重复反映): the same person, the same matter, within 90 days.

Source: domain.md, section 9 (repeat rate).
"""

import unicodedata
from datetime import datetime, timedelta

WITHIN = timedelta(days=90)


def plain_matter(matter: str | None) -> str:
    """Return a matter (政务服务事项) as it is compared: width, case, spaces and punctuation don't matter."""
    bare = filter(str.isalnum, unicodedata.normalize("NFKC", matter or ""))
    return "".join(bare).casefold()


def is_repeat(matter: str, received_at: datetime, before: str | None, received_before: datetime) -> bool:
    """Whether a filing repeats one that the same person made before; exactly 90 days later it still does."""
    same = plain_matter(matter)
    in_time = received_at - WITHIN <= received_before <= received_at
    return bool(same) and same == plain_matter(before) and in_time
