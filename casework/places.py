"""The names of halls and units, for lists: cases hold their codes."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.directory import Hall, Unit


@dataclass(frozen=True)
class Places:
    """``halls`` by code, ``units`` by hall and code; both as far as the viewer sees cases of them."""

    halls: Mapping[str, str]
    units: Mapping[tuple[str, str], str]

    def hall(self, code: str) -> str:
        """Return the name of a hall, its code where it has none."""
        return self.halls.get(code, code)

    def unit(self, hall: str, code: str | None) -> str | None:
        """Return the name of a unit of a hall; None for no unit."""
        return None if code is None else self.units.get((hall, code), code)

    def unit_names(self) -> dict[str, str]:
        """Return every unit once by its code: units of different halls share codes and names."""
        return {code: name for (_, code), name in sorted(self.units.items())}


async def places_of(session: AsyncSession, scope: Scope) -> Places:
    """Return the names of a scope's halls and of their units."""
    halls = select(Hall.code, Hall.name).order_by(Hall.code)
    units = select(Unit.hall, Unit.code, Unit.name)
    if scope.halls is not None:
        halls = halls.where(col(Hall.code).in_(sorted(scope.halls)))
        units = units.where(col(Unit.hall).in_(sorted(scope.halls)))
    names = {(hall, code): name for hall, code, name in (await session.exec(units)).all()}
    return Places(dict((await session.exec(halls)).all()), names)


async def places_seen(services: Services, viewer: Viewer) -> Places:
    """Return the names of the halls and units whose cases a viewer may see."""
    async with services.database.read() as session:
        return await places_of(session, await scope_of(session, viewer))
