"""Requests for rights in the inbox: of those who may decide them, and of whoever asked.

They lie beside the lines about cases, with the id of the request in place of a case's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.rights import DECIDERS
from models.directory import User
from models.grants import Grant
from models.inbox import Notification

ASKED, DECIDED = "grant_requested", "grant_decided"
KINDS = frozenset({ASKED, DECIDED})

ACTS: Mapping[str, str] = {
    "add": "新增用户",
    "change": "变更角色或范围",
    "enable": "恢复启用",
    "password": "重设密码",
    "second_factor": "解除双重验证",
}
_BECAME = {"approved": "已批准", "rejected": "已驳回"}


async def tell_deciders(session: AsyncSession, grant: Grant) -> None:
    """Write a line to every active user who may decide: neither who asks nor who is concerned."""
    deciders = select(User.username).where(
        col(User.active).is_(True),
        col(User.role).in_([str(role) for role in DECIDERS]),
        col(User.username).not_in([grant.requested_by, grant.username]),
    )
    text = f"授权申请待审批：{ACTS[grant.act]} {grant.username}，申请人 {grant.requested_by}"
    users = (await session.exec(deciders.order_by(User.username))).all()
    _write(session, grant, ASKED, users, text, grant.requested_at)
    await session.flush()


async def tell_of_decision(session: AsyncSession, grant: Grant, at: datetime) -> None:
    """Nobody is asked any more; who asked hears what became of it, unless he took it back himself."""
    asked = col(Notification.case_id) == grant.id, col(Notification.kind) == ASKED
    await session.exec(update(Notification).where(*asked).values(read=True))
    if words := _BECAME.get(grant.status):
        text = f"授权申请{words}：{ACTS[grant.act]} {grant.username}"
        _write(session, grant, DECIDED, [grant.requested_by], text, at)
    await session.flush()


def _write(
    session: AsyncSession, grant: Grant, kind: str, users: Sequence[str], text: str, at: datetime
) -> None:
    session.add_all(
        Notification(username=user, case_id=grant.id, seq=0, kind=kind, text=text, at=at) for user in users
    )
