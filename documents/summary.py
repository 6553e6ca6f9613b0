"""The centre's summary of a week or a month for supervision: what its Word and PDF forms show."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from documents.hall_weekly import head_line, marks
from documents.monthly_lists import needs
from documents.pdf import set_document
from documents.words import NOTHING, day, in_pairs, moment, period, term
from rules.report_words import REASON
from rules.reporting import ReportKind
from rules.words import CAUSE, LEVEL

Values = Mapping[str, Any]
Counts = Sequence[tuple[str, Sequence[tuple[str, int]]]]
Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""A table's head and its rows."""
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
TITLES = {
    ReportKind.CENTRE_WEEKLY: "“办不成事”反映窗口每周汇总",
    ReportKind.MONTHLY: "“办不成事”反映窗口月度汇总",
}
SOURCE = "summary.typ"
LATE_VOLUMES = ("月份", "承办单位", "原报 12345 件数", "现为")
RATE_NOTE = "本期到期或答复已审核通过的办理件，按截止时的台账计算；“—”表示没有可计算的办件。"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every entry: the same content gives the same bytes


def summary(
    values: Values, counts: Counts, tables: Mapping[str, Table], unit_notes: Sequence[str] = ()
) -> Values:
    """Return what both forms show, in words; nothing is left to reckon for a template.

    `tables` are `rates`, `units` and, of a month, `causes` and `late_volumes`; `unit_notes` stand below
    the units.
    """
    rates, units, causes = tables["rates"], tables["units"], tables["causes"]
    kind = ReportKind(values["kind"])
    return {
        "title": TITLES[kind],
        "monthly": kind is ReportKind.MONTHLY,
        "hall": values["hall_name"],
        "department": values["supervision_department"],
        "period": period(values["from"], values["to"]),
        "until": day(values["to"]),
        "due": moment(values["due_at"]),
        "date": day(values["made_at"]),
        "marks": marks(values),
        "opening": _opening(values),
        "groups": [{"title": title, "rows": in_pairs(lines)} for title, lines in counts if lines],
        "rate_head": list(rates[0]),
        "rates": [list(row) for row in rates[1]],
        "rate_note": RATE_NOTE,
        "unit_head": list(units[0]),
        "units": [list(row) for row in units[1]],
        "unit_notes": list(unit_notes),
        "late_volumes": [list(row) for row in tables["late_volumes"][1]],
        "cause_head": list(causes[0]),
        "causes": [list(row) for row in causes[1]],
        "demands": [_demand(line) for line in values.get("demands", ())],
        "concerns": [_concern(line) for line in values["concerns"]],
        "late": [_late(line) for line in values["late"]],
        "head": head_line(values["head"]),
    }


def as_pdf(shown: Values) -> bytes:
    """Return the summary as a PDF."""
    return set_document(SOURCE, shown)


def as_word(shown: Values, kind: ReportKind, template: Path | None = None) -> bytes:
    """Return the summary in Word, from the packaged template of its kind or an operator's own.

    Raises jinja2's TemplateError for a template that cannot be filled.
    """
    from docxtpl import DocxTemplate

    from documents.summary_template import make_template

    document = DocxTemplate(template or io.BytesIO(make_template(kind)))
    document.render(dict(shown), autoescape=True)
    made = io.BytesIO()
    document.save(made)
    return undated(made.getvalue())


def undated(package: bytes) -> bytes:
    """Return a Word file with the dates of its parts set to one that never changes."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, _EPOCH), source.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _opening(values: Values) -> str:
    """Return the paragraph that a summary begins with."""
    figures = values["figures"]
    happened, stands = figures["period"].get, figures["standing"].get
    if not happened("registered") and not stands("open") and not happened("closed"):
        return "本期没有登记办件，期末没有在办件。"
    return (
        f"本期登记 {happened('registered', 0)} 件，答复并告知 {happened('told', 0)} 件，"
        f"办结 {happened('closed', 0)} 件；期末在办 {stands('open', 0)} 件，"
        f"其中超期 {stands('overdue', 0)} 件、预警 {stands('warned', 0)} 件，"
        f"升级到监督层级 {stands('supervision', 0)} 件，督办单未答复 {stands('orders_open', 0)} 份。"
    )


def _concern(line: Values) -> list[str]:
    due = moment(line["due_at"]) + ("(暂定)" if line["due_provisional"] else "")
    reasons = "、".join(term(REASON, reason) for reason in line["reasons"])
    subject, unit, person = (line[name] or NOTHING for name in ("subject", "unit_name", "person"))
    return [line["number"], subject, unit, person, due, term(LEVEL, line["level"]), reasons]


def _demand(line: Values) -> list[str]:
    subject, unit = (line[name] or NOTHING for name in ("subject", "unit_name"))
    return [line["number"], subject, unit, term(CAUSE, line["cause"]), needs(line)]


def _late(line: Values) -> list[str]:
    items = len(line["late"])
    return [line["number"], line["subject"] or NOTHING, str(items), moment(line["late"][0]["at"])]
