"""Files of a case: kept sealed, each an event with its SHA-256, at most ten."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.blobs import Blobs
from casework.delivery import conflict, deliver, recorded
from casework.engine import EngineUnavailable
from casework.errors import NotFound, Unsupported
from casework.file_types import SUFFIXES, media_type_of
from casework.finding import Found
from casework.ledger_texts import case_keys
from casework.moments import shown
from casework.sent import Sending, body_hash, forget, take
from casework.services import Services
from casework.viewer import Viewer
from models.access_log import append
from models.attachment import Attachment
from models.case import LedgerEvent
from models.crypto import CaseKey
from rules.case.commands import Attach
from rules.case.errors import Illegal, Refusal

LARGEST = 20 * 1024 * 1024  # bytes
PATIENCE = 20  # tenths of a second that a second click waits for the first one's event


@dataclass(frozen=True, repr=False)
class Download:
    """A file to hand out, under a name whose ending fits its content."""

    name: str
    media_type: str
    content: bytes


async def attach(
    services: Services, viewer: Viewer, found: Found, name: str, content: bytes, key: str | None = None
) -> dict[str, Any]:
    """Add a file to a case; return `{id, name, size, sha256, media_type}`.

    The same user, `key` and content make one attachment, however often they come. Role and scope are
    the caller's to check, and that it is not larger than `LARGEST`. Raises
    `Unsupported`, `Conflict` (also for the eleventh), `EngineUnavailable`, DatabaseUnavailable.
    """
    media_type = await asyncio.to_thread(media_type_of, content)
    if media_type is None:
        raise Unsupported
    case_id = found.case.id
    case_key = await _key(services, case_id)
    blobs = Blobs(services.attachments)
    sha256 = await blobs.put(case_id, case_key, content)
    row = Attachment(
        id=_new_id(case_id, viewer.username, key, sha256),
        case_id=case_id,
        size=len(content),
        sha256=sha256,
        media_type=media_type,
        at=await services.clock.now(),
        username=viewer.username,
    )
    row.name = case_key.seal_text(name, _sealing(row.id))
    command = Attach(
        attachment=row.id, file_name=name, size=row.size, sha256=row.sha256, media_type=media_type
    )
    try:
        await _record(services, viewer, found, row, command)
    except IntegrityError:
        await _recorded_by_the_first(services, row)
        return _item(row, name)
    except Refusal as refusal:
        await _take_back(services, blobs, row)
        if isinstance(refusal, Illegal):
            raise await conflict(services, viewer, found, refusal) from refusal
        raise
    return _item(row, name)


def _new_id(case_id: str, username: str, key: str | None, sha256: str) -> str:
    if key is None:
        return str(uuid.uuid4())
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((case_id, username, key, sha256))))


async def _record(services: Services, viewer: Viewer, found: Found, row: Attachment, command: Attach) -> None:
    """Write the row, then the event: a row without its event is no attachment yet."""
    async with services.database.begin() as session:
        session.add(row)
    sending = Sending(
        command_id=f"attach:{row.id}",
        username=viewer.username,
        scope=row.case_id,
        key=None,
        body_hash=body_hash("attach", {"attachment": row.id}),
        case_id=row.case_id,
        sent_at=await services.wall.now(),
    )
    await take(services, sending)
    await deliver(services, found, viewer.actor, command, sending.command_id)
    await forget(services, sending.command_id)


async def _recorded_by_the_first(services: Services, row: Attachment) -> None:
    """Wait until the same file, sent a moment before, is in the ledger. Raises `EngineUnavailable`."""
    for _ in range(PATIENCE):
        if await recorded(services, row.case_id, f"attach:{row.id}"):
            return
        await asyncio.sleep(0.1)
    raise EngineUnavailable("the same file was sent before, and its event is not there yet")


async def _take_back(services: Services, blobs: Blobs, row: Attachment) -> None:
    """Forget a refused file, unless the case has the same content already."""
    await forget(services, f"attach:{row.id}")
    async with services.database.begin() as session:
        await session.exec(delete(Attachment).where(col(Attachment.id) == row.id))
        same = Attachment.case_id == row.case_id, Attachment.sha256 == row.sha256
        others = (await session.exec(select(func.count()).where(*same))).one()
    if not others:
        await blobs.drop(row.case_id, row.sha256)


async def list_attachments(services: Services, found: Found) -> dict[str, Any]:
    """Return `{items}`: the files of a case, in the order in which they came."""
    case_id = found.case.id
    async with services.database.read() as session:
        keys = await case_keys(session, services.keyring, [case_id])
        rows = await _rows(session, case_id)
    items = []
    for row in rows:
        item = _item(row, _name(row, keys.get(case_id)))
        items.append(item | {"at": shown(row.at), "username": row.username})
    return {"items": items}


async def download(
    services: Services, viewer: Viewer, found: Found, attachment_id: str, address: str | None
) -> Download:
    """Return one file; who took it is on the access log first. Raises `NotFound`."""
    case_id = found.case.id
    async with services.database.read() as session:
        rows = {row.id: row for row in await _rows(session, case_id)}
        keys = await case_keys(session, services.keyring, [case_id])
    row = rows.get(attachment_id)
    if row is None or case_id not in keys:
        raise NotFound("attachment")
    content = await Blobs(services.attachments).get(case_id, keys[case_id], row.sha256)
    at = await services.wall.now()
    async with services.database.begin() as session:
        await append(
            session,
            at=at,
            action="download",
            username=viewer.username,
            case_id=case_id,
            reason=f"attachment {row.id}",
            address=address,
        )
    return Download(_fitting(_name(row, keys[case_id]) or "", row.media_type), row.media_type, content)


async def _rows(session: AsyncSession, case_id: str) -> list[Attachment]:
    """Return the rows whose event is in the ledger, in its order."""
    events = (
        select(LedgerEvent)
        .where(LedgerEvent.case_id == case_id, LedgerEvent.type == "attach")
        .order_by(col(LedgerEvent.seq))
    )
    ids = [event.data["attachment"] for event in (await session.exec(events)).all()]
    wanted = select(Attachment).where(col(Attachment.id).in_(ids))
    found = {row.id: row for row in (await session.exec(wanted)).all()}
    return [found[each] for each in ids if each in found]


async def _key(services: Services, case_id: str) -> CaseKey:
    async with services.database.read() as session:
        return (await case_keys(session, services.keyring, [case_id]))[case_id]


def _item(row: Attachment, name: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": name,
        "size": row.size,
        "sha256": row.sha256,
        "media_type": row.media_type,
    }


def _name(row: Attachment, key: CaseKey | None) -> str | None:
    return key.open_text(row.name, _sealing(row.id)) if key and row.name else None


def _fitting(name: str, media_type: str) -> str:
    """Return a name that opens as what the file is: `scan.exe` that is a PDF becomes `scan.exe.pdf`."""
    endings = SUFFIXES[media_type]
    return name if name.lower().endswith(endings) else f"{name or 'file'}{endings[0]}"


def _sealing(attachment_id: str) -> str:
    return f"attachment:{attachment_id}"
