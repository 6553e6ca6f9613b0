"""Reading cases: one, or those of a work list. Only tables are read, never a workflow."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import NotFound
from casework.finding import Found, case_row, opened, pending_filing
from casework.ledger_texts import case_keys, read_events
from casework.petitioners import erased, masked, read_petitioners
from casework.scope import scope_of
from casework.services import Services
from casework.view import case_view, filing_view
from casework.viewer import Viewer
from models.case import Case
from models.directory import Hall
from models.filing import Filing
from rules.case import permits
from rules.case.context import Context
from rules.case.vocabulary import Status


async def get_case(services: Services, viewer: Viewer, ref: str) -> dict[str, Any]:
    """Return a case, or a filing that waits for its number. Raises `NotFound`."""
    now = await services.clock.now()
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        case = await case_row(session, ref)
        if case is not None and scope.covers(case):
            found = await opened(services, session, case)
            return (await views_of(services, session, viewer, [found], now))[0]
        if case is None and (filing := await pending_filing(session, ref, scope)):
            return (await filing_views(services, session, [filing]))[0]
    raise NotFound("case")


async def view_after(services: Services, viewer: Viewer, case_id: str) -> dict[str, Any]:
    """Return a case to the one who has just acted on it, though it may have left his scope."""
    now = await services.clock.now()
    async with services.database.read() as session:
        case = await session.get_one(Case, case_id)
        scope = await scope_of(session, viewer)
        found = await opened(services, session, case, scope.covers(case))
        return (await views_of(services, session, viewer, [found], now))[0]


def allowed_now(found: Found, viewer: Viewer, now: datetime) -> list[str]:
    """Return the commands that the viewer may give on this case at this instant."""
    if not found.visible or found.state.status is Status.ARCHIVED:
        return []
    ctx = Context(now, viewer.actor, found.pinned.policy, found.pinned.calendar)
    return permits.allowed(found.state, ctx)


async def views_of(
    services: Services, session: AsyncSession, viewer: Viewer, cases: Sequence[Found], now: datetime
) -> list[dict[str, Any]]:
    """Return cases as JSON, in order, with as many queries as for one."""
    people = await masked_petitioners(services, session, [found.case.id for found in cases])
    orders = await _order_texts(services, session, cases)
    return [
        case_view(
            found.case,
            found.state,
            people.get(found.case.id),
            orders.get(found.case.id, {}),
            allowed_now(found, viewer, now),
        )
        for found in cases
    ]


async def masked_petitioners(
    services: Services, session: AsyncSession, case_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the petitioners of cases as they may be shown."""
    found = await read_petitioners(session, services.keyring, case_ids)
    return {
        case_id: masked(details) if details else erased(row.kind) for case_id, (row, details) in found.items()
    }


async def _order_texts(
    services: Services, session: AsyncSession, cases: Sequence[Found]
) -> Mapping[str, Mapping[str, str]]:
    with_orders = [found.case.id for found in cases if found.state.orders]
    if not with_orders:
        return {}
    texts: dict[str, dict[str, str]] = {}
    for row, typed in await read_events(session, services.keyring, with_orders, only=("order",)):
        if "text" in typed:
            texts.setdefault(row.case_id, {})[row.data["order"]] = typed["text"]
    return texts


async def filing_views(
    services: Services, session: AsyncSession, filings: Sequence[Filing]
) -> list[dict[str, Any]]:
    """Return filings that wait for their numbers, as JSON."""
    ids = [filing.case_id for filing in filings]
    people = await masked_petitioners(services, session, ids)
    keys = await case_keys(session, services.keyring, ids)
    policies = dict((await session.exec(select(Hall.code, Hall.policy_id))).all())
    views = []
    for filing in filings:
        form: dict[str, Any] = {}
        if filing.form is not None and filing.case_id in keys:
            form = json.loads(keys[filing.case_id].open_text(filing.form, "form"))
        person = people.get(filing.case_id)
        views.append(filing_view(filing, form, person, policies[filing.hall]))
    return views
