"""Reading the engine's histories in clear: who may, and opening payloads for Temporal's own UI.

A history names people in its replies, and its payloads do not say whose case they are: so only those
read them who may see every case. Source: design.md, "Personal data".
"""

import json
from collections.abc import Iterable

from sqlmodel import select
from temporalio.api.common.v1 import Payload

from casework.access import record
from casework.errors import NotFound
from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.base import UUID
from models.codec import SealingCodec
from models.crypto import UnsealError
from models.directory import Hall
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role

ACTION = "engine_decode"


async def may_read_engine(services: Services, viewer: Viewer, asked: str) -> None:
    """Let an auditor pass, and a supervisor who oversees every hall there is.

    Raises `NotFound` where the settings name no UI, `Forbidden` for everybody else.
    """
    if not services.temporal_ui:
        raise NotFound("page")
    if viewer.role in (Role.AUDITOR, Role.SUPERVISOR):
        async with services.database.read() as session:
            seen = (await scope_of(session, viewer)).halls
            if seen is None or seen.issuperset((await session.exec(select(Hall.code))).all()):
                return
    raise Forbidden(asked, viewer.role)


async def decode(
    services: Services, viewer: Viewer, payloads: Iterable[Payload], address: str | None
) -> list[Payload]:
    """Return the payloads opened, in order; what our keys do not open stays as it is.

    It is on the access log before anybody sees it, with the case where all are of one.
    """
    codec, given, opened, unread = SealingCodec(services.keyring), list(payloads), [], 0
    for payload in given:
        try:
            opened.append(codec.opened(payload))
        except UnsealError:
            opened.append(payload)
            unread += 1
    cases = {case for payload in opened if (case := _case_named(payload))}
    await record(
        services,
        action=ACTION,
        username=viewer.username,
        case_id=cases.pop() if len(cases) == 1 else None,
        reason=f"payloads: {len(given)}" + (f", unreadable: {unread}" if unread else ""),
        address=address,
    )
    return opened


def _case_named(payload: Payload) -> str | None:
    """Return the id of the case that a payload names, None for one that names none."""
    try:
        value = json.loads(payload.data)
    except (ValueError, RecursionError):
        return None
    named = value.get("case_id") if isinstance(value, dict) else None
    return named if isinstance(named, str) and len(named) <= UUID else None
