"""What a citizen may do without an account: follow the own case, rate it, object.

Who knows the query code and the last digits of the phone is taken for the petitioner.
"""

from dataclasses import dataclass
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.delivery import conflict, deliver
from casework.engine import EngineUnavailable
from casework.errors import NotFound
from casework.finding import Found, opened
from casework.petitioners import read_petitioners
from casework.public_view import track_view
from casework.sent import Sending, body_hash, forget, take
from casework.services import Services
from casework.throttle import count_wrong, refuse_if_full
from casework.viewer import Viewer
from models.access_log import append
from models.case import Case
from models.codes import hash_code
from models.filing import Filing
from models.tracing import new_command_id
from rules.case.commands import Command
from rules.case.errors import Illegal, Refusal
from rules.case.events import CITIZEN
from rules.case.vocabulary import Role

TAIL = 4  # digits of the phone
GUESSING = "query codes guessed"
_CITIZEN = Viewer("", "", Role.CITIZEN)


@dataclass(frozen=True, repr=False)
class Pair:
    """What the citizen shows. It has no repr: logs must not show it."""

    query_code: str
    phone_tail: str


async def track(services: Services, pair: Pair, address: str | None) -> dict[str, Any]:
    """Return the case as its citizen may see it. Raises `NotFound`, `TooMany`."""
    filing = await _identify(services, pair, address)
    return await track_view(services, filing)


async def act(services: Services, pair: Pair, address: str | None, command: Command) -> dict[str, Any]:
    """Rate or object; return the case as it is after.

    Raises `NotFound`, `TooMany`, `Invalid`, `Conflict`, `EngineUnavailable`.
    """
    filing = await _identify(services, pair, address)
    found = await _found(services, filing.case_id)
    sending = Sending(
        command_id=new_command_id(),
        username="",
        scope=filing.case_id,
        key=None,
        body_hash=body_hash(command.name, {}),
        case_id=filing.case_id,
        sent_at=await services.wall.now(),
    )
    await take(services, sending)
    try:
        await deliver(services, found, CITIZEN, command, sending.command_id)
    except Refusal as refusal:
        await forget(services, sending.command_id)
        if isinstance(refusal, Illegal):
            raise await conflict(services, _CITIZEN, found, refusal) from refusal
        raise
    await forget(services, sending.command_id)
    return await track_view(services, filing)


async def _found(services: Services, case_id: str) -> Found:
    async with services.database.read() as session:
        case = await session.get(Case, case_id)
        if case is None:
            raise EngineUnavailable("the filing waits for its number")
        return await opened(services, session, case)


async def _identify(services: Services, pair: Pair, address: str | None) -> Filing:
    now = await services.wall.now()
    digest = hash_code(pair.query_code)
    keys = (f"query:address:{address}", f"query:code:{digest}")
    async with services.database.read() as session:
        await refuse_if_full(session, keys, now)
        filing = await _matching(services, session, digest, pair.phone_tail)
    if filing is not None:
        return filing
    async with services.database.begin() as session:
        if await count_wrong(session, keys, now):
            # Once a series, not for each refusal: guessing must not flood the log.
            await append(session, at=now, action="refused_429", reason=GUESSING, address=address)
    raise NotFound("case")


async def _matching(services: Services, session: AsyncSession, digest: str, tail: str) -> Filing | None:
    filing = (await session.exec(select(Filing).where(Filing.query_code_hash == digest))).first()
    if filing is None:
        return None
    found = await read_petitioners(session, services.keyring, [filing.case_id])
    _, details = found[filing.case_id]
    if details is None:
        return None
    digits = "".join(filter(str.isdigit, details.phone))
    return filing if digits[-TAIL:] == tail else None
