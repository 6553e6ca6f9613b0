"""The dossier's PDF: documents/dossier.typ, filled with words that Typst never reads as markup."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from casework.acts import Record
from casework.bulletins import number_of
from casework.clockwork import Clockwork, Days
from casework.dossier import Printable
from documents.pdf import set_document
from models.case import Bulletin
from pages.case_history import Entry, bulletin_entries, entries
from pages.labels import word
from pages.rendering import day, moment
from routes.evidence_words import acts_words, erased_words, finding_words

_DAYS = {
    "start": "起算日(第 0 日)",
    "make_up": "调休上班",
    "weekend": "周末",
    "holiday": "放假",
    "paused": "暂停，不计",
}
_REPLIES = frozenset({"reply", "check_reply", "revisit", "rate", "object", "judge_revisit"})
Rows = list[list[str]]


async def dossier_pdf(printable: Printable) -> bytes:
    """Return the PDF; in a thread, since setting it takes a while."""
    return await asyncio.to_thread(_set, printable)


def _set(printable: Printable) -> bytes:
    return set_document("dossier.typ", dossier_values(printable))


def dossier_values(printable: Printable) -> dict[str, Any]:
    """Return what the PDF shows, all of it as words."""
    file, case = printable.file, printable.file.case
    history = entries(file.events, file.units, file.halls)
    made_by = printable.made_by
    return {
        "number": case["number"],
        "hall": file.halls.get(case["hall"], case["hall"]),
        "made": f"{made_by.name}({word('role', made_by.role)})于 {moment(printable.made_at)} 调取",
        "verified": _verified(printable),
        "head": _head(printable),
        "facts": _facts(printable),
        "clock": _clock(file.clock) if file.clock else None,
        "moves": _moves(file.clock) if file.clock else [],
        "holding": _holding(printable),
        "holding_total": f"{file.holding['total_working_hours']:.1f}" if file.holding else "",
        "alarms": [_alarm(entry) for entry in history if entry.is_alarm],
        "replies": [_told(entry) for entry in history if entry.type in _REPLIES],
        "orders": _orders(case["orders"]),
        "bulletins": [_bulletin(bulletin, record, file.units) for bulletin, record in file.bulletins],
        "attachments": _attachments(file.attachments),
        "timeline": [_told(entry) for entry in history],
    }


def _verified(printable: Printable) -> list[dict[str, Any]]:
    report = printable.report
    linked = f"台账 {report.events} 条记录环环相扣{acts_words(report)}"
    ledger = linked + ("，与历次封签相符" if report.head else "")
    replay = f"按现行流程重演 {report.runs} 段流程历史，每条记录都相同"
    return [
        {"ok": report.ledger_ok, "lines": [*map(finding_words, report.ledger)] or [ledger]},
        {"ok": True, "lines": [erased_words(report)]}
        if report.only_erased
        else {"ok": report.replay_ok, "lines": [*map(finding_words, report.replay)] or [replay]},
    ]


def _head(printable: Printable) -> Rows:
    report = printable.report
    if report.head is None:
        return [["台账封签", "出具本卷宗时还没有覆盖本件的封签"]]
    head = report.head.head
    return [
        ["台账封签", f"第 {head.number} 号，{head.day.isoformat()}，出具于 {moment(head.taken_at)}"],
        ["封签校验值", head.root],
        ["签名密钥编号", head.key_id],
    ]


def _facts(printable: Printable) -> Rows:
    file, case = printable.file, printable.file.case
    person = case["petitioner"] or {}
    rows = [
        ("反映人", f"{person.get('name') or '已清除'}({word('petitioner', person.get('kind'))})"),
        ("联系电话", person.get("phone")),
        ("来源", word("channel", case["channel"])),
        ("事项", case["matter"]),
        ("反映的问题", case["problem"]),
        ("成因", word("cause", case["cause"])),
        ("类别", word("kind", case["kind"])),
        ("承办单位", file.units.get(case["unit"], case["unit"])),
        ("协办单位", "、".join(file.units.get(unit, unit) for unit in case["co_units"])),
        ("状态", word("status", case["status"])),
        ("级别", word("level", case["level"])),
        ("轮次", f"第 {case['round']} 轮" if case["round"] > 1 else None),
        ("结果", word("outcome", case["outcome"])),
        ("受理时间", moment(case["received_at"])),
        ("登记时间", moment(case["registered_at"])),
        ("原办结时限", moment(case["original_due_at"])),
        ("办结时限", moment(case["due_at"]) + ("(暂定)" if case["due_provisional"] else "")),
        ("答复时间", moment(case["replied_at"])),
        ("告知时间", moment(case["told_at"])),
        ("办结时间", moment(case["closed_at"])),
        ("是否按时", {True: "按时", False: "超期", None: None}[case["on_time"]]),
        ("超期情况说明", "已作说明，单列" if case["excused"] else None),
        ("评价", word("rating", case["rating"])),
        ("延期、退单", f"延期 {case['extensions']} 次，退单 {case['returns']} 次"),
        ("依据的政策", f"{case['policy']['id']} {case['policy']['version']}"),
    ]
    return [[label, value] for label, value in rows if value and value != "—"]


def _clock(clock: Clockwork) -> dict[str, Any]:
    if clock.set_on:
        how = f"时限由人工定于 {day(clock.set_on)}；自起算日起共 {clock.limit} 个工作日"
    else:
        since = "认定无法解决" if clock.declared else "起算"
        how = f"自{since}({moment(clock.start)})起，第 {clock.limit} 个工作日下班时到期"
    pauses = [
        [moment(each.start), moment(each.end, "今"), f"顺延 {each.days} 个工作日" if each.end else ""]
        for each in clock.pauses
    ]
    return {
        "how": f"{how}：{moment(clock.due_at)}" + ("(暂定)" if clock.provisional else "") + "。",
        "calendar": clock.calendar,
        "days": [_day(each) for each in clock.days],
        "pauses": pauses,
    }


def _day(days: Days) -> list[str]:
    dates = day(days.first) + (f" 至 {day(days.last)}" if days.last != days.first else "")
    numbers = ""
    if days.from_number:
        last = f"–{days.to_number}" if days.to_number != days.from_number else ""
        numbers = f"第 {days.from_number}{last} 日"
    return [dates, numbers, _DAYS.get(days.what, "")]


def _moves(clock: Clockwork) -> Rows:
    return [
        [
            moment(each.at),
            word("event", each.type) + (f"(第 {each.round} 轮)" if each.round > 1 else ""),
            moment(each.previous),
            moment(each.due),
            f"{each.days:+d}" if each.days else "",
            each.reason or "",
        ]
        for each in clock.moves
    ]


def _holding(printable: Printable) -> Rows:
    file = printable.file
    if not file.holding:
        return []
    return [
        [
            " ".join(
                filter(None, (file.units.get(each["unit"], each["unit"]), word("holder", each["holder"])))
            ),
            moment(each["from"]),
            moment(each["to"], "至今"),
            f"{each['working_hours']:.1f}",
        ]
        for each in file.holding["items"]
    ]


def _alarm(entry: Entry) -> list[str]:
    return [str(entry.seq), entry.title, entry.was_due or "—", entry.fired or "—"]


def _told(entry: Entry) -> dict[str, Any]:
    lines = [[line.label, line.value] for line in entry.lines]
    if entry.due:
        moved = f"{moment(entry.previous)} → " if entry.previous else ""
        lines.append(["办结时限", moved + moment(entry.due)])
    if entry.is_alarm:
        lines.append(["应触发", entry.was_due or "—"])
    return {
        "seq": str(entry.seq),
        "at": _second(entry.at),
        "title": entry.title,
        "by": entry.by if entry.by == entry.role else f"{entry.by}({entry.role})",
        "status": word("status", entry.status) if entry.status else "",
        "lines": lines,
        "hash": entry.hash,
    }


def _second(at: str) -> str:
    return moment(at) + f":{datetime.fromisoformat(at):%S}"


def _orders(orders: Sequence[Mapping[str, Any]]) -> Rows:
    return [
        [each["id"], each["text"], moment(each["due_at"]), moment(each["answered_at"], "未答复")]
        for each in orders
    ]


def _bulletin(bulletin: Bulletin, record: Record, units: Mapping[str, str]) -> dict[str, Any]:
    """Return a 通报 about the case: what it stands for now, and each act of its record."""
    person = bulletin.person or "待查明"
    facts = [
        ("情形", word("ground", bulletin.ground)),
        ("责任单位", units.get(bulletin.unit, bulletin.unit)),
        ("责任人", f"{person}({bulletin.post})" if bulletin.person and bulletin.post else person),
        ("现状", word("bulletin", bulletin.status)),
        ("督办单", bulletin.order_id),
        ("督办单时限", moment(bulletin.due)),
        ("起草时间", moment(bulletin.created_at)),
        ("审定时间", moment(bulletin.decided_at)),
        ("发送时间", moment(bulletin.sent_at)),
        ("问责移送", word("accountability", bulletin.accountability)),
    ]
    told = [
        _told(entry) | {"seq": str(act.seq), "title": word("bulletin_act", act.type)}
        for act, entry in zip(record.acts, bulletin_entries(bulletin, record), strict=True)
    ]
    return {
        "title": number_of(bulletin) or f"通报材料 {bulletin.id}",
        "facts": [[label, value] for label, value in facts if value and value != "—"],
        "acts": told,
        "hashes": [[f"通报材料 {bulletin.id} 第 {act.seq} 条", act.hash] for act in record.acts],
    }


def _attachments(attachments: Sequence[Mapping[str, Any]]) -> Rows:
    return [
        [each["name"] or "(已清除)", f"{each['size']:,}", moment(each["at"]), each["sha256"]]
        for each in attachments
    ]
