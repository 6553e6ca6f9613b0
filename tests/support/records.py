"""Records of acts as people leave them behind, and the owner's hands on them, past the triggers."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from casework import acts, bulletin_acts
from casework.bulletins import find_bulletin
from casework.services import Services
from casework.viewer import Viewer
from models.act import ACTS, BULLETIN, TYPICAL_CASE, Act, NewAct, item_key
from models.case import Bulletin
from models.chain import ACT_CHAIN
from models.typical import TypicalCase
from rules.case.vocabulary import Role
from tests.support.bulletins import replies
from tests.support.ledgers import Owner, write_story

AT = datetime(2026, 3, 12, 1, tzinfo=UTC)
SUPERVISOR = Viewer("guilin.supervisor", "监管", Role.SUPERVISOR, "guilin")
LEADER = Viewer("guilin.market.leader", "分管领导", Role.DEPUTY_LEADER, "guilin", "market")


async def drafted(services: Services) -> Bulletin:
    """A bulletin that the ledger drafted, of a case of its own; nobody has done anything to it."""
    case_id = await write_story(services, replies())
    async with services.database.read() as session:
        return (await session.exec(select(Bulletin).where(Bulletin.case_id == case_id))).one()


async def decided(services: Services) -> Bulletin:
    """A bulletin that was stated on and rejected: three acts."""
    found = await drafted(services)
    await bulletin_acts.state(services, LEADER, found, "情况属实，已整改。")
    await bulletin_acts.reject(services, SUPERVISOR, found, "情节轻微。")
    return await find_bulletin(services, SUPERVISOR, str(found.id))


async def written_up(services: Services, of: Bulletin) -> int:
    """A typical case about the same case, submitted and returned: two acts; return its number."""
    async with services.database.begin() as session:
        told = dict.fromkeys(("title", "problem", "done", "lesson"), "一次讲清")
        who = {"hall": of.hall, "status": "returned", "written_by": "guilin.lead", "written_at": AT}
        item = TypicalCase(case_id=of.case_id, case_number=of.case_number, last_hash="", **told, **who)
        session.add(item)
        await session.flush()
        for type_ in ("submitted", "returned"):
            act = NewAct(TYPICAL_CASE, item.id or 0, of.case_id, AT, type_, acts.actor_of(SUPERVISOR))
            item.last_hash = (await acts.append(session, services.keyring, act, {"text": "理由"})).hash
        session.add(item)
    return item.id or 0


class RecordOwner(Owner):
    """The owner of the database at the records of acts: whatever is done, every hash is right again."""

    async def rewrite_act(self, kind: str, item: int, seq: int, **changed: Any) -> None:
        """Change an act and compute every hash after it anew, that of the item's row too."""
        rows = await self._rows(kind, item)
        await self._put(kind, item, [row | (changed if row["seq"] == seq else {}) for row in rows])

    async def cut_acts(self, kind: str, item: int, after: int) -> None:
        """Delete what comes after an act, and let the item's row say that this was all."""
        await self._put(kind, item, [row for row in await self._rows(kind, item) if row["seq"] <= after])

    async def delete_item(self, kind: str, item: int) -> None:
        """Delete an item with its whole record."""
        table = {BULLETIN: "bulletins", TYPICAL_CASE: "typical_cases"}[kind]
        acts_too = "DELETE FROM acts WHERE kind = :k AND item = :i"
        await self.run(acts_too, f"DELETE FROM {table} WHERE id = :i AND :k = :k", k=kind, i=item)

    async def _rows(self, kind: str, item: int) -> list[dict[str, Any]]:
        async with self._services.database.read() as session:
            wanted = select(Act).where(Act.kind == kind, Act.item == item).order_by(col(Act.seq))
            return [row.model_dump() for row in (await session.exec(wanted)).all()]

    async def _put(self, kind: str, item: int, rows: list[dict[str, Any]]) -> None:
        await self.run("DELETE FROM acts WHERE kind = :k AND item = :i", k=kind, i=item)
        linked = ACT_CHAIN.link(rows)

        def put(session: Session) -> None:
            session.connection().execute(insert(ACTS), linked)

        await self._services.database.write(put)
        last = linked[-1]["hash"]
        if kind == BULLETIN:
            stands = "UPDATE bulletins SET acts = :n, last_hash = :h WHERE id = :i"
            await self.run(stands, n=len(linked), h=last, i=item)
        else:
            await self.run("UPDATE typical_cases SET last_hash = :h WHERE id = :i", h=last, i=item)


def key_of(bulletin: Bulletin) -> str:
    """What heads call a bulletin."""
    return item_key(BULLETIN, bulletin.id or 0)
