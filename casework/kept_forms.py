"""What was typed into a form whose session had ended: kept sealed for its user, for two hours at most.

Whose it is follows from the session that the browser still names: a token that was this user's once.
Nobody else ever gets it back, whoever signs in next at that browser.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, delete, select

from casework.accounts import SESSIONS
from casework.services import Services
from casework.viewer import Viewer
from models.access import AccessToken
from models.codes import hash_token
from models.crypto import UnsealError
from models.kept_form import KeptForm

KEPT = timedelta(hours=2)
LONGEST = 300_000  # characters of all fields; the longest form has some fifteen texts of 4,000
MOST_OF_A_USER = 20

Fields = Sequence[tuple[str, str]]


async def former_user(services: Services, token: str) -> str | None:
    """Return whose session this was, however it ended; None for a token that nobody ever had."""
    wanted = select(AccessToken.username).where(
        AccessToken.hash == hash_token(token), col(AccessToken.kind).in_(SESSIONS)
    )
    async with services.database.read() as session:
        return (await session.exec(wanted)).first()


async def keep_form(services: Services, username: str, path: str, fields: Fields) -> str | None:
    """Keep a form, instead of an earlier one of the same user and path; return the id to ask for it.

    None where it is longer than any form of ours. Raises DatabaseUnavailable.
    """
    text = json.dumps(list(fields), ensure_ascii=False)
    if len(text) > LONGEST:
        return None
    row = KeptForm(
        id=str(uuid.uuid4()), username=username, path=path, fields="", at=await services.wall.now()
    )
    row.fields = services.keyring.seal_text(text, _purpose(row.id, username))
    mine = col(KeptForm.username) == username
    kept = select(KeptForm.id).where(mine).order_by(col(KeptForm.at).desc()).limit(MOST_OF_A_USER - 1)
    async with services.database.begin() as session:
        await session.exec(delete(KeptForm).where(mine, col(KeptForm.path) == path))
        newest = (await session.exec(kept)).all()
        await session.exec(delete(KeptForm).where(mine, col(KeptForm.id).not_in(newest)))
        session.add(row)
    return row.id


async def kept_form(services: Services, viewer: Viewer, form_id: str) -> tuple[str, Fields] | None:
    """Return path and fields of the viewer's own form; None once it is sent, over, or somebody else's."""
    async with services.database.read() as session:
        row = await session.get(KeptForm, form_id)
    if row is None or row.username != viewer.username or row.at < await services.wall.now() - KEPT:
        return None
    try:
        text = services.keyring.open_text(row.fields, _purpose(row.id, row.username))
    except UnsealError:
        return None
    return row.path, [(name, value) for name, value in json.loads(text)]


async def forget_form(services: Services, viewer: Viewer, form_id: object) -> None:
    """Forget a form of the viewer's, for it was sent by now; anything else is passed over."""
    if isinstance(form_id, str) and form_id:
        mine = col(KeptForm.id) == form_id, col(KeptForm.username) == viewer.username
        async with services.database.begin() as session:
            await session.exec(delete(KeptForm).where(*mine))


async def forget_forms(services: Services, viewer: Viewer) -> None:
    """Forget all forms of a user who signs out."""
    async with services.database.begin() as session:
        await session.exec(delete(KeptForm).where(col(KeptForm.username) == viewer.username))


def _purpose(form_id: str, username: str) -> str:
    return f"kept-form:{form_id}:{username}"
