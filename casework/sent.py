"""Commands as they were sent: an Idempotency-Key answers the same way twice, and nothing gets lost.

A row is written before the engine is asked, so that the relay can settle what a crash left open.
Answers are sealed: they hold what people typed. Refusals are not kept: nothing was done then.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select, update

from casework.errors import BadInput
from casework.services import Services
from models.chain import canonical_bytes
from models.command import SentCommand
from models.crypto import Keyring
from models.messages import Values

KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True)
class Sending:
    """A command about to be sent. `scope` is the case, or what the key belongs to instead."""

    command_id: str
    username: str
    scope: str
    key: str | None
    body_hash: str
    case_id: str
    sent_at: datetime


def body_hash(name: str, body: Values) -> str:
    """Return the digest of a body as it was understood: order and white space don't matter."""
    return hashlib.sha256(canonical_bytes({"name": name, "body": body})).hexdigest()


def refuse_other_body(row: SentCommand, digest: str) -> None:
    """Raise `BadInput` where the key was used for another body before."""
    if row.body_hash != digest:
        raise BadInput({KEY_HEADER: "idempotency_key_reused"})


async def find_sent(services: Services, username: str, scope: str, key: str) -> SentCommand | None:
    """Return what this user sent before under this key."""
    wanted = select(SentCommand).where(
        SentCommand.username == username, SentCommand.scope == scope, SentCommand.key == key
    )
    async with services.database.read() as session:
        return (await session.exec(wanted)).first()


async def take(services: Services, sending: Sending) -> SentCommand:
    """Return the row of this command, new or there already; whoever comes second joins the first."""

    def insert(session: Session) -> SentCommand:
        row = SentCommand(**vars(sending))
        session.add(row)
        session.flush()
        return row

    try:
        return await services.database.write(insert)
    except IntegrityError:
        assert sending.key is not None
        found = await find_sent(services, sending.username, sending.scope, sending.key)
        # Gone again: the first one was refused meanwhile, and this one tries for itself.
        return found if found is not None else await services.database.write(insert)


async def forget(services: Services, command_id: str) -> None:
    """Drop a command that was refused, or that nobody can repeat."""

    def drop(session: Session) -> None:
        same = col(SentCommand.command_id) == command_id, col(SentCommand.answered).is_(False)
        session.exec(delete(SentCommand).where(*same))

    await services.database.write(drop)


async def keep(services: Services, row: SentCommand, status: int, answer: Values) -> Values:
    """Store the answer of a command, unless one is there; return the one that is stored."""
    sealed = sealed_answer(services.keyring, row.command_id, answer)

    def store(session: Session) -> Any:
        mine = col(SentCommand.command_id) == row.command_id
        values = {"status": status, "answer": sealed, "answered": True}
        session.exec(update(SentCommand).where(mine, col(SentCommand.status).is_(None)).values(values))
        return session.exec(select(SentCommand.answer).where(mine)).first()

    stored = await services.database.write(store)
    return answer if stored is None else opened_answer(services.keyring, row.command_id, stored)


def opened_answer(keyring: Keyring, command_id: str, stored: Values) -> Values:
    """Return a stored answer in clear."""
    answer: Values = json.loads(keyring.open_text(stored["sealed"], _purpose(command_id)))
    return answer


def sealed_answer(keyring: Keyring, command_id: str, answer: Values) -> Values:
    """Return an answer as it is stored."""
    text = json.dumps(answer, ensure_ascii=False)
    return {"sealed": keyring.seal_text(text, _purpose(command_id))}


def _purpose(command_id: str) -> str:
    return f"answer:{command_id}"
