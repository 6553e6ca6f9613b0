"""What may not stand in a text that is published: the petitioner, who handled the case, anybody's numbers.

Source: S1, 典型案例 (anonymised); domain.md, section 8.
"""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST_NAME = 2  # characters: a single one stands in every text
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_IDENTITY = re.compile(r"(?<!\d)[1-9]\d{16}[\dXx](?!\d)")
# What people put between the digits of a number.
_BETWEEN = re.compile(r"(?<=\d)[\s\-‐-―−·.、()]+(?=[\dXx])")


def identity_fault(
    text: str,
    names: Iterable[str | None],
    numbers: Iterable[str | None],
    staff: Iterable[str | None] = (),
) -> str | None:
    """Return the slug of what gives somebody away in `text`, None if nothing does.

    `names` and `numbers` are the petitioner's, `staff` are the names of those who had to do with the
    case; width, spaces and what stands between digits don't matter.
    """
    plain = unicodedata.normalize("NFKC", text)
    letters = "".join(filter(str.isalnum, plain)).casefold()
    for people, fault in ((names, "names_petitioner"), (staff, "names_staff")):
        if any(len(bare) >= SHORTEST_NAME and bare in letters for bare in names_of(people)):
            return fault
    joined = _BETWEEN.sub("", plain)
    for number in names_of(numbers):
        if number in letters or number in _BETWEEN.sub("", joined).casefold():
            return "numbers_petitioner"
    if _MOBILE.search(joined) or _IDENTITY.search(joined):
        return "numbers_somebody"
    return None


def names_of(values: Iterable[str | None]) -> list[str]:
    """Return those values that say something, without punctuation."""
    return [bare for value in values if (bare := _bare(value))]


def _bare(value: str | None) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", value or ""))).casefold()
