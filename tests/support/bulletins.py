"""Drafts of a 通报 laid out as the ledger lays them out, from stories of the rules, without an engine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlmodel import Session, col, select, update

from activities.bulletins import draft
from casework.services import Services
from models.case import Bulletin
from models.database import Database
from models.directory import ContactEntry
from tests.support.cases import Story, dispatched, handled

MONDAY = "03-09 09:20"
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def replies(hall: str = "guilin", unit: str = "market") -> Story:
    """Two replies of the unit were refused."""
    story = handled(MONDAY, "commitment", unit, hall)
    for _ in range(2):
        story.give("reply").give("check_reply", accept=False, reason="理由")
    return story


def returns(hall: str = "guilin", unit: str = "market") -> Story:
    """Two returns of the case were refused, the second one the unit's."""
    story = dispatched(MONDAY, unit="housing", hall=hall).give("return_order")
    story.give("decide_return", accept=False, reason="理由").give("reassign", unit=unit)
    return story.give("return_order").give("decide_return", accept=False, reason="理由")


def order(hall: str = "guilin", unit: str = "market") -> Story:
    """An order of the supervisor is left unanswered."""
    return handled(MONDAY, "commitment", unit, hall).give("order").until("03-11 17:30")


async def lay(database: Database, story: Story, name: str) -> list[int]:
    """Lay out what a story gives grounds for, as a case of that name; return the ids of the drafts."""

    def work(session: Session) -> list[int]:
        _lay(session.connection(), story, name)
        wanted = select(Bulletin.id).where(Bulletin.case_id == name).order_by(col(Bulletin.id))
        return [found for found in session.exec(wanted) if found is not None]

    return await database.write(work)


def _lay(connection: Connection, story: Story, name: str) -> None:
    before = None
    for seq, (state, event) in enumerate(zip(story.states, story.events, strict=True), 1):
        after = replace(state, case_id=name, number=f"{state.hall}-20260309-{name[-4:]:0>4}")
        draft(connection, before, after, event, seq)
        before = after


async def drafts(
    services: Services, count: int, hall: str = "guilin", story: Callable[[str], Story] = replies
) -> list[int]:
    """Lay out so many drafts about market, each of a case of its own."""
    found: list[int] = []
    for number in range(count):
        name = f"case-{hall}-{story.__name__}-{number}"
        found += await lay(services.database, story(hall), name)
    return found


async def since_long_ago(services: Services) -> None:
    """Let the contact table of the demonstration halls hold since before any story."""
    async with services.database.begin() as session:
        await session.exec(update(ContactEntry).values(valid_from=LONG_AGO))
