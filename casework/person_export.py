"""What is held about one person, as a copy to hand over (个人信息查阅复制).

One zip: person.json for machines, a PDF for people, and the files of the cases. Each case whose data went
out has its line on the access log, before anything is handed out. Source: Personal Information Protection
Law, article 45.
"""

import asyncio
import json
import zipfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.attachments import list_attachments
from casework.blobs import Blobs
from casework.errors import BadInput, NotFound
from casework.file_types import SUFFIXES
from casework.filer import filer_of
from casework.finding import Found, opened
from casework.history import events_shown
from casework.ledger_texts import case_keys, read_events
from casework.moments import shown
from casework.petitioners import in_clear, read_petitioners
from casework.reading import filing_views
from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.access import AccessLog
from models.access_log import append
from models.case import Case
from models.crypto import Keyring
from models.filing import Filing, Petitioner
from models.petitioner import PHONE_INDEX, PetitionerDetails
from rules.case.vocabulary import Role

MAY_EXPORT = frozenset({Role.SUPERVISOR, Role.AUDITOR})
JSON_FILE, PDF_FILE = "person.json", "person.pdf"
LOOKED = ("unmask", "download", "dossier", "person_export")
"""Actions of the access log by which somebody saw or took the person's data."""
_OF_A_CASE = (
    "number",
    "hall",
    "channel",
    "status",
    "outcome",
    "received_at",
    "closed_at",
    "matter",
    "problem",
)

Printer = Callable[[Mapping[str, Any]], Awaitable[bytes]]


@dataclass(frozen=True, repr=False)
class Asked:
    """Who is asked for. A phone may serve a household: `name` tells its people apart."""

    phone: str
    name: str | None = None


async def export_person(
    services: Services,
    viewer: Viewer,
    asked: Asked,
    reason: str,
    address: str | None,
    print_pdf: Printer,
    out: Path,
) -> int:
    """Write all that is held about a person in the viewer's scope to `out`; return of how many cases.

    Role is the caller's to check. Raises `NotFound` where nothing is held, `BadInput` where the phone is
    several people's and no name was given; OSError, DatabaseUnavailable.
    """
    found = await _find(services, viewer, asked)
    await _log(services, viewer, [*found], reason, address)
    if not found:
        raise NotFound("person")
    files: list[tuple[str, str, str]] = []
    cases = [await _case(services, case_id, person, files) for case_id, person in found.items()]
    values = {
        "made_at": shown(await services.clock.now()),
        "made_by": {"username": viewer.username, "name": viewer.name, "role": viewer.role.value},
        "reason": reason,
        "cases": cases,
    }
    pdf = await print_pdf(values)
    await asyncio.to_thread(_begin, out, values, pdf)
    for case_id, sha256, name in files:
        await asyncio.to_thread(_add, out, name, await _content(services, case_id, sha256))
    return len(found)


async def _find(services: Services, viewer: Viewer, asked: Asked) -> dict[str, PetitionerDetails]:
    """Return the petitioner of each case, the oldest case first."""
    digests = services.keyring.blind_indexes(PHONE_INDEX, asked.phone)
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        seen = or_(
            col(Petitioner.case_id).in_(select(Case.id).where(scope.cases)),
            col(Petitioner.case_id).in_(
                select(Filing.case_id).where(scope.filings, col(Filing.registered_at).is_(None))
            ),
        )
        wanted = select(Petitioner.case_id).where(col(Petitioner.phone_index).in_(digests), seen)
        ids = sorted((await session.exec(wanted)).all())
        people = await read_petitioners(session, services.keyring, ids)
    known = {case_id: people[case_id][1] for case_id in ids}
    mine = {case_id: details for case_id, details in known.items() if details is not None}
    if asked.name is not None:
        return {case_id: each for case_id, each in mine.items() if _same(each.name, asked.name)}
    if len({_bare(each.name) for each in mine.values()}) > 1:
        raise BadInput({"name": "several_people"})
    return mine


def _same(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return "".join(name.split()).casefold()


async def _log(
    services: Services, viewer: Viewer, case_ids: Sequence[str], reason: str, address: str | None
) -> None:
    """One line a case; one without a case where nothing was found: who asked is on the record too."""
    at = await services.wall.now()
    nothing: list[str | None] = [None]
    async with services.database.begin() as session:
        for case_id in case_ids or nothing:
            await append(
                session,
                at=at,
                action="person_export",
                username=viewer.username,
                case_id=case_id,
                reason=reason,
                address=address,
            )


async def _case(
    services: Services, case_id: str, person: PetitionerDetails, files: list[tuple[str, str, str]]
) -> dict[str, Any]:
    """Return a case as the person gets it; note in `files` which of its files go along under which name."""
    async with services.database.read() as session:
        case = await session.get(Case, case_id)
        looked = await _looked(session, case_id)
        if case is None:
            filing = await session.get_one(Filing, case_id)
            view = (await filing_views(services, session, [filing]))[0]
            found = None
        else:
            found = await opened(services, session, case)
            view = _columns(case)
            rows = await read_events(session, services.keyring, [case_id])
            events = events_shown(found, rows, await filer_of(session, case_id))["items"]
    held = {name: view[name] for name in _OF_A_CASE}
    held |= {"petitioner": in_clear(person), "events": [], "files": [], "seen_by_staff": looked}
    if found is not None:
        held["events"] = [_event(each) for each in events]
        held["reference"] = case.reference if case else None
        held["files"] = await _files(services, found, files)
    return held


def _columns(case: Case) -> dict[str, Any]:
    columns = {name: getattr(case, name) for name in _OF_A_CASE}
    return columns | {name: shown(columns[name]) for name in ("received_at", "closed_at")}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event without hashes, and without the names of staff: those are not the person's data."""
    actor = {name: event["actor"].get(name) for name in ("role", "unit")}
    data = {name: value for name, value in event["data"].items() if name not in ("changes", "filed_by")}
    return {"seq": event["seq"], "at": event["at"], "type": event["type"], "actor": actor, "data": data}


async def _files(services: Services, found: Found, files: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Return the files of a case; what a file is called in the zip comes from its number and kind alone."""
    items = (await list_attachments(services, found))["items"]
    listed = []
    for number, item in enumerate(items, start=1):
        name = f"files/{found.case.number}/{number:02}{SUFFIXES[item['media_type']][0]}"
        files.append((found.case.id, item["sha256"], name))
        listed.append({name_: item[name_] for name_ in ("name", "size", "sha256", "at")} | {"file": name})
    return listed


async def _looked(session: AsyncSession, case_id: str) -> list[dict[str, Any]]:
    wanted = select(AccessLog).where(AccessLog.case_id == case_id, col(AccessLog.action).in_(LOOKED))
    rows = (await session.exec(wanted.order_by(col(AccessLog.id)))).all()
    return [{"at": shown(row.at), "action": row.action, "reason": row.reason} for row in rows]


async def _content(services: Services, case_id: str, sha256: str) -> bytes:
    keyring: Keyring = services.keyring
    async with services.database.read() as session:
        key = (await case_keys(session, keyring, [case_id]))[case_id]
    return await Blobs(services.attachments).get(case_id, key, sha256)


def _begin(out: Path, values: Mapping[str, Any], pdf: bytes) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=1, default=str)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(JSON_FILE, text + "\n")
        archive.writestr(PDF_FILE, pdf)


def _add(out: Path, name: str, content: bytes) -> None:
    """One at a time: never more than one file is in memory."""
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, content)
