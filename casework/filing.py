"""Filing a case: nothing a citizen says is lost (design.md, Filing).

The filing is committed first, then its workflow is started. While the engine is out of reach the
answer is the filing without a number; the relay starts it later, under the same id and T0.
"""

import asyncio
import json
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from casework.calendars import terms_for
from casework.engine import EngineUnavailable
from casework.errors import BadInput, NotFound
from casework.finding import Found
from casework.petitioners import masked
from casework.pinned import Pinned
from casework.reading import allowed_now, view_after
from casework.sent import KEY_HEADER, body_hash, keep, opened_answer, sealed_answer
from casework.services import Services
from casework.view import case_view, filing_view
from casework.viewer import Viewer
from models.case import Case
from models.command import SentCommand
from models.crypto import CaseKey, hash_code, new_code
from models.database import DatabaseUnavailable
from models.directory import Hall
from models.filing import CaseSecret, Filing
from models.messages import Terms, Values, decode_state
from models.petitioner import PetitionerDetails, seal_petitioner

SCOPE = "filing"
OK, CREATED, ACCEPTED = 200, 201, 202
# A hall without its policy file is an outage too: the filing stands, and waits for an operator.
_NOT_NOW = (EngineUnavailable, DatabaseUnavailable, NotFound, KeyError)
_FORM = ("matter", "problem", "attempts")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Origin:
    """Where a filing comes from that was received elsewhere: T0 is the one given there.

    `key` comes once, whoever brings it; `reference` is its number in the system `source`, where it has
    one. `imported_at` is when it was brought: the first event of the case says so.
    """

    key: str
    source: str
    reference: str | None
    received_at: datetime
    imported_at: datetime


@dataclass(frozen=True, repr=False)
class Filed:
    """What came of it: the HTTP status of contract.md, and the case with its query code."""

    status: int
    case: Values


@dataclass(frozen=True, repr=False)
class _Kept:
    """A filing that is on disk, and what its answer needs. ``sent`` where it came with a key."""

    filing: Filing
    policy_id: str
    code: str | None = None
    sent: SentCommand | None = None
    repeated: bool = False


async def file_case(
    services: Services, viewer: Viewer, form: Values, key: str | None, origin: Origin | None = None
) -> Filed:
    """File a form that was checked (contract.md, Filing); T0 is now, on the clock of the domain.

    The same user, key and form give the same case again. With an origin T0 is its own, and the filing
    is refused by the database (IntegrityError) where its key came before. Raises `BadInput` where the
    key came with another form before, DatabaseUnavailable where nothing was kept.
    """
    digest = body_hash(SCOPE, form)
    received_at = origin.received_at if origin else await services.clock.now()
    kept, terms = await asyncio.gather(
        _keep(services, viewer, form, key, digest, received_at, origin),
        terms_for(services, form["hall"], received_at),
        return_exceptions=True,
    )
    if isinstance(kept, BaseException):
        raise kept
    if kept.filing.body_hash != digest:
        raise BadInput({KEY_HEADER: "idempotency_key_reused"})
    if kept.sent and kept.sent.answer and kept.sent.answered:
        return Filed(OK, opened_answer(services.keyring, kept.sent.command_id, kept.sent.answer))
    return await _register(services, viewer, form, kept, None if kept.repeated else terms)


async def _keep(
    services: Services,
    viewer: Viewer,
    form: Values,
    key: str | None,
    digest: str,
    received_at: datetime,
    origin: Origin | None = None,
) -> _Kept:
    """Commit the filing, or find the one that came before under this key."""
    sent_at = await services.wall.now()
    filing = _filing(viewer, form, key, digest, received_at)
    if origin is not None:
        filing.origin_key, filing.imported_at = origin.key, origin.imported_at
        filing.source, filing.reference = origin.source, origin.reference

    def work(session: Session) -> _Kept:
        if key is not None and (before := _before(session, viewer, key)):
            return before
        return _insert(services, session, filing, form, sent_at)

    try:
        kept = await services.database.write(work)
    except IntegrityError:  # the same key at the same instant: the other one was first
        kept = await services.database.write(work)
    if kept.sent and kept.code is None and kept.sent.answer and not kept.sent.answered:
        code = opened_answer(services.keyring, kept.sent.command_id, kept.sent.answer)["query_code"]
        return replace(kept, code=code)
    return kept


def _filing(viewer: Viewer, form: Values, key: str | None, digest: str, received_at: datetime) -> Filing:
    return Filing(
        case_id=case_id_at(received_at),
        hall=form["hall"],
        channel=form["channel"],
        received_at=received_at,
        clerk=viewer.username,
        idempotency_key=key,
        body_hash=digest,
        cause=form.get("cause"),
        query_code_hash="",
    )


