"""Why a request is refused, beside the rules' own refusals. Facts only: HTTP is the routes' affair.

A *slug* is a stable name in English; the words for people belong to it are in `routes.wording`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any


class RequestRefused(Exception):
    """Nothing was done; the caller may mend the request and try again."""


class Unauthenticated(RequestRefused):
    """Nobody is signed in; `slug` says why: no token, a bad one, wrong credentials, a missing factor."""

    def __init__(self, slug: str = "bad-token") -> None:
        """Take the reason."""
        super().__init__(slug)
        self.slug = slug


class Owing(RequestRefused):
    """The user is signed in and has to do something else first; `slug` says what."""

    def __init__(self, slug: str) -> None:
        """Take what is owed."""
        super().__init__(slug)
        self.slug = slug


class NotFound(RequestRefused):
    """There is no such thing, or the viewer may not know of it: the two must look the same."""

    def __init__(self, what: str = "resource") -> None:
        """Name the kind of thing (``case``, ``hall``, ``unit``, ``user``…), never its key."""
        super().__init__(what)
        self.what = what


class Conflict(RequestRefused):
    """The request is fine in itself and can't be met as things stand now.

    `extra` are members of the answer, as `case_status` and `allowed` (contract.md, Errors).
    """

    def __init__(self, slug: str, extra: Mapping[str, Any] | None = None) -> None:
        """Take the reason and what else the answer says."""
        super().__init__(slug)
        self.slug, self.extra = slug, dict(extra or {})


class BadInput(RequestRefused):
    """Values are wrong: every fault at once, as field (``petitioner.phone``) → slug of its fault."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        """Take the faults; there is at least one."""
        super().__init__("; ".join(f"{field}: {fault}" for field, fault in faults.items()))
        self.faults = dict(faults)


class TooMany(RequestRefused):
    """Too many attempts; the next one counts after `retry_after` of real time."""

    def __init__(self, retry_after: timedelta, slug: str = "too-many-requests") -> None:
        """Take how long to wait."""
        super().__init__(slug)
        self.retry_after, self.slug = retry_after, slug


class TooLarge(RequestRefused):
    """A body or a file has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        """Take the limit in bytes."""
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


class Unsupported(RequestRefused):
    """A file whose content is of no kind that is taken."""
