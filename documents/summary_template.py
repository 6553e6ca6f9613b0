"""The packaged Word templates of the centre's summaries, made by code: no binary stands in the repository.

`bancheng report template FILE` writes it out to be edited; docs/how-to/reports.md says how.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from documents.summary import LATE_VOLUMES, TITLES
from rules.reporting import ReportKind

_SONG, _HEI = "宋体", "黑体"
_WRITTEN = datetime(2026, 1, 1)  # noqa: DTZ001 - Word keeps no zone; the same template has the same bytes

DEMANDS = ("编号", "反映事项", "承办单位", "成因", "需求")
CONCERNS = ("编号", "反映事项", "承办单位", "经办人", "办结时限", "层级", "关注原因")
LATE = ("编号", "反映事项", "补报项数", "最早时间")


@cache
def make_template(kind: ReportKind) -> bytes:
    """Return the template of a kind of summary; its fields are those of `documents.summary.summary`."""
    document = Document()
    _set_up(document, TITLES[kind])
    _line(document, "{{ title }}", size=20, font=_HEI, centred=True)
    _line(document, "{{ hall }}", size=12, centred=True)
    _line(document, "{{ department }}:", size=12)
    _line(document, "期间：{{ period }}。", size=12, indent=True)
    _line(document, "{{ opening }}", size=12, indent=True)
    _line(document, "{%p for mark in marks %}")
    _line(document, "{{ mark }}", size=12, indent=True)
    _line(document, "{%p endfor %}")
    sections = iter("一二三四五六七")
    _heading(document, f"{next(sections)}、情况统计")
    _counts(document)
    _heading(document, f"{next(sections)}、办理质效")
    _rows(document, [f"{{{{ rate_head[{each}] }}}}" for each in range(6)], "rates", 6)
    _line(document, "{{ rate_note }}", size=9)
    _heading(document, f"{next(sections)}、各承办单位")
    columns = 8 if kind is ReportKind.MONTHLY else 7
    _rows(document, [f"{{{{ unit_head[{each}] }}}}" for each in range(columns)], "units", columns)
    if kind is ReportKind.MONTHLY:
        _line(document, "{%p for note in unit_notes %}")
        _line(document, "{{ note }}", size=9)
        _line(document, "{%p endfor %}")
        _heading(document, f"{next(sections)}、问题、需求与措施")
        causes = [f"{{{{ cause_head[{each}] }}}}" for each in range(6)]
        _when(document, "causes", causes, "本期没有列入清单的问题。")
        _line(document, "{%p if demands %}")
        _line(document, "需求清单", size=11, font=_HEI)
        _rows(document, DEMANDS, "demands", len(DEMANDS))
        _line(document, "{%p endif %}")
    _heading(document, f"{next(sections)}、需关注的办件")
    _when(document, "concerns", CONCERNS, "本期末没有需关注的办件。")
    _heading(document, f"{next(sections)}、补报事项")
    _when(document, "late", LATE, "没有补报事项。", unless="late_volumes")
    if kind is ReportKind.MONTHLY:
        _line(document, "{%p if late_volumes %}")
        _line(document, "12345 件数补报", size=11, font=_HEI)
        _rows(document, LATE_VOLUMES, "late_volumes", len(LATE_VOLUMES))
        _line(document, "{%p endif %}")
    _heading(document, f"{next(sections)}、台账签名摘要")
    _line(document, "{{ head }}", size=10.5)
    _line(document, "")
    _line(document, "{{ hall }}", size=12, right=True)
    _line(document, "{{ date }}", size=12, right=True)
    _line(document, "接收人：____________  接收时间：____________", size=12)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _set_up(document: Any, title: str) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(22)
    section.top_margin = section.bottom_margin = Mm(22)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = _SONG, Pt(10.5)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), _SONG)
    about = document.core_properties
    about.title, about.author, about.comments = title, "", ""
    about.created = about.modified = _WRITTEN


def _line(
    document: Any,
    text: str,
    *,
    size: float = 10.5,
    font: str = _SONG,
    centred: bool = False,
    right: bool = False,
    indent: bool = False,
) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_after = Pt(4)
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    elif right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(2 * size)
    _write(paragraph, text, size, font)


def _heading(document: Any, text: str) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(8), Pt(4)
    paragraph.paragraph_format.keep_with_next = True
    _write(paragraph, text, 13, _HEI)


def _write(paragraph: Any, text: str, size: float, font: str) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.name = Pt(size), font
    run._element.rPr.rFonts.set(qn("w:eastAsia"), font)


def _counts(document: Any) -> None:
    """One table for each group of counts; the loop of docxtpl goes around paragraphs and table."""
    _line(document, "{%p for group in groups %}")
    _line(document, "{{ group.title }}", size=11, font=_HEI)
    table = _table(document, 4)
    _cells(table.rows[0], ("{%tr for row in group.rows %}", "", "", ""))
    _cells(table.add_row(), [f"{{{{ row[{each}] }}}}" for each in range(4)])
    _cells(table.add_row(), ("{%tr endfor %}", "", "", ""))
    _line(document, "", size=5)
    _line(document, "{%p endfor %}")


def _when(document: Any, name: str, heads: Sequence[str], otherwise: str, unless: str | None = None) -> None:
    """A table where there are rows, else a sentence; none of both where `unless` holds."""
    _line(document, f"{{%p if {name} %}}")
    _rows(document, heads, name, len(heads))
    _line(document, f"{{%p elif not {unless} %}}" if unless else "{%p else %}")
    _line(document, otherwise)
    _line(document, "{%p endif %}")


def _rows(document: Any, heads: Sequence[str], name: str, columns: int) -> None:
    table = _table(document, columns)
    _cells(table.rows[0], heads, font=_HEI)
    _cells(table.add_row(), (f"{{%tr for row in {name} %}}", *[""] * (columns - 1)))
    _cells(table.add_row(), [f"{{{{ row[{each}] }}}}" for each in range(columns)])
    _cells(table.add_row(), ("{%tr endfor %}", *[""] * (columns - 1)))


def _table(document: Any, columns: int) -> Any:
    table = document.add_table(rows=1, cols=columns)
    table.style = "Table Grid"
    return table


def _cells(row: Any, texts: Sequence[str], font: str = _SONG) -> None:
    for cell, text in zip(row.cells, texts, strict=True):
        spacing = cell.paragraphs[0].paragraph_format
        spacing.space_before = spacing.space_after = Pt(2)
        _write(cell.paragraphs[0], text, 9, font)
