"""The query code between the filing and the printed receipt.

It stands only in the answer that files the case (contract.md). So that the receipt can be reloaded and
printed, it goes along sealed in a cookie for ten minutes: never in an address, never in a table.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response

from casework.services import Services
from casework.viewer import Viewer
from models.crypto import UnsealError
from pages.counter_upload import Refused
from pages.sessions import is_secure

# Not the path of one receipt: its PDF stands beside it, and a cookie's path ends at a slash.
PATH = "/counter/receipt"
KEPT = timedelta(minutes=10)
# A cookie holds 4 KB.
_MOST, _LONGEST = 5, 40


@dataclass(frozen=True, repr=False)
class Kept:
    """The code, if it is known still; files that were refused; the key of the form that was just sent."""

    code: str | None = None
    refused: Sequence[Refused] = ()
    sent: str | None = None


async def remember(
    services: Services,
    viewer: Viewer,
    request: Request,
    response: Response,
    case_id: str,
    code: str | None,
    refused: Sequence[Refused] = (),
    *,
    sent: str | None = None,
) -> None:
    """Give the browser what only this answer knows."""
    until = await services.wall.now() + KEPT
    files = [asdict(Refused(each.name[:_LONGEST], each.words)) for each in refused[:_MOST]]
    values = {"until": until.isoformat(), "code": code, "refused": files, "sent": sent}
    text = json.dumps(values, ensure_ascii=False)
    response.set_cookie(
        _cookie(case_id),
        services.keyring.seal_text(text, _purpose(viewer, case_id)),
        max_age=int(KEPT.total_seconds()),
        path=PATH,
        httponly=True,
        secure=is_secure(request),
        samesite="strict",
    )


async def recall(services: Services, viewer: Viewer, request: Request, case_id: str) -> Kept:
    """Return what is known still; of another user's, or a late one's, nothing."""
    token = request.cookies.get(_cookie(case_id))
    if token is None:
        return Kept()
    try:
        values = json.loads(services.keyring.open_text(token, _purpose(viewer, case_id)))
    except UnsealError:
        return Kept()
    if datetime.fromisoformat(values["until"]) < await services.wall.now():
        return Kept()
    return Kept(values["code"], [Refused(**each) for each in values["refused"]], values["sent"])


def _cookie(case_id: str) -> str:
    return f"bancheng_receipt_{case_id}"


def _purpose(viewer: Viewer, case_id: str) -> str:
    # Of one user: whoever signs in next at this computer does not see it.
    return f"receipt:{case_id}:{viewer.username}"
