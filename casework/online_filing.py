"""Filing by the citizen, on the public page, at the halls whose policy offers it.

The setting ONLINE_FILING opens single halls before their policy does, or closes the page everywhere.
Who files has no account: the filing names no clerk. Filings are limited per address, on the real
clock and in the database, since several API processes share the count.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlmodel import col, or_, select

from casework.errors import NotFound, TooMany
from casework.filing import Filed, file_case
from casework.services import Services
from casework.throttle import wait_for
from casework.turns import take_turn
from casework.viewer import Viewer
from models.access import Attempt
from models.directory import Hall
from models.messages import Values
from rules.case.vocabulary import Role

# A family or a library behind one address files that much, a script far more.
MOST, WITHIN = 10, timedelta(hours=1)
OFF = "off"
_CITIZEN = Viewer("", "", Role.CITIZEN)


class Place(NamedTuple):
    """A hall that takes filings from citizens."""

    code: str
    name: str


async def places(services: Services) -> Sequence[Place]:
    """Return the halls that offer it, by their codes. Raises DatabaseUnavailable."""
    if OFF in services.online_filing:
        return ()
    offering = sorted(name for name, offer in services.offers.items() if offer.online_filing == "offered")
    opened = sorted(services.online_filing)
    if not (offering or opened):
        return ()
    there = or_(col(Hall.policy_id).in_(offering), col(Hall.code).in_(opened))
    wanted = select(Hall).where(there).order_by(col(Hall.code))
    async with services.database.read() as session:
        return [Place(hall.code, hall.name) for hall in (await session.exec(wanted)).all()]


async def file_online(services: Services, form: Values, key: str, address: str | None) -> Filed:
    """File a form that was checked; the same key and form give the same case again.

    Raises `NotFound` for a hall that does not offer it, `TooMany`, `BadInput` and
    DatabaseUnavailable as `file_case` does.
    """
    if form["hall"] not in {place.code for place in await places(services)}:
        raise NotFound("hall")
    name, now = f"filing:address:{address}", await services.wall.now()
    async with services.database.begin() as session:
        await take_turn(session, name)
        wait = await wait_for(session, name, now, MOST, WITHIN)
        if wait > timedelta():
            raise TooMany(wait)
        session.add(Attempt(key=name, at=now))
    return await file_case(services, _CITIZEN, form, key)
