"""Handing a command to the engine, and what a refusal means to the one who gave it."""

import asyncio

from sqlmodel import col, select

from casework.calendars import terms_for
from casework.engine import CaseNotRunning, EngineUnavailable
from casework.errors import Conflict
from casework.finding import Found, opened
from casework.reading import allowed_now
from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case, LedgerEvent
from models.messages import CommandMessage, encode_command
from rules.case.commands import Command
from rules.case.errors import Illegal, Refusal
from rules.case.events import Actor
from rules.case.vocabulary import Status

UP_WITHIN, UP_EVERY = 10.0, 0.05  # seconds


async def deliver(services: Services, found: Found, actor: Actor, command: Command, command_id: str) -> None:
    """Have the engine carry a command out.

    A case whose workflow is gone goes on from its ledger first. Raises `Refusal`,
    `EngineUnavailable`, and `Illegal` for a case that was archived meanwhile.
    """
    try:
        await _decided(services, found, actor, command, command_id)
    except (Refusal, EngineUnavailable):
        # Carried out all the same: written while we asked and refused when asked again, or its answer
        # never came. An update that comes while a workflow ends is one, also the one that ended it.
        if not await recorded(services, found.case.id, command_id):
            raise
        await catch_up(services, found.case.id)


async def _decided(services: Services, found: Found, actor: Actor, command: Command, command_id: str) -> None:
    """Have the workflow decide, anew where it was behind its ledger."""
    case_id = found.case.id
    hall = getattr(command, "hall", None) if command.name == "transfer" else None
    terms = await terms_for(services, hall, found.state.received_at) if hall else None
    message = CommandMessage(command_id, actor, encode_command(command), terms)
    try:
        await _ask(services, found, command.name, message)
    except Refusal as refusal:
        # Refused for what the case was before an event that the workflow had not heard of?
        if refusal.seq is None or refusal.seq >= await _written(services, case_id):
            raise
    else:
        return
    await _bring_up(services, case_id)
    await _ask(services, found, command.name, message, again=True)


async def _ask(
    services: Services, found: Found, name: str, message: CommandMessage, *, again: bool = False
) -> None:
    case_id = found.case.id
    try:
        await services.engine.command(case_id, name, message, again=again)
    except CaseNotRunning:
        found = await _reopened(services, found)
        if found.state.status is Status.ARCHIVED:
            raise Illegal(name, Status.ARCHIVED) from None
        await services.engine.start(case_id, found.pinned.terms)
    else:
        return
    try:
        await services.engine.command(case_id, name, message)
    except CaseNotRunning as error:
        raise EngineUnavailable(str(error)) from error


async def _bring_up(services: Services, case_id: str) -> None:
    """Have the workflow know all that its ledger holds. Raises `EngineUnavailable`."""
    if not await _behind(services, case_id):
        return
    await catch_up(services, case_id)
    try:
        async with asyncio.timeout(UP_WITHIN):
            while await _behind(services, case_id):
                await asyncio.sleep(UP_EVERY)
    except TimeoutError as error:
        raise EngineUnavailable("the workflow is behind its ledger") from error


async def _behind(services: Services, case_id: str) -> bool:
    try:
        heard = await services.engine.heard(case_id)
    except CaseNotRunning:
        return False
    return heard < await _written(services, case_id)


async def _written(services: Services, case_id: str) -> int:
    """Return the number of the last event in the ledger of a case."""
    return (await services.database.look(lambda session: session.get_one(Case, case_id))).seq


async def _reopened(services: Services, found: Found, viewer: Viewer | None = None) -> Found:
    """Return the case as it stands now, and whether the viewer still sees it."""
    async with services.database.read() as session:
        case = await session.get_one(Case, found.case.id)
        visible = viewer is not None and (await scope_of(session, viewer)).covers(case)
        return await opened(services, session, case, visible)


async def conflict(services: Services, viewer: Viewer, found: Found, refusal: Illegal) -> Conflict:
    """Return the refusal with the case's status and what the viewer may do now."""
    now = await services.clock.now()
    fresh = await _reopened(services, found, viewer)
    extra = {
        "rule": refusal.rule,
        "case_status": fresh.state.status.value,
        "allowed": allowed_now(fresh, viewer, now),
    }
    return Conflict("command-not-allowed", extra)


async def catch_up(services: Services, case_id: str) -> None:
    """Have the workflow fold in what its ledger holds: it may never have heard of an event there.

    A worker wrote it and the engine died before the task's end, and with it the command. Raises
    `EngineUnavailable`.
    """
    async with services.database.read() as session:
        case = await session.get_one(Case, case_id)
        pinned = await services.pinned.of(session, case)
    try:
        await services.engine.catch_up(case_id)
    except CaseNotRunning:
        if case.status != Status.ARCHIVED:
            await services.engine.start(case_id, pinned.terms)


async def recorded(services: Services, case_id: str, command_id: str) -> bool:
    """Whether the ledger holds events of this command."""
    wanted = select(LedgerEvent.seq).where(
        LedgerEvent.case_id == case_id, col(LedgerEvent.command_id) == command_id
    )
    async with services.database.read() as session:
        return (await session.exec(wanted)).first() is not None
