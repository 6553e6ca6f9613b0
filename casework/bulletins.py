"""Material for a 通报 and what became of it. Source: S0, 督查问责."""

from collections.abc import Sequence

from sqlmodel import col, select

from casework.directory import halls_seen
from casework.services import Services
from casework.viewer import Viewer
from models.case import Bulletin


async def list_bulletins(
    services: Services, viewer: Viewer, page: int, per_page: int, status: str | None = None
) -> Sequence[Bulletin]:
    """Return those of the halls that the viewer oversees, newest first; `page` counts from 1.

    ``status`` narrows it to drafts, or to those issued or rejected.
    """
    async with services.database.read() as session:
        halls = await halls_seen(session, viewer)
        wanted = select(Bulletin)
        if halls is not None:
            wanted = wanted.where(col(Bulletin.hall).in_(sorted(halls)))
        if status is not None:
            wanted = wanted.where(Bulletin.status == status)
        wanted = wanted.order_by(col(Bulletin.id).desc())
        return (await session.exec(wanted.limit(per_page).offset((page - 1) * per_page))).all()
