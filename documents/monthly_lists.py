"""A hall's lists of a month as a workbook: cover, problems, demands, measures, and 附件1 to 3 of the month.

The bodies of the lists (附件2 of S3) are not in the documents: columns are those that the plan names.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from documents.excel import Workbook
from documents.hall_weekly import NONE, contacts, cover, forms, heading, ledger
from documents.words import NOTHING, moment, numbered, term
from rules.report_words import MEASURE, NEED
from rules.words import CAUSE, KIND, LEVEL, LIGHT, OUTCOME, STATUS

Values = Mapping[str, Any]
TITLE = "“办不成事”反映窗口月度清单"
_ENCLOSED = "问题清单、需求清单、措施清单；附件1 业务联系表、附件2 事项登记表、附件3 处理进度跟踪台账"

_PROBLEMS: tuple[tuple[str, float], ...] = (
    *(("序号", 6), ("编号", 14), ("受理时间", 11), ("反映事项", 16), ("反映的问题", 36), ("成因", 13)),
    *(("类别", 9), ("承办单位", 13), ("办结时限", 11), ("灯号", 7), ("落实情况", 10)),
)
_DEMANDS: tuple[tuple[str, float], ...] = (
    *(("序号", 6), ("编号", 14), ("反映事项", 24), ("承办单位", 16), ("成因", 16), ("层级", 12)),
    *(("需求", 40), ("落实情况", 12)),
)
_MEASURES: tuple[tuple[str, float], ...] = (
    *(("序号", 6), ("编号", 14), ("反映事项", 20), ("承办单位", 13), ("经办人", 10), ("成因", 13)),
    *(("本期措施", 56), ("落实情况", 10)),
)


def monthly_lists(values: Values, counts: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> bytes:
    """Return the workbook of a report; `counts` are its figures in words. The same values, the same bytes."""
    book = Workbook(TITLE, datetime.fromisoformat(values["due_at"]))
    stands = ("问题清单", len(values["problems"])), ("需求清单", len(values["demands"]))
    done = ("措施清单", len(values["measures"])), ("台账", len(values["ledger"]))
    cover(book, values, [("清单所列办件", [*stands, *done]), *counts], TITLE, _ENCLOSED)
    _list(book, values, "问题清单", _PROBLEMS, "problems", _problem)
    _list(book, values, "需求清单", _DEMANDS, "demands", _demand)
    _list(book, values, "措施清单", _MEASURES, "measures", _measured)
    contacts(book, values)
    forms(book, values)
    ledger(book, values)
    return book.close()


def _list(
    book: Workbook,
    values: Values,
    title: str,
    columns: Sequence[tuple[str, float]],
    part: str,
    cells: Callable[[Values], list[str]],
) -> None:
    sheet = book.sheet(title, [width for _, width in columns], repeat=2)
    heading(sheet, values, f"“办不成事”反映窗口{title}")
    sheet.row([name for name, _ in columns], "head")
    for number, line in enumerate(values[part], 1):
        sheet.row([str(number), line["number"], *cells(line)], ["centred", *["cell"] * (len(columns) - 1)])
    if not values[part]:
        sheet.across(NONE, "centred")


def _problem(line: Values) -> list[str]:
    due = moment(line["due_at"]) + ("(暂定)" if line["due_provisional"] else "")
    return [
        moment(line["received_at"]),
        line["subject"] or NOTHING,
        line["problem"] or NOTHING,
        term(CAUSE, line["cause"]),
        term(KIND, line["kind"]),
        line["unit_name"] or NOTHING,
        due,
        term(LIGHT, line["light"]),
        _stands(line),
    ]


def _demand(line: Values) -> list[str]:
    return [
        line["subject"] or NOTHING,
        line["unit_name"] or NOTHING,
        term(CAUSE, line["cause"]),
        term(LEVEL, line["level"]),
        needs(line),
        _stands(line),
    ]


def _measured(line: Values) -> list[str]:
    done = [
        f"{moment(each['at'])} {term(MEASURE, each['type'])}：{each['text']}" for each in line["measures"]
    ]
    return [
        line["subject"] or NOTHING,
        line["unit_name"] or NOTHING,
        line["person"] or NOTHING,
        term(CAUSE, line["cause"]),
        numbered(done),
        _stands(line),
    ]


def needs(line: Values) -> str:
    """Return what a unit needs from others, in words."""
    return "、".join(term(NEED, each) for each in line["needs"])


def _stands(line: Values) -> str:
    """Return what became of it: its outcome, while it is open its status."""
    return term(OUTCOME, line["outcome"]) if line["outcome"] else term(STATUS, line["status"])
