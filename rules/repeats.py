"""Repeat reports (重复反映): the same person, the same matter, within 90 days.

Source: domain.md, section 9 (repeat rate). The mark itself is looked up among the other cases as a case's
facts are written (activities/facts.py).
"""

import hashlib
import unicodedata
from datetime import timedelta

WITHIN = timedelta(days=90)
"""Exactly so long after the other it still is a repeat."""


def plain_matter(matter: str | None) -> str:
    """Return a matter (政务服务事项) as it is compared: width, case, spaces and punctuation don't matter."""
    wide = unicodedata.normalize("NFKC", matter or "").casefold()
    return "".join(filter(str.isalnum, wide))


def matter_key(matter: str | None) -> int | None:
    """Return a matter as a signed number of 64 bits, equal where `plain_matter` is; None for no matter."""
    plain = plain_matter(matter)
    if not plain:
        return None
    return int.from_bytes(hashlib.sha256(plain.encode()).digest()[:8], "big", signed=True)