def _before(session: Session, viewer: Viewer, key: str) -> _Kept | None:
    same = Filing.clerk == viewer.username, Filing.idempotency_key == key
    filing = session.exec(select(Filing).where(*same)).first()
    if filing is None:
        return None
    mine = (
        SentCommand.username == viewer.username,
        SentCommand.scope == SCOPE,
        SentCommand.key == key,
    )
    sent = session.exec(select(SentCommand).where(*mine)).first()
    return _Kept(filing, _policy_of(session, filing.hall), sent=sent, repeated=True)


def _policy_of(session: Session, hall: str) -> str:
    return session.get_one(Hall, hall).policy_id


def _insert(services: Services, session: Session, blank: Filing, form: Values, sent_at: datetime) -> _Kept:
    keyring, case_id = services.keyring, blank.case_id
    case_key, code = CaseKey.create(), new_code()
    texts = {name: form[name] for name in _FORM if name in form}
    sealed = case_key.seal_text(json.dumps(texts, ensure_ascii=False), "form")
    filing = Filing(**blank.model_dump() | {"form": sealed, "query_code_hash": hash_code(code)})
    session.add(filing)
    session.add(seal_petitioner(_petitioner(form), case_id, case_key, keyring))
    session.add(CaseSecret(case_id=case_id, wrapped_key=case_key.wrap(keyring, case_id)))
    sent = None
    if filing.idempotency_key is not None:
        sent = _sent(services, filing, code, sent_at)
        session.add(sent)
    session.flush()
    return _Kept(filing, _policy_of(session, filing.hall), code, sent)


def _sent(services: Services, filing: Filing, code: str, sent_at: datetime) -> SentCommand:
    """Keep the query code, sealed: it is stored hashed elsewhere, and a repeat must tell it again."""
    command_id = f"{SCOPE}:{filing.case_id}"
    return SentCommand(
        command_id=command_id,
        username=filing.clerk,
        scope=SCOPE,
        key=filing.idempotency_key,
        case_id=filing.case_id,
        body_hash=filing.body_hash,
        answer=sealed_answer(services.keyring, command_id, {"query_code": code}),
        sent_at=sent_at,
    )


async def _register(
    services: Services, viewer: Viewer, form: Values, kept: _Kept, terms: Terms | BaseException | None
) -> Filed:
    """Start the case and answer with it; what is out of reach now is the relay's part later.

    `terms` (or why there are none) were read for this T0; None: a filing from before has its own.
    """
    case_id = kept.filing.case_id
    code = {"query_code": kept.code} if kept.code else {}
    try:
        terms = terms or await terms_for(services, kept.filing.hall, kept.filing.received_at)
        if isinstance(terms, BaseException):
            raise terms
        await services.engine.start(case_id, terms)
        answer = await _registered_view(services, viewer, form, kept, terms) | code
        if kept.sent:
            answer = await keep(services, kept.sent, CREATED, answer)
    except _NOT_NOW as error:
        _log.warning("filing kept for the relay", case_id=case_id, error=str(error)[:200])
        waiting = filing_view(kept.filing, form, masked(_petitioner(form)), kept.policy_id)
        return Filed(ACCEPTED, waiting | code)
    return Filed(OK if kept.repeated else CREATED, answer)


async def _registered_view(
    services: Services, viewer: Viewer, form: Values, kept: _Kept, terms: Terms
) -> Values:
    """Return the case to whoever filed it; its petitioner and its terms are at hand."""
    case_id = kept.filing.case_id
    case = await services.database.look(lambda session: session.get_one(Case, case_id))
    if kept.repeated or case.seq > 1:  # something happened to it already
        return await view_after(services, viewer, case_id)
    pinned = Pinned(terms.policy, terms.read_calendar())
    found = Found(case, decode_state(case.state), pinned)
    allowed = allowed_now(found, viewer, await services.clock.now())
    return case_view(case, found.state, masked(_petitioner(form)), {}, allowed)


def _petitioner(form: Values) -> PetitionerDetails:
    given: dict[str, Any] = form["petitioner"]
    return PetitionerDetails(**given)


def case_id_at(at: datetime) -> str:
    """Return a new id that sorts by its instant (UUID version 7): lists stay stable by it."""
    milliseconds = int(at.timestamp() * 1000)
    rest = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76
    value |= (rest >> 62) << 64 | 0b10 << 62 | rest & (1 << 62) - 1
    return str(uuid.UUID(int=value))
