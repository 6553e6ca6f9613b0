"""A report's content as files: Excel for what a hall hands in, PDF and Word for the centre's summaries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.report_figures import UNIT, lines, unit_lines
from casework.report_lists import cause_lines
from casework.report_rates import rate_lines
from documents import excel, hall_weekly, monthly_lists, summary
from rules.calendar import local
from rules.report_words import REPORT_KIND
from rules.reporting import ReportKind

Values = Mapping[str, Any]
CATEGORY = {
    ReportKind.HALL_WEEKLY: "forms_and_ledger",
    ReportKind.CENTRE_WEEKLY: "summary",
    ReportKind.MONTHLY_LISTS: "lists",
    ReportKind.MONTHLY: "summary",
}
"""Under what a report is filed for later evidence. Source: S0, 分类整理归档."""
_WORKBOOK = {
    ReportKind.HALL_WEEKLY: hall_weekly.hall_weekly,
    ReportKind.MONTHLY_LISTS: monthly_lists.monthly_lists,
}


@dataclass(frozen=True, repr=False)
class File:
    """One file; `format` names it in addresses and is the ending of its name."""

    format: str
    name: str
    media_type: str
    content: bytes


def files_of(values: Values, templates: Path | None) -> list[File]:
    """Return the files of a report, the one that is handed out first in front. Takes a while.

    `templates` is a folder where an operator may keep Word templates of their own, each under the
    name of its kind.
    """
    kind, counts = ReportKind(values["kind"]), lines(values["figures"])
    if kind in _WORKBOOK:
        return [_file(values, "xlsx", excel.MEDIA_TYPE, _WORKBOOK[kind](values, counts))]
    shown = summary.summary(values, counts, _tables(values))
    own = templates / f"{kind}.docx" if templates else None
    word = summary.as_word(shown, kind, own if own and own.exists() else None)
    return [
        _file(values, "pdf", summary.PDF, summary.as_pdf(shown)),
        _file(values, "docx", summary.WORD, word),
    ]


def _tables(values: Values) -> dict[str, summary.Table]:
    """Return the tables of a summary in words: rates, units, and of a month the causes."""
    figures, names = values["figures"], values["units"]
    return {
        "rates": rate_lines(figures["rates"], names),
        "units": (["承办单位", *UNIT.values()], unit_lines(figures, names)),
        "causes": cause_lines(figures.get("causes", {})),
    }


def _file(values: Values, ending: str, media_type: str, content: bytes) -> File:
    on = local(datetime.fromisoformat(values["due_at"]))
    name = f"{REPORT_KIND[values['kind']]}-{values['hall']}-{on:%Y%m%d}.{ending}"
    return File(ending, name, media_type, content)
