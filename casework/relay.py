"""The relay: finishes what a crash or an outage left open between the tables and the engine.

It starts every filing that has no number, has issued bulletins sent that were not, and tells the
workflow of events that it never heard of (written just before a worker died). What the figures count is
brought up to the ledger here too, so that no command waits for it. Everything it does may
be done twice, also by two relays.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy import text
from sqlmodel import Session, col, delete, exists, select, update

from casework.calendars import terms_for
from casework.delivery import catch_up
from casework.facts_filling import fill_facts_at_rest
from casework.imports import came_at, in_hand
from casework.keeping_on import keep_on
from casework.kept_forms import KEPT as FORMS_KEPT
from casework.services import Services
from models.access import Attempt
from models.case import Bulletin, LedgerEvent
from models.command import SentCommand
from models.filing import Filing
from models.kept_form import KeptForm

EVERY = timedelta(seconds=5)
PATIENCE = timedelta(seconds=15)  # younger ones are still in somebody's hands
LOOK_BACK = timedelta(days=1)  # an event that a workflow missed is adopted by its next alarm anyway
AT_ONCE = 5
BATCH = 200
KEPT = timedelta(days=30)  # contract.md: answers are repeated for 7 days at least
ATTEMPTS_KEPT = timedelta(days=2)

Item = TypeVar("Item")
_log = structlog.get_logger(__name__)


async def relay(services: Services, every: timedelta = EVERY) -> None:
    """Work until cancelled; an outage is waited out."""

    async def once() -> None:
        await fill_facts_at_rest(services)
        await relay_once(services)
        await forget_old(services)

    await keep_on("relay", once, every)


async def relay_once(services: Services) -> int:
    """Settle what is open now; return how much that was. Raises DatabaseUnavailable."""
    filings = await _unregistered(services)
    commands = await _unanswered(services)
    bulletins = await _unsent(services)
    if not (filings or commands or bulletins) or not await services.engine.reachable():
        return 0
    settled = await _each(filings, lambda filing: _start(services, filing))
    settled += await _each(bulletins, services.engine.announce)
    return settled + await _each(commands, lambda command: _settle(services, command))


async def _unregistered(services: Services) -> Sequence[Filing]:
    """Filings that have no number though there was time, and that no import has in hand."""
    before = await services.clock.now() - PATIENCE
    left_alone = in_hand(await services.wall.now())
    wanted = (
        select(Filing)
        .where(col(Filing.registered_at).is_(None), came_at() <= before, ~left_alone)
        .order_by(came_at())
        .limit(BATCH)
    )
    async with services.database.read() as session:
        return (await session.exec(wanted)).all()


async def _unanswered(services: Services) -> Sequence[SentCommand]:
    """Commands that nobody got an answer to, and whose events are in the ledger all the same."""
    now = await services.wall.now()
    recorded = exists().where(
        col(LedgerEvent.case_id) == col(SentCommand.case_id),
        col(LedgerEvent.command_id) == col(SentCommand.command_id),
    )
    wanted = (
        select(SentCommand)
        .where(col(SentCommand.sent_at).between(now - LOOK_BACK, now - PATIENCE))
        .where(col(SentCommand.answered).is_(False), recorded)
        .limit(BATCH)
    )
    async with services.database.read() as session:
        return (await session.exec(wanted)).all()


async def _unsent(services: Services) -> Sequence[int]:
    """Issued bulletins that the channels outside have not got, though there was time."""
    before = await services.clock.now() - PATIENCE
    # Word for word the condition of the partial index.
    unsent = text("bulletins.status = 'issued' AND bulletins.sent_at IS NULL")
    wanted = select(Bulletin.id).where(unsent, col(Bulletin.decided_at) <= before)
    async with services.database.read() as session:
        rows = (await session.exec(wanted.order_by(col(Bulletin.id)).limit(BATCH))).all()
    return [row for row in rows if row is not None]


async def _each(items: Sequence[Item], settle: Callable[[Item], Awaitable[None]]) -> int:
    """Settle items, some at once; one that fails holds up no other. Return how many went well."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> bool:
        async with turns:
            try:
                await settle(item)
            except Exception as error:  # also a hall without its policy, say: the others go on
                _log.warning("not settled", error=f"{type(error).__name__}: {error}"[:200])
                return False
        return True

    return sum(await asyncio.gather(*map(one, items)))


async def _start(services: Services, filing: Filing) -> None:
    terms = await terms_for(services, filing.hall, filing.received_at)
    number = await services.engine.start(filing.case_id, terms)
    _log.info("filing registered", case_id=filing.case_id, number=number)


async def _settle(services: Services, command: SentCommand) -> None:
    """Have the workflow fold in what it missed; the answer is made when somebody asks again."""
    await catch_up(services, str(command.case_id))
    await services.database.write(lambda session: _mark(session, command.command_id))


def _mark(session: Session, command_id: str) -> None:
    mine = col(SentCommand.command_id) == command_id
    session.exec(update(SentCommand).where(mine).values(answered=True))


async def forget_old(services: Services) -> None:
    """Drop answers, failed attempts and kept forms that nobody will ask for again."""
    now = await services.wall.now()

    def drop(session: Session) -> None:
        session.exec(delete(SentCommand).where(col(SentCommand.sent_at) < now - KEPT))
        session.exec(delete(Attempt).where(col(Attempt.at) < now - ATTEMPTS_KEPT))
        session.exec(delete(KeptForm).where(col(KeptForm.at) < now - FORMS_KEPT))

    await services.database.write(drop)
