"""A report's content as files: Excel for what a hall hands in, PDF and Word for the centre's summaries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.report_figures import UNIT, lines, unit_lines
from casework.report_lists import cause_lines
from casework.report_rates import rate_lines
from casework.report_volumes import NOTHING, late_lines, volume_column, volume_notes
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
    notes = volume_notes(values["figures"].get("volumes", ()))
    shown = summary.summary(values, counts, tables_of(values), notes)
    own = templates / f"{kind}.docx" if templates else None
    word = summary.as_word(shown, kind, own if own and own.exists() else None)
    return [
        _file(values, "pdf", summary.PDF, summary.as_pdf(shown)),
        _file(values, "docx", summary.WORD, word),
    ]


def tables_of(values: Values) -> dict[str, summary.Table]:
    """Return the tables of a summary in words: rates, units, and of a month the causes and late volumes."""
    figures, names = values["figures"], values["units"]
    return {
        "rates": rate_lines(figures["rates"], names),
        "units": _units(values),
        "causes": cause_lines(figures.get("causes", {})),
        "late_volumes": (summary.LATE_VOLUMES, late_lines(figures.get("volumes", ()), names)),
    }


def _units(values: Values) -> summary.Table:
    """Return the counts of units; of a month with their 12345 calls, and each unit that has some."""
    figures, names = values["figures"], values["units"]
    if ReportKind(values["kind"]) is not ReportKind.MONTHLY:
        return ["承办单位", *UNIT.values()], unit_lines(figures, names)
    title, volumes = volume_column(figures.get("volumes", ()))
    counts = {unit: figures["units"].get(unit, {}) for unit in sorted({*figures["units"], *volumes})}
    lines = zip(counts, unit_lines({"units": counts}, names), strict=True)
    rows = [[*line, volumes.get(unit, NOTHING)] for unit, line in lines]
    return ["承办单位", *UNIT.values(), title], rows


def _file(values: Values, ending: str, media_type: str, content: bytes) -> File:
    on = local(datetime.fromisoformat(values["due_at"]))
    name = f"{REPORT_KIND[values['kind']]}-{values['hall']}-{on:%Y%m%d}.{ending}"
    return File(ending, name, media_type, content)
