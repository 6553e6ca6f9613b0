"""`/api/directory`: the contact table (业务联系表, 附件1), versioned."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from casework.directory import Change, Line, read_line, write_line
from casework.moments import shown
from casework.viewer import Viewer
from routes.bodies import Body, body_of, read_body
from routes.dependencies import Given, SignedIn
from routes.fields import text_type
from routes.openapi import refusals
from rules.case.errors import Forbidden
from rules.case.typed import MOBILE_OR_LANDLINE, Typed
from rules.case.vocabulary import Role

router = APIRouter(prefix="/api/directory", tags=["directory"])

WRITERS = frozenset({Role.ADMIN, Role.SUPERVISOR})

_Name: Any = text_type(Typed(1, 100))
_Phone: Any = text_type(Typed(1, 20, MOBILE_OR_LANDLINE))
Version = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Person(Body):
    """Somebody of a unit, as the contact table has them."""

    name: _Name
    post: _Name | None = None
    phone: _Phone


class ContactLine(Body):
    """A unit's line. What `GET` answers may be sent back changed; what nobody enters is passed over.

    With `version`, the change is refused (409) where a newer one came meanwhile.
    """

    deputy_leader: Person
    contact: Person
    alternate: Person | None = None
    name: _Name | None = None
    version: Version | None = None
    hall: str | None = None
    unit: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    changed_by: str | None = None


class ContactEntry(BaseModel):
    """A unit's line in one of its versions; version 0: nobody was entered yet."""

    hall: str
    unit: str
    name: str
    version: int
    deputy_leader: dict[str, str | None] | None
    contact: dict[str, str | None] | None
    alternate: dict[str, str | None] | None
    valid_from: str | None
    valid_to: str | None
    changed_by: str | None


async def _may_write(request: Request, given: Given, viewer: SignedIn) -> Viewer:
    """Let admin and supervisor through: 404 for a unit that is none to them, then 403."""
    place = request.path_params
    await read_line(given, viewer, place["hall"], place["unit"])
    if viewer.role not in WRITERS:
        raise Forbidden("put_unit", viewer.role)
    return viewer


@router.get("/{hall}/units/{unit}", responses=refusals(403, 404))
async def get_unit(
    hall: str,
    unit: str,
    given: Given,
    viewer: SignedIn,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> ContactEntry:
    """Return a unit's line, the newest version or the one asked for."""
    return _shown(await read_line(given, viewer, hall, unit, version))


@router.put(
    "/{hall}/units/{unit}", responses=refusals(403, 404, 409, 413), openapi_extra=body_of(ContactLine)
)
async def put_unit(
    request: Request, hall: str, unit: str, given: Given, viewer: Annotated[Viewer, Depends(_may_write)]
) -> ContactEntry:
    """Make a new version of a unit's line."""
    body = await read_body(request, ContactLine)
    change = Change(
        deputy_leader=body.deputy_leader.model_dump(),
        contact=body.contact.model_dump(),
        alternate=body.alternate.model_dump() if body.alternate else None,
        name=body.name,
        version=body.version,
    )
    return _shown(await write_line(given, viewer, hall, unit, change))


def _shown(line: Line) -> ContactEntry:
    return ContactEntry(
        hall=line.hall,
        unit=line.unit,
        name=line.name,
        version=line.version,
        deputy_leader=_person(line.deputy_leader),
        contact=_person(line.contact),
        alternate=_person(line.alternate),
        valid_from=shown(line.valid_from),
        valid_to=shown(line.valid_to),
        changed_by=line.changed_by,
    )


def _person(person: Any) -> dict[str, str | None] | None:
    return None if person is None else {part: person.get(part) for part in ("name", "post", "phone")}
