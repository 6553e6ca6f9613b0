"""`/api/notifications`: the own inbox."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from casework.grant_notices import KINDS
from casework.inbox import mark_read, read_inbox
from casework.moments import shown
from models.inbox import Notification
from routes.bodies import Body, body_of, read_body
from routes.dependencies import Given, SignedIn
from routes.openapi import refusals
from routes.pages import Page, PerPage
from rules.reporting import ReportKind

router = APIRouter(prefix="/api/notifications", tags=["notifications"])

LARGEST_ID = 2**63 - 1


class Note(BaseModel):
    """A line of the inbox; `text` names no citizen. `case_id` is null where it is about no case."""

    id: int
    at: str
    case_id: str | None
    number: str | None
    kind: str
    text: str
    read: bool


class Notes(BaseModel):
    """One page, newest first; `unread` counts the whole inbox."""

    items: list[Note]
    unread: int


class Unread(BaseModel):
    """What is unread still."""

    unread: int


class Ids(Body):
    """Notifications that were read; those of others are passed over."""

    ids: Annotated[list[Annotated[int, Field(ge=1, le=LARGEST_ID)]], Field(max_length=1000)]


@router.get("", responses=refusals())
async def get_notifications(given: Given, viewer: SignedIn, page: Page = 1, per_page: PerPage = 200) -> Notes:
    """Return the own inbox."""
    inbox = await read_inbox(given, viewer, page, per_page)
    return Notes(items=[_note(row) for row in inbox.items], unread=inbox.unread)


@router.post("/read", responses=refusals(413), openapi_extra=body_of(Ids))
async def post_read(request: Request, given: Given, viewer: SignedIn) -> Unread:
    """Mark notifications as read."""
    body = await read_body(request, Ids)
    return Unread(unread=await mark_read(given, viewer, body.ids))


def _note(row: Notification) -> Note:
    return Note(
        id=row.id or 0,
        at=shown(row.at),
        case_id=None if row.kind in {*KINDS, *ReportKind} else row.case_id,
        number=row.number,
        kind=row.kind,
        text=row.text,
        read=row.read,
    )
