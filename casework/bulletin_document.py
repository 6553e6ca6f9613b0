"""What an issued 通报 says as an official document (公文): facts kept at its issue, and the words of them.

The facts go into the record with the act that issues it, so that the document says for ever what it
said that day, whatever the directory says later.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.acts import Record
from casework.errors import NotFound
from casework.services import Services
from documents.pdf import typeset
from models.act import BULLETIN, Act
from models.case import Bulletin, Case, LedgerEvent
from models.directory import Hall, Unit
from models.messages import decode_state
from rules.bulletin import Serious
from rules.calendar import local
from rules.case.vocabulary import Ground

GROUND: Mapping[str, str] = {
    Ground.ORDER_UNANSWERED: "拒不配合",
    Ground.TWO_REFUSED_RETURNS: "推诿扯皮",
    Ground.TWO_REFUSED_REPLIES: "敷衍应付",
}
_REFUSALS = {Ground.TWO_REFUSED_RETURNS: "decide_return", Ground.TWO_REFUSED_REPLIES: "check_reply"}


async def document_facts(
    services: Services, session: AsyncSession, bulletin: Bulletin, serious: Serious | None
) -> tuple[dict[str, Any], str | None]:
    """Return the facts of the document as JSON values, and the case's matter, which is sealed apart."""
    case = await session.get(Case, bulletin.case_id)
    hall = await session.get_one(Hall, bulletin.hall)
    unit = await session.get(Unit, (bulletin.hall, bulletin.unit))
    statements = select(Act.id).where(Act.kind == BULLETIN, Act.item == bulletin.id, Act.type == "statement")
    facts = {
        "department": bulletin.department,
        "year": bulletin.year,
        "serial": bulletin.serial,
        "issued_at": bulletin.decided_at,
        "hall": hall.name,
        "unit": unit.name if unit else bulletin.unit,
        "person": bulletin.person,
        "post": bulletin.post,
        "ground": bulletin.ground,
        "case_number": bulletin.case_number,
        "received_at": case.received_at if case else None,
        "order": bulletin.order_id,
        "order_given_at": _given_at(case, bulletin.order_id),
        "order_due_at": bulletin.due,
        "refused_at": await _refused_at(session, bulletin),
        "statements": len((await session.exec(statements)).all()),
        "serious": serious.value if serious else None,
    }
    return facts, case.matter if case else None


def _given_at(case: Case | None, order: str | None) -> datetime | None:
    if case is None or order is None:
        return None
    return next((each.given_at for each in decode_state(case.state).orders if each.id == order), None)


async def _refused_at(session: AsyncSession, bulletin: Bulletin) -> list[datetime]:
    """Return when the two were refused, up to the event that gave the ground."""
    type_ = _REFUSALS.get(Ground(bulletin.ground))
    if type_ is None:
        return []
    wanted = select(LedgerEvent).where(
        LedgerEvent.case_id == bulletin.case_id, LedgerEvent.type == type_, LedgerEvent.seq <= bulletin.seq
    )
    rows = (await session.exec(wanted.order_by(col(LedgerEvent.seq)))).all()
    return [row.at for row in rows if row.data.get("accept") is False][-2:]


async def bulletin_pdf(record: Record) -> bytes:
    """Return the document of an issued bulletin as a PDF. Raises `NotFound` for one that is not issued."""
    return await typeset("bulletin.typ", words_of(record))


def words_of(record: Record) -> dict[str, Any]:
    """Return the words of the document. Raises `NotFound` where nothing was issued."""
    issued = next((act for act in record.acts if act.type == "issued"), None)
    if issued is None:
        raise NotFound("document")
    facts = issued.data["document"]
    who = facts["person"] or "待查明"
    person = f"{who}({facts['post']})" if facts["person"] and facts["post"] else who
    ground = GROUND[facts["ground"]]
    return {
        "head": f"{facts['department']}文件",
        "number": f"通报〔{facts['year']}〕{facts['serial']}号",
        "title": f"关于{facts['unit']}{ground}问题的通报",
        "to": f"{facts['unit']}：",
        "body": [
            f"根据“办不成事”反映窗口督查问责的有关规定，经审定，现将{facts['unit']}{ground}问题通报如下。",
            f"一、基本情况。{_story(facts, issued.texts.get('matter'))}",
            f"二、责任认定。上述情形属{ground}。责任单位：{facts['unit']}；责任人：{person}。{_heard(facts)}",
            f"三、有关要求。请{facts['unit']}收到本通报后立即整改，举一反三，并将整改情况书面报我部门。"
            + ("本次情形严重，已按规定移送问责。" if facts["serious"] else ""),
        ],
        "from": facts["department"],
        "date": day_words(facts["issued_at"]),
        "copies": f"抄送：{facts['hall']}，“办不成事”反映窗口负责人。",
        "made": f"{facts['department']}　{day_words(facts['issued_at'])}印发",
    }


def _story(facts: Mapping[str, Any], matter: str | None) -> str:
    received = day_words(facts["received_at"]) if facts["received_at"] else ""
    about = f"，事项为“{matter}”" if matter else ""
    began = (
        f"{received}，{facts['hall']}“办不成事”反映窗口受理办件（编号{facts['case_number']}{about}），"
        f"由{facts['unit']}承办。"
    )
    return began + _GROUNDS[Ground(facts["ground"])](facts)


def _unanswered(facts: Mapping[str, Any]) -> str:
    given = f"{time_words(facts['order_given_at'])}，我部门" if facts["order_given_at"] else "我部门"
    return (
        f"{given}就该办件下达第{facts['order']}号督办单，要求于{time_words(facts['order_due_at'])}前书面答复；"
        "期限届满，未收到答复。"
    )


def _refused(what: str) -> Callable[[Mapping[str, Any]], str]:
    def told(facts: Mapping[str, Any]) -> str:
        return f"该办件{what}，时间分别为{_list(facts['refused_at'])}。"

    return told


_GROUNDS: Mapping[Ground, Callable[[Mapping[str, Any]], str]] = {
    Ground.ORDER_UNANSWERED: _unanswered,
    Ground.TWO_REFUSED_RETURNS: _refused("先后两次退单，经裁定均不成立"),
    Ground.TWO_REFUSED_REPLIES: _refused("两次答复经审核均未通过"),
}


def _list(instants: Sequence[str]) -> str:
    return "、".join(time_words(each) for each in instants) or "（见台账）"


def _heard(facts: Mapping[str, Any]) -> str:
    if facts["statements"]:
        return f"作出本通报前，已听取该单位说明（{facts['statements']}次）。"
    return "作出本通报前，该单位未提交说明。"


def day_words(at: str) -> str:
    """Return the date of Shanghai as documents write it: 2026年11月26日."""
    there = local(datetime.fromisoformat(at))
    return f"{there.year}年{there.month}月{there.day}日"


def time_words(at: str) -> str:
    """Return date and time of day of Shanghai: 2026年11月26日17时30分."""
    there = local(datetime.fromisoformat(at))
    return f"{day_words(at)}{there.hour}时{there.minute:02}分"
