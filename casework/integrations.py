"""Other systems that push cases to a hall: their tokens, given out once and revocable."""

from collections.abc import Sequence

from sqlmodel import col, select, update

from casework.calendars import hall_of
from casework.errors import BadInput, NotFound
from casework.services import Services
from casework.texts import is_code
from casework.users import OPERATOR
from casework.viewer import Viewer
from models.access_log import append
from models.codes import hash_token, new_token
from models.imported import Integration
from rules.case.vocabulary import Role

PREFIX = "integration:"
"""Stands before its name where a person's username stands elsewhere: no username can have a colon."""


async def add_integration(services: Services, name: str, hall: str, source: str) -> str:
    """Add a system; return its token, which is shown this once. Raises `BadInput`, `NotFound`."""
    faults = {
        field: "string_pattern_mismatch"
        for field, text in (("name", name), ("source", source))
        if not is_code(text)
    }
    token, at = new_token(), await services.wall.now()
    async with services.database.begin() as session:
        place = await hall_of(session, hall)
        if not faults and await session.get(Integration, name) is not None:
            faults["name"] = "given_twice"
        if faults:
            raise BadInput(faults)
        session.add(
            Integration(name=name, hall=place.code, source=source, token_hash=hash_token(token), added_at=at)
        )
        await session.flush()
        reason = f"{name}: {source} at {place.code}"
        await append(session, at=at, action="integration_added", username=OPERATOR, reason=reason)
    return token


async def revoke_integration(services: Services, name: str) -> None:
    """End a system's token at once. Raises `NotFound`."""
    at = await services.wall.now()
    async with services.database.begin() as session:
        mine = Integration.name == name, col(Integration.revoked_at).is_(None)
        found = (await session.exec(select(Integration).where(*mine))).first()
        if found is None:
            raise NotFound("integration")
        found.revoked_at = at
        session.add(found)
        await session.flush()
        await append(session, at=at, action="integration_revoked", username=OPERATOR, reason=name)


async def list_integrations(services: Services) -> Sequence[Integration]:
    """Return every system that was ever added, by name."""
    async with services.database.read() as session:
        return (await session.exec(select(Integration).order_by(Integration.name))).all()


async def integration_of(services: Services, token: str) -> Integration | None:
    """Return the system that a token belongs to, and note that it was used; None for any other token."""
    now = await services.wall.now()
    mine = Integration.token_hash == hash_token(token), col(Integration.revoked_at).is_(None)
    async with services.database.read() as session:
        found = (await session.exec(select(Integration).where(*mine))).first()
    if found is not None and (found.last_used_at is None or found.last_used_at.date() != now.date()):
        used = update(Integration).where(col(Integration.name) == found.name).values(last_used_at=now)
        async with services.database.begin() as session:
            await session.exec(used)
    return found


def viewer_of_integration(integration: Integration) -> Viewer:
    """Return who files for a system: as its hall's counter would, under the system's own name."""
    name = f"{PREFIX}{integration.name}"
    return Viewer(name, integration.name, Role.CLERK, integration.hall)
