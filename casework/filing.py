"""Filing a case: nothing a citizen says is lost (design.md, Filing).

The filing is committed first, then its workflow is started. While the engine is out of reach the
answer is the filing without a number; the relay starts it later, under the same id and T0.
"""

import asyncio
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from casework.calendars import terms_for
from casework.engine import EngineUnavailable
from casework.errors import BadInput, NotFound
from casework.finding import Found
from casework.petitioners import masked
from casework.pinned import Pinned
from casework.reading import allowed_now, get_case, view_after
from casework.sent import KEY_HEADER, body_hash, opened_answer, sealed_answer
from casework.services import Services
from casework.view import case_view, filing_view
from casework.viewer import Viewer
from models.case import Case
from models.codes import hash_code, new_code
from models.command import SentCommand
from models.crypto import CaseKey
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
_POLICY = select(Hall.policy_id).where(col(Hall.code) == bindparam("hall"))
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
    """A filing that is on disk, and what its answer needs; no ``code`` where that is not known any more."""

    filing: Filing
    policy_id: str
    code: str | None
    repeated: bool = False


async def file_case(
    services: Services, viewer: Viewer, form: Values, key: str | None, origin: Origin | None = None
) -> Filed:
    """File a form that was checked (contract.md, Filing); T0 is now, on the clock of the domain.

    The same user, key and form give the same case again, as it is by then; as it was filed where the user
    does not see it any more. With an origin T0 is its own,
    and the filing is refused by the database (IntegrityError) where its key came before. Raises `BadInput`
    where the key came with another form before, DatabaseUnavailable where nothing was kept.
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
    return await _register(services, viewer, form, kept, terms)


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
    values = _values(viewer, form, key, digest, received_at, origin)
    try:
        return await services.database.write(
            lambda session: _insert(services, session, values, form, sent_at)
        )
    except IntegrityError:
        # Most keys are new: only the database is asked, which also sees who comes at the same instant.
        if key is None:
            raise
        return await services.database.look(lambda session: _before(services, session, viewer, key))


def _values(
    viewer: Viewer, form: Values, key: str | None, digest: str, received_at: datetime, origin: Origin | None
) -> Values:
    """Return what is known of a filing before its texts are sealed."""
    values = {
        "case_id": case_id_at(received_at),
        "hall": form["hall"],
        "channel": form["channel"],
        "received_at": received_at,
        "clerk": viewer.username,
        "idempotency_key": key,
        "body_hash": digest,
        "cause": form.get("cause"),
    }
    if origin is not None:
        values |= {"origin_key": origin.key, "imported_at": origin.imported_at}
        values |= {"source": origin.source, "reference": origin.reference}
    return values


def _before(services: Services, session: Session, viewer: Viewer, key: str) -> _Kept:
    same = Filing.clerk == viewer.username, Filing.idempotency_key == key
    filing = session.exec(select(Filing).where(*same)).one()
    sent = session.get(SentCommand, _command_id(filing.case_id))
    code = None
    if sent and sent.answer:
        code = opened_answer(services.keyring, sent.command_id, sent.answer)["query_code"]
        if hash_code(code) != filing.query_code_hash:  # a newer one was given out
            code = None
    return _Kept(filing, _policy_of(session, filing.hall), code, repeated=True)


def _policy_of(session: Session, hall: str) -> str:
    policy: str = session.connection().execute(_POLICY, {"hall": hall}).scalar_one()
    return policy


def _insert(services: Services, session: Session, values: Values, form: Values, sent_at: datetime) -> _Kept:
    keyring, case_id = services.keyring, values["case_id"]
    case_key, code = CaseKey.create(), new_code()
    texts = {name: form[name] for name in _FORM if name in form}
    sealed = case_key.seal_text(json.dumps(texts, ensure_ascii=False), "form")
    filing = Filing(**values, form=sealed, query_code_hash=hash_code(code))
    session.add(filing)
    session.add(seal_petitioner(_petitioner(form), case_id, case_key, keyring))
    session.add(CaseSecret(case_id=case_id, wrapped_key=case_key.wrap(keyring, case_id)))
    if filing.idempotency_key is not None:
        session.add(_sent(services, filing, code, sent_at))
    session.flush()
    return _Kept(filing, _policy_of(session, filing.hall), code)


def _sent(services: Services, filing: Filing, code: str, sent_at: datetime) -> SentCommand:
    """Keep the query code, sealed: it is stored hashed elsewhere, and a repeat must tell it again.

    Nothing else of the answer is kept, and nothing is left to settle: a filing is the relay's by itself.
    """
    command_id = _command_id(filing.case_id)
    return SentCommand(
        command_id=command_id,
        username=filing.clerk,
        scope=SCOPE,
        key=filing.idempotency_key,
        case_id=filing.case_id,
        body_hash=filing.body_hash,
        answer=sealed_answer(services.keyring, command_id, {"query_code": code}),
        answered=True,
        sent_at=sent_at,
    )


def _command_id(case_id: str) -> str:
    return f"{SCOPE}:{case_id}"


async def _register(
    services: Services, viewer: Viewer, form: Values, kept: _Kept, terms: Terms | BaseException
) -> Filed:
    """Start the case and answer with it; what is out of reach now is the relay's part later.

    `terms` (or why there are none) were read for a T0 of now: a filing from before has its own.
    """
    case_id = kept.filing.case_id
    code = {"query_code": kept.code} if kept.code else {}
    try:
        if kept.repeated:
            return Filed(OK, await _repeated_view(services, viewer, form, kept) | code)
        if isinstance(terms, BaseException):
            raise terms
        await services.engine.start(case_id, terms)
        return Filed(CREATED, await _registered_view(services, viewer, form, case_id, terms) | code)
    except _NOT_NOW as error:
        if kept.filing.number is not None:  # nothing is left for the relay to do
            raise
        _log.warning("filing kept for the relay", case_id=case_id, error=str(error)[:200])
        waiting = filing_view(kept.filing, form, masked(_petitioner(form)), kept.policy_id)
        return Filed(ACCEPTED, waiting | code)


async def _repeated_view(services: Services, viewer: Viewer, form: Values, kept: _Kept) -> Values:
    """Return the case of a filing that came before, started where nobody has yet."""
    filing = kept.filing
    if filing.number is None:
        terms = await terms_for(services, filing.hall, filing.received_at)
        filing.number = await services.engine.start(filing.case_id, terms)
    try:
        return await get_case(services, viewer, filing.case_id)
    except NotFound:  # in another hall by now, or an online filing's, which no user sees
        return filing_view(filing, form, masked(_petitioner(form)), kept.policy_id)


async def _registered_view(
    services: Services, viewer: Viewer, form: Values, case_id: str, terms: Terms
) -> Values:
    """Return the case to whoever filed it; its petitioner and its terms are at hand."""
    case = await services.database.look(lambda session: session.get_one(Case, case_id))
    if case.seq > 1:  # something happened to it already
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
