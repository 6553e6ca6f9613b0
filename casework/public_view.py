"""A case as its citizen sees it: no staff names, nothing internal, the reply once it was told."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlmodel.ext.asyncio.session import AsyncSession

from casework.ledger_texts import Texts, read_events
from casework.moments import shown
from casework.services import Services
from models.case import Case, LedgerEvent
from models.directory import Hall, Unit
from models.filing import Filing
from models.messages import decode_state
from rules.calendar import local
from rules.case import permits
from rules.case.context import Context
from rules.case.events import CITIZEN
from rules.case.state import CaseState
from rules.case.vocabulary import Light, Status
from rules.case.waiting import next_step

Row = tuple[LedgerEvent, Texts]
Says = Callable[[Mapping[str, Any]], str | None]


def _moved(data: Mapping[str, Any]) -> str:
    if not data.get("due_at"):
        return ""
    return f",办结时限 {local(datetime.fromisoformat(data['due_at'])):%Y-%m-%d %H:%M}"


def _if(name: str, words: str) -> Says:
    return lambda data: words if data.get(name) else None


_TRIAGED = {
    "consultation": "已解答",
    "out_of_scope": "不属受理范围，已告知去处",
    "complex": "情况复杂，已报请拟定办结时间",
}
# What is not named here is the hall's own affair: returns, reminders, orders, alarms.
_PUBLIC: dict[str, Says] = {
    "registered": lambda data: "已登记",
    "transfer": lambda data: "已移交负责的大厅",
    "triage": lambda data: _TRIAGED.get(data["kind"], "已转办") + _moved(data),
    "sign": lambda data: "承办单位已签收",
    "decide_return": _if("accept", "已改由其他单位承办"),
    "reassign": lambda data: "已改由其他单位承办",
    "report_complex": lambda data: "情况复杂，已报请拟定办结时间",
    "set_limit": lambda data: "已定办结时间" + _moved(data),
    "refer_up": lambda data: "已上报上级部门" + _moved(data),
    "referral_reply": lambda data: "上级部门已答复，继续办理",
    "decide_extension": lambda data: "办理时间延长" + _moved(data) if data.get("accept") else None,
    "suspend": lambda data: "暂停计时，等待您配合",
    "resume": lambda data: "继续办理" + _moved(data),
    "auto_resume": lambda data: "继续办理" + _moved(data),
    "reclassify": lambda data: "办件类别已调整" + _moved(data),
    "inform": lambda data: "已向您告知办理情况",
    "check_reply": _if("accept", "已答复"),
    "revisit": _if("reached", "已回访"),
    "judge_revisit": lambda data: "重新办理" + _moved(data) if data.get("reopen") else "经研究，维持办结",
    "rate": lambda data: f"您的评价：{data['rating']} 分",
    "object": lambda data: "您已提出异议",
    "withdraw": lambda data: "已按您的要求撤回",
    "merge": lambda data: "已并入同一事项的在办件",
    "archive": lambda data: "已归档",
    "auto_archive": lambda data: "已归档",
    "calendar_changed": lambda data: "工作日历更新" + _moved(data) if data.get("due_at") else None,
}


# What the citizen said after the reply, himself or to the clerk.
_HEARD = frozenset({"revisit", "rate", "object"})
Judgement = Literal["objection", "dissatisfaction", "upheld"]


async def track_view(services: Services, filing: Filing) -> dict[str, Any]:
    """Return what the citizen sees; a filing that waits for its number is registered too."""
    now = await services.clock.now()
    async with services.database.read() as session:
        case = await session.get(Case, filing.case_id)
        hall = await session.get(Hall, case.hall if case else filing.hall)
        common = {
            "hall": hall.code if hall else filing.hall,
            "hall_name": hall.name if hall else None,
            "received_at": shown(filing.received_at),
        }
        if case is None:
            return common | _waiting()
        rows = await read_events(session, services.keyring, [case.id])
        reply = told(rows) or await _told_elsewhere(services, session, case)
        unit = await session.get(Unit, (case.hall, case.unit)) if case.unit else None
        pinned = await services.pinned.of(session, case)
    ctx = Context(now, CITIZEN, pinned.policy, pinned.calendar)
    return common | {
        "number": case.number,
        "status": case.status,
        "round": case.round,
        "judgement": judgement(decode_state(case.state), rows),
        "light": case.light,
        "matter": case.matter,
        "unit": case.unit,
        "unit_name": unit.name if unit else None,
        "due_at": shown(case.due_at),
        "due_provisional": case.due_provisional,
        "closed_at": shown(case.closed_at),
        "timeline": timeline(rows),
        "reply": reply,
        "allowed": _allowed(case, ctx),
    }


def _allowed(case: Case, ctx: Context) -> list[str]:
    return [] if case.status == Status.ARCHIVED else permits.allowed(decode_state(case.state), ctx)


def _waiting() -> dict[str, Any]:
    nothing_yet = "number matter unit unit_name due_at closed_at reply"
    return {
        "status": Status.REGISTERED,
        "round": 1,
        "judgement": None,
        "light": Light.GREY,
        "due_provisional": False,
        "timeline": [],
        "allowed": [],
        **dict.fromkeys(nothing_yet.split()),
    }


def judgement(state: CaseState, rows: Sequence[Row]) -> Judgement | None:
    """Return how it stands with what the citizen did not agree with; None where there is nothing.

    `objection` or `dissatisfaction`: the window lead has to judge it; `upheld`: judged, the closing stands.
    """
    waiting = next_step(state)
    if waiting and waiting.step == "judge_revisit":
        last = next((row.type for row, _ in reversed(rows) if row.type in _HEARD), None)
        return "objection" if last == "object" else "dissatisfaction"
    if state.status is not Status.CLOSED:
        return None
    last_of_all = next((row for row, _ in reversed(rows) if row.type in {*_HEARD, "judge_revisit"}), None)
    return "upheld" if last_of_all and last_of_all.type == "judge_revisit" else None


def timeline(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the events that concern the citizen, in order."""
    lines = []
    for row, _ in rows:
        says = _PUBLIC.get(row.type)
        if says and (words := says(row.data)):
            lines.append({"at": shown(row.at), "type": row.type, "text": words})
    return lines


def told(rows: Sequence[Row]) -> str | None:
    """Return what the citizen was told last: a reply once it was accepted, or an answer at triage."""
    reply = said = None
    for row, texts in rows:
        if row.type == "reply":
            reply = texts.get("text")
        elif row.type == "check_reply" and row.data.get("accept"):
            said = reply
        elif row.type == "triage" and row.changes.get("status") == Status.CLOSED:
            said = texts.get("answer") or _guidance(texts)
    return said


def _guidance(texts: Texts) -> str | None:
    place = texts.get("guidance")
    return f"请向{place['unit']}反映：{place['address']},电话 {place['phone']}" if place else None


async def _told_elsewhere(services: Services, session: AsyncSession, case: Case) -> str | None:
    """A merged case's citizen is told with the reply of the case that it went into, or that one into."""
    while case.merged_into is not None:
        case = await session.get_one(Case, case.merged_into)
        if reply := told(await read_events(session, services.keyring, [case.id])):
            return reply
    return None
