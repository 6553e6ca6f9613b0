"""The header `Idempotency-Key`: read like a body, after 401, 404 and 403."""

from typing import Annotated

from fastapi import Header

from casework.sent import KEY_HEADER

LONGEST = 255

Key = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        description="The same user, key and body get the first answer again, of a filing the same case; "
        "kept for 7 days at least.",
        json_schema_extra={"minLength": 1, "maxLength": LONGEST},
    ),
]


def key_faults(key: str | None) -> dict[str, str]:
    """Return what is wrong with a key that was sent."""
    if key is None or 0 < len(key) <= LONGEST:
        return {}
    return {KEY_HEADER: "string_too_long" if key else "string_too_short"}
