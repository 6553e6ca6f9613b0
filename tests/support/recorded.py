"""Stories written into the ledger of a furnished database, as the activities write them."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection, select

from activities.inbox import Inbox
from activities.tables import SECRETS
from activities.writing import Head, LedgerWriter, read_head
from casework.calendars import store_terms
from casework.services import Services
from models.filing import Filing
from models.messages import Terms, encode_event
from rules.case.events import Event
from tests.support.books import file_case
from tests.support.cases import NATIONAL, Story


async def record(services: Services, story: Story, number: str | None = None) -> str:
    """Write a story of the hall it was told in; return the case's id. Its calendar is the national one."""
    hall = story.state.hall
    case_id = await file_case(services.database, services.keyring, story.state.received_at, hall=hall)
    number = number or f"{hall}-20260309-{case_id[:4]}"
    await store_terms(services.database, Terms.of(story.policy, NATIONAL))
    async with services.database.begin() as session:
        filing = await session.get_one(Filing, case_id)
        filing.number, filing.registered_at = number, story.state.registered_at
    writer = LedgerWriter(services.keyring, Inbox())
    events = [_of_case(event, case_id, number) for event in story.events]
    await services.database.write(lambda session: _write(session.connection(), writer, case_id, events))
    return case_id


def _of_case(event: Event, case_id: str, number: str) -> Event:
    if event.type != "registered":
        return event
    mine = {"case_id": case_id, "number": number}
    texts = {"matter": "营业执照注销", "problem": "=1+1 窗口要求重复提交证件"}
    return replace(event, data={**event.data, **mine}, changes={**event.changes, **mine}, texts=texts)


def _write(connection: Connection, writer: LedgerWriter, case_id: str, events: Iterable[Event]) -> None:
    key = connection.execute(select(SECRETS.c.wrapped_key).where(SECRETS.c.case_id == case_id)).scalar_one()
    for seq, event in enumerate(events, 1):
        head = read_head(connection, case_id) or Head(case_id, key)
        command_id = event.fired[0] if event.fired else f"{event.type}-{seq}"
        writer.append(connection, head, command_id, [encode_event(event)], None)
