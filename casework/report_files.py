"""A report's content as files: Excel for the forms and the ledger, PDF and Word for the summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.report_figures import UNIT, lines, unit_lines
from casework.report_rates import rate_lines
from documents import centre_weekly, excel, hall_weekly
from rules.calendar import local
from rules.report_words import REPORT_KIND
from rules.reporting import ReportKind

Values = Mapping[str, Any]
TEMPLATE = "centre_weekly.docx"
CATEGORY = {ReportKind.HALL_WEEKLY: "forms_and_ledger", ReportKind.CENTRE_WEEKLY: "summary"}
"""Under what a report is filed for later evidence. Source: S0, 分类整理归档."""


@dataclass(frozen=True, repr=False)
class File:
    """One file; `format` names it in addresses and is the ending of its name."""

    format: str
    name: str
    media_type: str
    content: bytes


def files_of(values: Values, templates: Path | None) -> list[File]:
    """Return the files of a report, the one that is handed out first in front. Takes a while.

    `templates` is a folder where an operator may keep a Word template of their own.
    """
    counts = lines(values["figures"])
    if values["kind"] == ReportKind.HALL_WEEKLY:
        return [_file(values, "xlsx", excel.MEDIA_TYPE, hall_weekly.hall_weekly(values, counts))]
    rates = rate_lines(values["figures"]["rates"], values["units"])
    units = ["承办单位", *UNIT.values()], unit_lines(values["figures"], values["units"])
    shown = centre_weekly.summary(values, counts, rates, units)
    own = templates / TEMPLATE if templates and (templates / TEMPLATE).exists() else None
    return [
        _file(values, "pdf", centre_weekly.PDF, centre_weekly.as_pdf(shown)),
        _file(values, "docx", centre_weekly.WORD, centre_weekly.as_word(shown, own)),
    ]


def _file(values: Values, ending: str, media_type: str, content: bytes) -> File:
    on = local(datetime.fromisoformat(values["due_at"]))
    name = f"{REPORT_KIND[values['kind']]}-{values['hall']}-{on:%Y%m%d}.{ending}"
    return File(ending, name, media_type, content)
