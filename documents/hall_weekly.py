"""A hall's weekly report as a workbook: cover, 附件1 contact table, 附件2 forms, 附件3 progress ledger.

The bodies of 附件1 to 3 are not in the documents of S0: columns are those that the plan names.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from documents.excel import A3, Sheet, Workbook
from documents.words import NOTHING, day, in_pairs, moment, numbered, period, person, term
from rules.words import (
    CAUSE,
    CHANNEL,
    KIND,
    LEVEL,
    LIGHT,
    OUTCOME,
    PETITIONER,
    RATING,
    STATUS,
)

Values = Mapping[str, Any]
TITLE = "“办不成事”反映窗口周报"
NONE = "本期无办件"
_ENCLOSED = "附件1 业务联系表、附件2 事项登记表、附件3 处理进度跟踪台账"

_CONTACTS = ("承办单位", "分管领导", "联系人", "备用联系人", "版本", "生效时间")
_LEDGER: tuple[tuple[str, float], ...] = (
    ("序号", 5),
    ("编号", 14),
    ("反映事项", 18),
    ("类别\n状态", 10),
    ("承办单位", 12),
    ("经办人", 9),
    ("转办\n签收", 17),
    ("办结时限", 11),
    ("办理进度", 30),
    ("层级", 10),
    ("退单\n延期\n催办", 7),
    ("督办单", 17),
    ("答复或释明", 28),
    ("回访评价", 10),
    ("办结时间", 11),
    ("灯号", 6),
    ("备注", 14),
)


def hall_weekly(values: Values, counts: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> bytes:
    """Return the workbook of a report; `counts` are its figures in words. The same values, the same bytes."""
    book = Workbook(TITLE, datetime.fromisoformat(values["due_at"]))
    cover(book, values, counts, TITLE, _ENCLOSED)
    contacts(book, values)
    forms(book, values)
    ledger(book, values)
    return book.close()


def marks(values: Values) -> list[str]:
    """Return what a reader must know of how a report came about."""
    found = []
    if moment(values["made_at"]) != moment(values["due_at"]):
        found.append(f"应于 {moment(values['due_at'])} 生成，实际于 {moment(values['made_at'])} 生成。")
    if values["provisional"]:
        found.append("所涉年份的放假安排尚未公布，日期为暂定。")
    if late := values["figures"]["period"].get("late"):
        found.append(f"含补报事项 {late} 项：属上期，上期截止后才记入台账。")
    return found


def head_line(head: Values | None) -> str:
    """Return the signed head of the ledger that is printed on a report."""
    if head is None:
        return "本期生成时台账尚无签名摘要"
    return f"第 {head['number']} 号 {head['hash']}({moment(head['at'])} 签发，密钥 {head['key']})"


def cover(
    book: Workbook,
    values: Values,
    counts: Sequence[tuple[str, Sequence[tuple[str, int]]]],
    title: str,
    enclosed: str,
) -> None:
    """Add the cover of what a hall hands in: period, marks, what is enclosed, counts, head, receipt."""
    sheet = book.sheet("封面", (22, 26, 22, 26), landscape=False)
    sheet.across(title, "title")
    sheet.gap()
    sheet.field("大厅", values["hall_name"], 4)
    sheet.field("报送", f"{values['hall_name']}(本级政务服务中心)", 4)
    sheet.field("期间", period(values["from"], values["to"]), 4)
    sheet.field("截止", day(values["to"]), 4)
    sheet.field("说明", "\n".join(marks(values)) or "按时生成，无补报。", 4)
    sheet.field("内容", enclosed, 4)
    sheet.gap()
    for group, lines in counts:
        if lines:
            sheet.across(group, "group")
            for row in in_pairs(lines):
                sheet.row(row, ["label", "centred", "label", "centred"])
    sheet.gap()
    sheet.field("台账签名摘要", head_line(values["head"]), 4)
    sheet.pair("报送人", "", "接收人", "")
    sheet.pair("报送时间", "", "接收时间", "")


def contacts(book: Workbook, values: Values) -> None:
    """Add 附件1: the contact table that was in force at the cut-off."""
    sheet = book.sheet("附件1 业务联系表", (20, 26, 26, 26, 8, 18), repeat=2)
    heading(sheet, values, "附件1 “办不成事”反映窗口业务联系表")
    sheet.row(_CONTACTS, "head")
    for line in values["contacts"]:
        people = (person(line[role]) for role in ("deputy_leader", "contact", "alternate"))
        sheet.row([line["unit_name"], *people, line["version"], moment(line["valid_from"])])
    if not values["contacts"]:
        sheet.across("尚未登记业务联系人", "centred")


def forms(book: Workbook, values: Values) -> None:
    """Add 附件2: the registration forms of the cases that are new."""
    sheet = book.sheet("附件2 登记表", (16, 34, 16, 34), landscape=False)
    if not values["forms"]:
        heading(sheet, values, "附件2 “办不成事”事项登记表")
        sheet.across(NONE, "centred")
    for number, form in enumerate(values["forms"]):
        if number:
            sheet.gap()
            sheet.page()
        _form(sheet, values, form)


def _form(sheet: Sheet, values: Values, form: Values) -> None:
    who, notice = form["petitioner"], form["notice"] or {}
    heading(sheet, values, "附件2 “办不成事”事项登记表")
    sheet.pair("编号", form["number"], "受理时间", moment(form["received_at"]))
    sheet.pair("来源", term(CHANNEL, form["channel"]), "登记时间", moment(form["registered_at"]))
    sheet.pair("窗口人员", form["clerk"] or "系统(网上登记)", "补报", "是，属上期" if form["late"] else "否")
    sheet.pair("反映人", who["name"] or "已清除", "反映人类型", term(PETITIONER, who["kind"]))
    sheet.pair("联系电话", who["phone"] or NOTHING, "证件号码", who["id_number"] or who["uscc"] or NOTHING)
    sheet.field("政务服务事项", form["matter"] or NOTHING, 4)
    sheet.field("此前办理经过", numbered([_attempt(each) for each in form["attempts"]]), 4)
    sheet.field("反映的问题", form["problem"] or NOTHING, 4)
    sheet.pair("成因", term(CAUSE, form["cause"]), "类别", term(KIND, form["kind"]))
    sheet.pair("承办单位", form["unit_name"] or NOTHING, "状态", term(STATUS, form["status"]))
    sheet.field("一次性告知", _notice(notice), 4)
    sheet.field("附件", numbered(form["attachments"]), 4)
    sheet.field("办理结果", _result(form), 4)


def _attempt(each: Values) -> str:
    parts = (each.get("on"), term(CHANNEL, each.get("channel")), each.get("where"), each.get("said"))
    return "，".join(str(part) for part in parts if part and part != NOTHING)


def _notice(notice: Values) -> str:
    words = {"materials": "所需材料", "window": "窗口", "person": "经办人", "contact": "联系电话"}
    found = []
    for name, word in words.items():
        value = notice.get(name)
        if value:
            found.append(f"{word}：{'、'.join(value) if isinstance(value, list | tuple) else value}")
    return "\n".join(found) or NOTHING


def _result(form: Values) -> str:
    if form["reply"] is None:
        return term(OUTCOME, form["outcome"]) if form["outcome"] else "尚未答复"
    return f"{term(OUTCOME, form['outcome'])}：{form['reply']}" if form["outcome"] else str(form["reply"])


def ledger(book: Workbook, values: Values) -> None:
    """Add 附件3: the progress ledger."""
    sheet = book.sheet("附件3 台账", [width for _, width in _LEDGER], paper=A3, repeat=2)
    heading(sheet, values, "附件3 “办不成事”事项处理进度跟踪台账")
    sheet.row([name for name, _ in _LEDGER], "head")
    for number, line in enumerate(values["ledger"], 1):
        cells = _cells(number, line)
        styles = ["cell"] * len(cells)
        styles[0], styles[-2] = "centred", line["light"]
        sheet.row(cells, styles)
    if not values["ledger"]:
        sheet.across(NONE, "centred")


def _cells(number: int, line: Values) -> list[str]:
    revisit = line["revisit"] or {}
    due = moment(line["due_at"]) + ("(暂定)" if line["due_provisional"] else "")
    return [
        str(number),
        line["number"],
        line["subject"] or NOTHING,
        f"{term(KIND, line['kind'])}\n{term(STATUS, line['status'])}",
        line["unit_name"] or NOTHING,
        line["person"] or NOTHING,
        f"{moment(line['dispatched_at'])}\n{moment(line['signed_at'])}",
        due,
        "\n".join(f"{moment(each['at'])} {each['text'] or ''}" for each in line["progress"]) or NOTHING,
        term(LEVEL, line["level"]),
        f"{line['returns']}/{line['extensions']}/{line['reminders']}",
        "\n".join(map(_order, line["orders"])) or NOTHING,
        line["reply"] or (f"释明：{line['explanation']}" if line["explanation"] else NOTHING),
        _rated(line, revisit),
        moment(line["closed_at"]),
        term(LIGHT, line["light"]),
        _remarks(line),
    ]


def _order(order: Values) -> str:
    answered = f"已于 {moment(order['answered_at'])} 答复" if order["answered_at"] else "未答复"
    return f"限 {moment(order['due_at'])}，{answered}"


def _rated(line: Values, revisit: Values) -> str:
    if line["rating"]:
        return term(RATING, line["rating"])
    if revisit:
        return "已回访" if revisit.get("reached") else "未联系上"
    return NOTHING


def _remarks(line: Values) -> str:
    found = [] if line["news"] else ["本期无变动"]
    if line["late"]:
        found.append(f"补报上期 {len(line['late'])} 项(最早 {moment(line['late'][0]['at'])})")
    return "；".join(found) or NOTHING


def heading(sheet: Sheet, values: Values, title: str) -> None:
    """Write what stands above a table: its title, hall and period."""
    sheet.across(title, "title")
    sheet.across(f"{values['hall_name']}  期间：{period(values['from'], values['to'])}", "note")
