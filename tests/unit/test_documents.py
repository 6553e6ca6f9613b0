"""The files of reports, read back by other libraries: values, Chinese, and nothing that becomes a formula."""

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from casework.report_figures import lines
from casework.report_files import tables_of
from casework.report_volumes import volume_notes
from documents.cells import CUT, LONGEST, fitting
from documents.excel import Workbook
from documents.hall_weekly import hall_weekly
from documents.monthly_lists import monthly_lists
from documents.summary import as_pdf, summary, undated
from documents.summary import as_word as as_word_of
from documents.summary_template import make_template
from documents.words import in_pairs, numbered, person
from rules.calendar import SHANGHAI
from rules.reporting import ReportKind

WEEKLY, MONTHLY = ReportKind.CENTRE_WEEKLY, ReportKind.MONTHLY
HOSTILE = ("=1+1", "+86", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "http://example.org/", "{{ 7*7 }}")
FIGURES: dict[str, Any] = {
    "period": {"registered": 2, "closed": 1, "late": 1, "told": 1},
    "kinds": {"simple": 1, "untriaged": 1},
    "outcomes": {"solved": 1},
    "standing": {"open": 3, "overdue": 1, "warned": 1, "status.handling": 2, "status.replied": 1},
    "units": {"market": {"registered": 2, "open": 3, "overdue": 1}},
    "rates": {
        "hall": {"handled": 3, "on_time_rate": [2, 3], "solved_rate": [1, 2]}
        | {"satisfaction_final": [0, 0], "response_rate": [3, 3]},
        "units": {
            "market": {"handled": 2, "on_time_rate": [1, 2], "solved_rate": [0, 1]}
            | {"satisfaction_final": [0, 0], "response_rate": [2, 2]}
        },
    },
}
NO_RATES = {name: [0, 0] for name in ("on_time_rate", "solved_rate", "satisfaction_final", "response_rate")}
NONE: dict[str, Any] = {
    **{name: {} for name in ("period", "kinds", "outcomes", "standing", "units")},
    "rates": {"hall": {"handled": 0, **NO_RATES}, "units": {}},
}


def head(**changed: Any) -> dict[str, Any]:
    """What stands at the head of every report's content."""
    return {
        "id": "r",
        "kind": "hall_weekly",
        "hall": "guilin",
        "hall_name": "桂林市政务服务中心",
        "supervision_department": "桂林市政务服务监督管理部门",
        "from": "2026-09-30T17:30:00+08:00",
        "to": "2026-10-09T17:30:00+08:00",
        "due_at": "2026-10-09T17:30:00+08:00",
        "made_at": "2026-10-09T17:30:01+08:00",
        "provisional": False,
        "head": None,
        "units": {"market": "市场监管局"},
        "figures": FIGURES,
    } | changed


def ledger_line(**changed: Any) -> dict[str, Any]:
    """A line of 附件3."""
    return {
        "number": "guilin-20261008-0001",
        "received_at": "2026-10-08T09:20:00+08:00",
        "subject": "个体户注销",
        "unit_name": "市场监管局",
        "person": "甲某",
        "dispatched_at": "2026-10-08T09:25:00+08:00",
        "signed_at": None,
        "due_at": "2026-10-13T17:30:00+08:00",
        "progress": [{"at": "2026-10-08T11:00:00+08:00", "by": "甲某", "text": "已联系税务部门"}],
        "level": "contact",
        "returns": 0,
        "extensions": 1,
        "reminders": 2,
        "orders": [
            {"due_at": "2026-10-16T17:30:00+08:00", "answered_at": None},
            {"due_at": "2026-10-16T17:30:00+08:00", "answered_at": "2026-10-15T10:00:00+08:00"},
        ],
        "reply": None,
        "explanation": None,
        "revisit": None,
        "rating": None,
        "closed_at": None,
        "light": "red",
        "kind": "simple",
        "status": "handling",
        "due_provisional": False,
        "news": True,
        "late": [],
    } | changed


