"""All that was done to the bulletins and typical cases of one case, as evidence: rows with their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.act_check import ITEMS, ActCheck, stands_of
from casework.acts import opened_texts
from casework.chain_check import Held, Stands
from casework.findings import Finding
from models.act import Act, item_key, key_of_case
from models.crypto import Keyring


@dataclass(frozen=True)
class ItemRecord:
    """The record of one item.

    `stands` is what the item's row says of it, None where there is no row; `case_id` the case that the
    row names.
    """

    kind: str
    item: int
    case_id: str
    stands: Stands | None
    rows: Sequence[tuple[Act, Mapping[str, str]]]

    @property
    def key(self) -> str:
        """Return what heads call it by."""
        return item_key(self.kind, self.item)

    def fault(self, held: Sequence[Held]) -> Finding | None:
        """Return what is wrong with it, held against its row and these leaves of heads."""
        check = ActCheck(self.kind, self.item, self.case_id, self.stands, held)
        for row, _ in self.rows:
            check.act(row)
        return check.end()


async def acts_of_case(session: AsyncSession, keyring: Keyring, case_id: str) -> list[ItemRecord]:
    """Return the records of a case: of items that name it, and of those whose acts do."""
    connection = await session.connection()
    key = await connection.run_sync(key_of_case, keyring, case_id)
    records: list[ItemRecord] = []
    table: Any
    for kind, table in ITEMS.items():
        named = select(Act.item).where(Act.kind == kind, Act.case_id == case_id)
        found = select(table).where(or_(table.case_id == case_id, col(table.id).in_(named)))
        there = {row.id: row for row in (await session.exec(found)).all()}
        items = {*there, *(await session.exec(named)).all()}
        wanted = select(Act).where(Act.kind == kind, col(Act.item).in_(items))
        acts: dict[int, list[Act]] = {item: [] for item in sorted(items)}
        for row in (await session.exec(wanted.order_by(col(Act.item), col(Act.seq)))).all():
            acts[row.item].append(row)
        for item, rows in acts.items():
            with_texts = [(row, opened_texts(row, key, keyring)) for row in rows]
            own = there.get(item)
            named_case, stands = (own.case_id, stands_of(own)) if own else (case_id, None)
            records.append(ItemRecord(kind, item, named_case, stands, with_texts))
    return records
