"""What a person typed: the marks of a command's texts, with the lengths that contract.md sets.

The ledger seals every field with a mark; the counter's form checks it by its mark.
"""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Typed:
    """Marks a text that a person typed, with its length in characters."""

    shortest: int
    longest: int
    pattern: str | None = None


# Mainland mobile, landline with area code, or (in guidance and notices) a service number.
MOBILE_OR_LANDLINE = r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}"
SERVICE_NUMBER = r"\d{3,6}"

Text = Annotated[str, Typed(1, 2000)]
Name = Annotated[str, Typed(1, 100)]
AnyPhone = Annotated[str, Typed(3, 20, rf"(?:{MOBILE_OR_LANDLINE}|{SERVICE_NUMBER})")]
