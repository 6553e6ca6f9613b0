"""Sending a command to a case, and answering with the case as it is after.

Order of refusals (contract.md): 404 by scope, 403 by role, then the body, then what it says about
the directory, then what the case allows. The route reads the body between `aim` and `send`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from casework.delivery import catch_up, conflict, deliver, recorded
from casework.engine import EngineUnavailable
from casework.errors import BadInput, Conflict, NotFound
from casework.facts import Facts, look_up
from casework.finding import Found, case_row, opened, pending_filing
from casework.reading import view_after
from casework.scope import scope_of
from casework.sent import (
    Sending,
    body_hash,
    find_sent,
    forget,
    keep,
    opened_answer,
    refuse_other_body,
    take,
)
from casework.services import Services
from casework.viewer import Viewer
from models.command import SentCommand
from models.messages import Values, decode_command
from models.tracing import new_command_id
from rules.case import permits
from rules.case.commands import CITIZEN_COMMANDS, COMMANDS, SYSTEM_COMMANDS, Command
from rules.case.context import Context
from rules.case.errors import Illegal, Invalid, Refusal
from rules.case.handlers import HANDLERS
from rules.case.vocabulary import Status

# `attach` comes with a file and goes its own way (casework/attachments.py).
BY_NAME = tuple(sorted(COMMANDS.keys() - SYSTEM_COMMANDS - CITIZEN_COMMANDS - {"attach"}))
OK = 200
UNREAD = "—"  # stands for a text that could not be read, while the rest is judged


@dataclass(frozen=True)
class Aim:
    """A command aimed at a case: who, which one, under which key, and what came of that key before."""

    viewer: Viewer
    name: str
    found: Found
    key: str | None = None
    before: SentCommand | None = None


@dataclass(frozen=True)
class Draft:
    """A body as far as it could be read: values by field (JSON), and the faults of the others."""

    body: Values
    faults: Mapping[str, str] = field(default_factory=dict)


async def aim(
    services: Services,
    viewer: Viewer,
    ref: str,
    name: str,
    key: str | None,
    on_found: Callable[[str], None] = lambda case_id: None,
) -> Aim:
    """Find the case of a command. Raises `NotFound`, `Forbidden`, `EngineUnavailable`.

    ``on_found`` hears the id of a case that the viewer may know of, before a refusal by role.
    What a user sent before under the same key is answered again, even where the act itself took
    the case out of the user's sight (a transfer) or the right away (a decision).
    """
    found = await _found(services, viewer, ref)
    before = await find_sent(services, viewer.username, found.case.id, key) if key else None
    if before is None:
        if not found.visible:
            raise NotFound("case")
        on_found(found.case.id)
        permits.may(found.state, name, viewer.actor)
    return Aim(viewer, name, found, key, before)


async def _found(services: Services, viewer: Viewer, ref: str) -> Found:
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        case = await case_row(session, ref)
        if case is not None:
            return await opened(services, session, case, scope.covers(case))
        if await pending_filing(session, ref, scope):
            raise EngineUnavailable("the filing waits for its number")
        raise NotFound("case")


async def send(services: Services, aimed: Aim, draft: Draft) -> Values:
    """Carry the command out; return the case as it is after, or the first answer again.

    Raises `BadInput`, `Refusal`, `Conflict`, `EngineUnavailable`, DatabaseUnavailable.
    """
    digest = body_hash(aimed.name, draft.body) if not draft.faults else ""
    if aimed.before is not None:
        if not aimed.found.visible and aimed.before.body_hash != digest:
            raise NotFound("case")
        refuse_other_body(aimed.before, digest)
    try:
        return await _send(services, aimed, draft, digest)
    except (Refusal, BadInput, Conflict):
        # A request with the same key, just before, may have done it already.
        if aimed.key and (answer := await _settled(services, aimed, digest)):
            return answer
        raise


async def _send(services: Services, aimed: Aim, draft: Draft, digest: str) -> Values:
    if aimed.before is not None and (answer := await _settled(services, aimed, digest)):
        return answer
    now = await services.clock.now()
    command = await _command(services, aimed, draft, now)
    if aimed.found.state.status is Status.ARCHIVED:
        # Its workflow has ended: nobody is there to ask.
        archived = Illegal(aimed.name, Status.ARCHIVED)
        raise await conflict(services, aimed.viewer, aimed.found, archived)
    row = await take(services, await _sending(services, aimed, digest))
    refuse_other_body(row, digest)
    try:
        await deliver(services, aimed.found, aimed.viewer.actor, command, row.command_id)
    except Refusal as refusal:
        await forget(services, row.command_id)
        if isinstance(refusal, Illegal):
            raise await conflict(services, aimed.viewer, aimed.found, refusal) from refusal
        raise
    return await _answer(services, aimed, row)


async def _sending(services: Services, aimed: Aim, digest: str) -> Sending:
    case_id = aimed.found.case.id
    sent_at = await services.wall.now()
    command_id = new_command_id()
    return Sending(command_id, aimed.viewer.username, case_id, aimed.key, digest, case_id, sent_at)


async def _command(services: Services, aimed: Aim, draft: Draft, now: datetime) -> Command:
    """Return the command, with the facts it needs. Raises `BadInput` naming every fault at once."""
    async with services.database.read() as session:
        facts = await look_up(session, aimed.viewer, aimed.found.case, aimed.name, draft.body, now)
    command, judged = _judge(aimed, draft, facts, now)
    # What could not be read is not also missing.
    unread = {field.partition(".")[0] for field in draft.faults}
    judged = {field: fault for field, fault in judged.items() if field not in unread}
    if faults := {**judged, **facts.faults, **draft.faults}:
        raise BadInput(faults)
    assert command is not None
    return command


def _judge(aimed: Aim, draft: Draft, facts: Facts, now: datetime) -> tuple[Command | None, dict[str, str]]:
    """Return the command, if what could be read makes one, and what the rules say of its values."""
    body = draft.body | facts.added
    try:
        command = decode_command(aimed.name, body)
    except Invalid as refusal:
        # A reason left out must not hide that the date beside it is past.
        stand_ins = dict.fromkeys((field for field in draft.faults if field not in body), UNREAD)
        try:
            command = decode_command(aimed.name, stand_ins | body)
        except Invalid:
            return None, {} if draft.faults or facts.faults else refusal.faults
    check = HANDLERS[type(command)].check
    pinned = aimed.found.pinned
    ctx = Context(now, aimed.viewer.actor, pinned.policy, pinned.calendar)
    return command, check(aimed.found.state, command, ctx) if check else {}


async def _answer(services: Services, aimed: Aim, row: SentCommand) -> Values:
    answer = await view_after(services, aimed.viewer, aimed.found.case.id)
    if row.key is None:
        await forget(services, row.command_id)
        return answer
    return await keep(services, row, OK, answer)


async def _settled(services: Services, aimed: Aim, digest: str) -> Values | None:
    """Return the answer to the same command sent before, if it was carried out."""
    assert aimed.key is not None
    case_id = aimed.found.case.id
    row = await find_sent(services, aimed.viewer.username, case_id, aimed.key)
    if row is None or row.body_hash != digest:
        return None
    if row.answer is not None:
        return opened_answer(services.keyring, row.command_id, row.answer)
    if not await recorded(services, case_id, row.command_id):
        return None
    # Its answer settles the command, so the relay will not look after it any more.
    await catch_up(services, case_id)
    return await _answer(services, aimed, row)
