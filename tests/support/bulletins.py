"""Drafts of a 通报 laid out as the ledger lays them out, from stories of the rules, without an engine.

And acts on them through the API, by people of the demonstration halls.
"""

import asyncio
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pypdf import PdfReader
from sqlalchemy import Connection
from sqlmodel import Session, col, select, update

from activities.bulletins import draft
from casework.services import Services
from models.act import Act
from models.case import Bulletin
from models.database import Database
from models.directory import ContactEntry
from models.inbox import Notification
from tests.support.cases import Story, dispatched, handled
from tests.support.house import House
from tests.support.office import Office

MONDAY = "03-09 09:20"
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
SUPERVISOR, LEADER, CONTACT = "guilin.supervisor", "guilin.market.leader", "guilin.market.contact"
SEE_DRAFTS = (SUPERVISOR, "auditor", LEADER)
SEE_ISSUED = (*SEE_DRAFTS, CONTACT, "guilin.market.alternate", "guilin.lead", "guilin.centre")
NEVER = (
    "guilin.clerk",
    "guilin.social.leader",
    "guilin.social.contact",
    "chengzhong.supervisor",
    "chengzhong.market.leader",
    "chengzhong.lead",
    "lingui.supervisor",
    "superior",
)


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


async def seen(office: Office, bulletin: int) -> set[str]:
    """Return who of `SEE_ISSUED` and `NEVER` is shown it."""
    users = {*SEE_ISSUED, *NEVER}
    return {user for user in users if (await office.get(f"bulletins/{bulletin}", user)).status_code == 200}


async def give(office: Office, bulletin: int, act: str, user: str, **body: Any) -> Any:
    """Send an act; return the answer."""
    return await office.call("POST", f"bulletins/{bulletin}/{act}", user, json=body)


async def done(office: Office, bulletin: int, act: str, user: str, **body: Any) -> dict[str, Any]:
    """Send an act that passes; return what was answered."""
    answer = await give(office, bulletin, act, user, **body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def told(office: Office, kind: str) -> set[str]:
    """Return who has a line of that kind in the inbox."""
    async with office.services.database.read() as session:
        wanted = select(Notification.username).where(Notification.kind == kind)
        return set((await session.exec(wanted)).all())


async def acts(office: Office, bulletin: int) -> Sequence[Act]:
    """Return its record, in order."""
    async with office.services.database.read() as session:
        wanted = select(Act).where(Act.item == bulletin, Act.kind == "bulletin").order_by(col(Act.seq))
        return (await session.exec(wanted)).all()


async def sent(house: House, bulletin: int) -> None:
    """Wait until the workflow has noted that the channels outside have it."""
    for _ in range(200):
        async with house.services.database.read() as session:
            row = await session.get_one(Bulletin, bulletin)
        if row.sent_at is not None:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the bulletin was not sent")


def words(pdf: bytes) -> str:
    """Return the text of a PDF as another library reads it, without its line breaks."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)
