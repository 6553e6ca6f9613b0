"""A case of another system is filed once, whoever brings it and how often, and told of as it stands."""

from collections.abc import Collection
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from casework.errors import BadInput, NotFound
from casework.filing import SCOPE, Filed, Origin, file_case
from casework.moments import shown
from casework.public_view import track_view
from casework.sent import body_hash
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.database import DatabaseUnavailable
from models.filing import Filing
from models.messages import Values
from rules.case.vocabulary import Status

OTHER_CONTENT = "reference_reused"


async def file_once(services: Services, viewer: Viewer, form: Values, origin: Origin) -> tuple[Filed, bool]:
    """File a case of another system, unless it was filed before; say which of the two.

    Of one that was, the answer is its id alone. Raises `BadInput` where it came before with other words,
    DatabaseUnavailable.
    """
    digest = body_hash(SCOPE, form)
    for _ in range(2):
        if (before := (await filed_as(services, [origin.key])).get(origin.key)) is not None:
            case_id, known = before
            if known != digest:
                raise BadInput({"reference": OTHER_CONTENT})
            return Filed(200, {"id": case_id}), True
        try:
            return await file_case(services, viewer, form, None, origin), False
        except IntegrityError:  # the same at the same instant: the other one was first
            continue
    raise DatabaseUnavailable("an import met itself again and again")


async def filed_before(services: Services, case_id: str) -> Values:
    """Return what the system that a case came from may know of it as it stands now."""
    async with services.database.read() as session:
        filing = await session.get_one(Filing, case_id)
        case = await session.get(Case, case_id)
    return {
        "id": case_id,
        "number": filing.number,
        "hall": case.hall if case else filing.hall,
        "status": case.status if case else Status.REGISTERED,
        "received_at": shown(filing.received_at),
        "due_at": shown(case.due_at) if case else None,
        "reference": {"source": filing.source, "number": filing.reference},
    }


async def told_of(services: Services, key: str) -> Values:
    """Return how a case of another system stands, and what its citizen was told last. Raises `NotFound`."""
    async with services.database.read() as session:
        filing = (await session.exec(select(Filing).where(Filing.origin_key == key))).first()
    if filing is None:
        raise NotFound("case")
    seen = await track_view(services, filing)
    told = {name: seen[name] for name in ("closed_at", "reply")}
    return await filed_before(services, filing.case_id) | told


async def filed_as(services: Services, keys: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return id and digest of what was filed before, by its key."""
    found: dict[str, tuple[str, str]] = {}
    wanted: Any = select(Filing.origin_key, Filing.case_id, Filing.body_hash)
    listed = sorted(keys)
    async with services.database.read() as session:
        for start in range(0, len(listed), 500):
            some = wanted.where(col(Filing.origin_key).in_(listed[start : start + 500]))
            found |= {row[0]: (row[1], row[2]) for row in (await session.exec(some)).all()}
    return found