def form(**changed: Any) -> dict[str, Any]:
    """A registration form."""
    return {
        "number": "guilin-20261008-0001",
        "received_at": "2026-10-08T09:20:00+08:00",
        "registered_at": "2026-10-08T09:20:01+08:00",
        "channel": "counter",
        "clerk": "窗口甲",
        "petitioner": {
            "kind": "person",
            "name": "周*",
            "phone": "138********",
            "id_number": None,
            "uscc": None,
        },
        "matter": "个体户注销",
        "attempts": [{"channel": "online", "on": "2026-10-02", "where": "网上大厅", "said": "无法提交"}],
        "problem": "窗口要求重复提交证件",
        "cause": "mechanical_application",
        "kind": "simple",
        "unit_name": "市场监管局",
        "notice": {"materials": ["身份证", "户口簿"], "window": "3 号", "person": "李某", "contact": "12345"},
        "attachments": ["清税证明.pdf"],
        "status": "handling",
        "outcome": None,
        "reply": None,
        "late": False,
    } | changed


CONTACT = {
    "unit_name": "市场监管局",
    "deputy_leader": {"name": "钱某", "post": "副局长", "phone": "13800130002"},
    "contact": {"name": "甲某", "post": "", "phone": "13800130003"},
    "alternate": None,
    "version": 2,
    "valid_from": "2026-01-04T09:00:00+08:00",
}


def workbook(**parts: Any) -> bytes:
    values = head(forms=[], ledger=[], contacts=[]) | parts
    return hall_weekly(values, lines(values["figures"]))


def sheets(content: bytes) -> dict[str, list[list[str]]]:
    """Every sheet as another library reads it."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def cells(rows: list[list[Any]]) -> list[Any]:
    return [cell for row in rows for cell in row if cell != ""]


def test_a_weekly_workbook_holds_cover_and_the_three_annexes() -> None:
    found = sheets(workbook(forms=[form()], ledger=[ledger_line()], contacts=[CONTACT]))
    assert list(found) == ["封面", "附件1 业务联系表", "附件2 登记表", "附件3 台账"]
    assert "“办不成事”反映窗口周报" in cells(found["封面"])
    assert [
        "市场监管局",
        "钱某\n副局长\n13800130002",
        "甲某\n13800130003",
        "—",
        "2",
        "2026-01-04 09:00",
    ] in found["附件1 业务联系表"]
    forms = cells(found["附件2 登记表"])
    for expected in (
        "周*",
        "138********",
        "2026-10-02，线上，网上大厅，无法提交",
        "机械执行不愿办",
        "所需材料：身份证、户口簿\n窗口：3 号\n经办人：李某\n联系电话：12345",
        "清税证明.pdf",
        "尚未答复",
    ):
        assert expected in forms
    row = found["附件3 台账"][3]
    assert row[:4] == ["1", "guilin-20261008-0001", "个体户注销", "即办件\n办理中"]
    assert row[6:9] == ["2026-10-08 09:25\n—", "2026-10-13 17:30", "2026-10-08 11:00 已联系税务部门"]
    assert row[10:12] == [
        "0/1/2",
        "限 2026-10-16 17:30，未答复\n限 2026-10-16 17:30，已于 2026-10-15 10:00 答复",
    ]
    assert row[15] == "超期"


def test_the_cover_shows_the_counts_of_the_period() -> None:
    cover = sheets(workbook())["封面"]
    pairs = {row[i]: row[i + 1] for row in cover for i in (0, 2) if len(row) > i + 1 and row[i]}
    assert {
        word: pairs[word] for word in ("本期登记", "本期办结", "期末在办", "其中超期", "待分派", "已解决")
    } == {"本期登记": "2", "本期办结": "1", "期末在办": "3", "其中超期": "1", "待分派": "1", "已解决": "1"}


def test_a_hall_without_cases_says_so_on_every_sheet() -> None:
    found = sheets(workbook(figures=NONE))
    assert "尚未登记业务联系人" in cells(found["附件1 业务联系表"])
    assert "本期无办件" in cells(found["附件2 登记表"])
    assert "本期无办件" in cells(found["附件3 台账"])


@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_typed_stays_text(text: str) -> None:
    """Formulas, links, numbers: in the file they are strings, and no formula stands in any sheet."""
    content = workbook(
        forms=[form(matter=text, problem=text)], ledger=[ledger_line(subject=text, reply=text)]
    )
    found = sheets(content)
    assert cells(found["附件2 登记表"]).count(text) == 2
    assert found["附件3 台账"][3][2] == text
    assert found["附件3 台账"][3][12] == text
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            if name.startswith("xl/worksheets/"):
                xml = package.read(name).decode()
                assert "<f>" not in xml
                assert "<hyperlink" not in xml
                assert not re.search(r"<c [^>]*t=\"(n|str)\"", xml)


def test_a_text_longer_than_a_cell_is_cut_and_says_so() -> None:
    book = Workbook("x", datetime(2026, 10, 9, tzinfo=SHANGHAI))
    book.sheet("一", (20,)).row(["长" * (LONGEST + 500)])
    [[cell]] = sheets(book.close())["一"]
    assert cell == "长" * (LONGEST - len(CUT)) + CUT


def test_a_text_as_long_as_a_cell_is_whole() -> None:
    assert fitting("长" * LONGEST) == "长" * LONGEST
    assert len(fitting("长" * (LONGEST + 1))) == LONGEST


def test_the_lists_of_a_month_hold_problems_demands_and_measures() -> None:
    line, solved = on_lists(), on_lists(outcome="solved", cause=None, unit_name=None, person=None)
    found = sheets(
        lists_of_a_month(
            problems=[line, solved], demands=[line], measures=[line], ledger=[line], forms=[form()]
        )
    )
    annexes = ["附件1 业务联系表", "附件2 登记表", "附件3 台账"]
    assert list(found) == ["封面", "问题清单", "需求清单", "措施清单", *annexes]
    assert "“办不成事”反映窗口月度清单" in cells(found["封面"])
    cover = {row[i]: row[i + 1] for row in found["封面"] for i in (0, 2) if len(row) > i + 1 and row[i]}
    assert [cover[name] for name in ("问题清单", "需求清单", "措施清单", "台账")] == ["2", "1", "1", "1"]
    first, second = found["问题清单"][3:]
    assert first[:3] == ["1", "guilin-20261008-0001", "2026-10-08 09:20"]
    assert first[3:8] == ["个体户注销", "两个系统互不认证", "网络信息壁垒", "即办件", "市场监管局"]
    assert first[8:] == ["2026-10-13 17:30", "超期", "办理中"]
    assert (second[5], second[7], second[10]) == ("—", "—", "已解决")
    [demand] = found["需求清单"][3:]
    assert demand[5:] == ["联系人", "需打通信息系统、需部门会商、需监督管理部门协调", "办理中"]
    [measured] = found["措施清单"][3:]
    assert measured[6] == (
        "1. 2026-10-08 15:00 协调决定：由数据局打通接口\n2. 2026-10-09 15:00 释明：接口开通前先行容缺办理"
    )
    assert "周*" in cells(found["附件2 登记表"])
    assert found["附件3 台账"][3][1] == "guilin-20261008-0001"


def test_a_month_without_cases_says_so_on_every_list() -> None:
    found = sheets(lists_of_a_month(figures=NONE))
    for name in ("问题清单", "需求清单", "措施清单", "附件2 登记表", "附件3 台账"):
        assert "本期无办件" in cells(found[name])


def test_the_summary_of_a_month_counts_problems_by_cause_and_lists_demands() -> None:
    values = shown_month(demands=[on_lists()], concerns=[concern()])
    for found in (words_of_word(as_word(values)), words_of_pdf(as_pdf(values))):
        for expected in (
            "“办不成事”反映窗口月度汇总",
            "四、问题、需求与措施",
            "成因问题其中本期登记期末在办需求措施(项)网络信息壁垒32134未定成因11100合计43234",
            "个体户注销市场监管局网络信息壁垒需打通信息系统、需部门会商、需监督管理部门协调",
            "七、台账签名摘要",
        ):
            assert expected in found
        assert "{" not in found
    empty = shown_month(figures=NONE | {"causes": {}})
    for found in (words_of_word(as_word(empty)), words_of_pdf(as_pdf(empty))):
        assert "本期没有列入清单的问题。" in found and "需求清单" not in found


def test_a_week_is_not_summed_up_by_cause() -> None:
    for found in (words_of_word(as_word(shown())), words_of_pdf(as_pdf(shown()))):
        assert "四、需关注的办件" in found and "六、台账签名摘要" in found
        assert "问题、需求与措施" not in found


def test_late_data_and_a_late_report_are_marked() -> None:
    late = [{"type": "progress", "at": "2026-09-30T16:00:00+08:00"}]
    found = sheets(
        workbook(
            made_at="2026-10-12T09:10:00+08:00",
            provisional=True,
            forms=[form(late=True)],
            ledger=[ledger_line(late=late), ledger_line(news=False)],
        )
    )
    [note] = [row[1] for row in found["封面"] if row[0] == "说明"]
    assert note == (
        "应于 2026-10-09 17:30 生成，实际于 2026-10-12 09:10 生成。\n"
        "所涉年份的放假安排尚未公布，日期为暂定。\n"
        "含补报事项 1 项：属上期，上期截止后才记入台账。"
    )
    assert "是，属上期" in cells(found["附件2 登记表"])
    assert [row[16] for row in found["附件3 台账"][3:]] == [
        "补报上期 1 项(最早 2026-09-30 16:00)",
        "本期无变动",
    ]


def test_the_signed_head_of_the_ledger_is_printed() -> None:
    signed = {"number": 7, "hash": "ab" * 32, "at": "2026-10-09T00:05:00+08:00", "key": "k1"}
    found = sheets(workbook(head=signed))
    assert f"第 7 号 {'ab' * 32}(2026-10-09 00:05 签发，密钥 k1)" in cells(found["封面"])


def shown(**parts: Any) -> dict[str, Any]:
    values = head(kind="centre_weekly", concerns=[], late=[]) | parts
    figures = values["figures"]
    notes = volume_notes(figures.get("volumes", ()))
    return dict(summary(values, lines(figures), tables_of(values), notes))


def as_word(shown: dict[str, Any], template: Path | None = None) -> bytes:
    return as_word_of(shown, MONTHLY if shown["monthly"] else WEEKLY, template)


CAUSES = {
    "system_barrier": {"problems": 3, "registered": 2, "open": 1, "demands": 3, "measures": 4},
    "none": {"problems": 1, "registered": 1, "open": 1, "demands": 0, "measures": 0},
}


def shown_month(**parts: Any) -> dict[str, Any]:
    given = {"kind": "monthly", "demands": [], "figures": FIGURES | {"causes": CAUSES}}
    return shown(**given | parts)


def on_lists(**changed: Any) -> dict[str, Any]:
    """A case as it stands on every list of a month."""
    needs = ["system_barrier", "joint", "level.supervision"]
    done = [
        {"at": "2026-10-08T15:00:00+08:00", "type": "coordinate", "text": "由数据局打通接口"},
        {"at": "2026-10-09T15:00:00+08:00", "type": "explanation", "text": "接口开通前先行容缺办理"},
    ]
    own = {"problem": "两个系统互不认证", "cause": "system_barrier", "outcome": None}
    return ledger_line(**own, needs=needs, measures=done) | changed


def lists_of_a_month(**parts: Any) -> bytes:
    empty: dict[str, Any] = {part: [] for part in ("forms", "ledger", "contacts")}
    empty |= {part: [] for part in ("problems", "demands", "measures")}
    return monthly_lists(head(kind="monthly_lists") | empty | parts, lines(FIGURES))


def concern(**changed: Any) -> dict[str, Any]:
    return ledger_line(reasons=["overdue", "order_open"]) | changed


def words_of_pdf(content: bytes) -> str:
    reader = PdfReader(io.BytesIO(content))
    return re.sub(r"\s|​", "", "".join(page.extract_text() for page in reader.pages))


def words_of_word(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    parts = [paragraph.text for paragraph in document.paragraphs]
    parts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return re.sub(r"\s", "", "".join(parts))


SAID = (
    "“办不成事”反映窗口每周汇总",
    "桂林市政务服务监督管理部门",
    "本期登记2件，答复并告知1件，办结1件；期末在办3件，其中超期1件、预警1件",
    "guilin-20261008-0001",
    "超期、督办单未答复",
    "市场监管局",
    "范围办理件按时率解决率满意率(最终)及时回应率全大厅366.7%50.0%—100.0%市场监管局250.0%0.0%—100.0%",
)


def test_the_summary_in_word_holds_the_figures_and_what_to_look_at() -> None:
    found = words_of_word(as_word(shown(concerns=[concern()])))
    for expected in SAID:
        assert expected in found
    assert "没有补报事项" in found
    assert "{" not in found


def test_the_summary_as_pdf_holds_the_same() -> None:
    found = words_of_pdf(as_pdf(shown(concerns=[concern()])))
    for expected in SAID:
        assert expected in found


def test_a_period_without_cases_is_said_in_both() -> None:
    empty = shown(figures=NONE)
    for found in (words_of_word(as_word(empty)), words_of_pdf(as_pdf(empty))):
        assert "本期没有登记办件，期末没有在办件。" in found
        assert "全大厅0————" in found
        assert "本期末没有需关注的办件。" in found


@pytest.mark.parametrize("text", [*HOSTILE, "<b>&amp; #set text", "*_$ \\ `raw`"])
def test_what_somebody_typed_is_no_markup(text: str) -> None:
    bare = re.sub(r"\s", "", text)
    values = shown_month(demands=[on_lists(subject=text)])
    assert bare in words_of_word(as_word(values))
    assert bare in words_of_pdf(as_pdf(values))


def test_the_same_content_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    values, month = shown(concerns=[concern()]), shown_month(demands=[on_lists()])

    def every() -> list[bytes]:
        books = [workbook(ledger=[ledger_line()]), lists_of_a_month(problems=[on_lists()])]
        return [*books, *(made(each) for each in (values, month) for made in (as_pdf, as_word))]

    before = every()
    later = (2037, 5, 6, 7, 8, 9, 0, 0, 0)
    monkeypatch.setattr("time.localtime", lambda *_: later)
    assert every() == before


def test_an_own_template_is_taken(tmp_path: Path) -> None:
    document = Document(io.BytesIO(make_template(WEEKLY)))
    document.add_paragraph("本局自有格式 {{ hall }}")
    document.save(str(tmp_path / "own.docx"))
    assert "本局自有格式桂林市政务服务中心" in words_of_word(as_word(shown(), tmp_path / "own.docx"))


def test_a_packages_dates_are_the_same_ones() -> None:
    with zipfile.ZipFile(io.BytesIO(undated(make_template(WEEKLY)))) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_words_of_documents() -> None:
    assert numbered([]) == "—"
    assert numbered(["甲"]) == "甲"
    assert numbered(["甲", "乙"]) == "1. 甲\n2. 乙"
    assert person(None) == "—"
    assert in_pairs([("甲", 1), ("乙", 2), ("丙", 3)]) == [["甲", "1", "乙", "2"], ["丙", "3", "", ""]]
