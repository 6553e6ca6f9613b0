"""`…/export.xlsx` of lists beside those of cases: 通报, clusters, lessons, write-ups, the queue, reports.

Registered before the pages of one of their items, whose addresses would take these for a number.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework import exports
from casework.bottlenecks import EXPORTED, Cluster, clusters
from casework.bulletins import bulletins_wanted, number_of
from casework.exports import Export
from casework.lessons import lessons_wanted
from casework.places import Places
from casework.queue import read_queue
from casework.reports import reports_wanted
from casework.searching import is_of_person
from casework.services import Services
from casework.sheets import Cell
from casework.typical import typical_wanted
from casework.viewer import Viewer
from models.case import Bulletin, Case
from models.report import Report, ReportReceipt
from models.typical import TypicalCase
from pages import bulletins, typical
from pages.bottlenecks import Chosen, Overseer, chosen_period
from pages.counter_queue import Clerk
from pages.errors import SEE_OTHER
from pages.export_words import LIST, at_minute, list_cells
from pages.frame import SIGNED_IN
from pages.labels import CAUSE, word
from pages.list_filters import read_search
from pages.rendering import moment
from pages.reports import Reader as ReportReader
from pages.reports import read_filter
from pages.sessions import PageStaff
from pages.sheets import Sheet, at_once, refused, send_query, send_sheet, send_streamed, spared_on_head
from routes.dependencies import Given
from rules.report_words import CATEGORY, REPORT_KIND

router = APIRouter(dependencies=SIGNED_IN)
Short = Annotated[str, Form(max_length=1000)]

BULLETINS = (
    *(("发文字号", 20), ("状态", 12), ("大厅", 24), ("责任单位", 20), ("责任人", 12), ("情形", 34)),
    *(("办件", 24), ("起草时间", 17), ("审定时间", 17), ("问责移送", 14)),
)
CLUSTERS = (
    *(("政务服务事项", 34), ("成因", 18), ("件数", 9), ("重复反映", 10), ("在办", 9), ("超期", 9)),
    ("承办单位", 50),
)
LESSONS = (
    *(("编号", 24), ("大厅", 24), ("承办单位", 18), ("政务服务事项", 30), ("成因", 18)),
    *(("办结时间", 17), ("经验", 80)),
)
TYPICAL = (
    *(("标题", 34), ("状态", 10), ("编号", 24), ("大厅", 24), ("承办单位", 18), ("事项", 30)),
    *(("反映的问题", 50), ("怎么办成的", 50), ("经验", 50), ("提交时间", 17), ("发布时间", 17)),
)
QUEUE = (
    *(("分组", 14), ("编号", 24), ("时限", 17), ("是否超时", 10), ("事项", 34), ("反映人", 12)),
    ("受理时间", 17),
)
REPORTS = (
    *(("报告", 16), ("归档类别", 16), ("大厅", 24), ("期间自", 17), ("期间至", 17), ("应生成时间", 17)),
    *(("生成时间", 17), ("暂定", 8), ("登记", 9), ("办结", 9), ("期末在办", 10), ("超期", 9)),
    *(("补报项数", 10), ("接收人", 12), ("接收时间", 17)),
)


@router.get("/bulletins/export.xlsx")
@spared_on_head
async def export_bulletins(
    request: Request, given: Given, viewer: bulletins.Reader, status: bulletins.Status | None = None
) -> Response:
    """One status of the 通报 that the viewer sees."""
    chosen = status or bulletins.usual_status(viewer)
    words = f"状态:{word('bulletin', chosen)}"
    return await send_query(
        *(request, given, viewer),
        lambda session: bulletins_wanted(session, viewer, chosen),
        lambda export: Sheet.of("通报", "bulletins", BULLETINS, words, export, _bulletin),
    )


@router.get("/bottlenecks/export.xlsx")
@spared_on_head
async def export_bottlenecks(
    request: Request, given: Given, viewer: Overseer, since: str = "", until: str = "", hall: str = ""
) -> Response:
    """The clusters of a period, also those that the page has no room for; a cap is said on the sheet."""
    chosen = await chosen_period(given, since, until, hall)
    if chosen.faults:
        return refused(request, "筛选条件有误", "；".join(chosen.faults.values()))
    found = await clusters(given, viewer, chosen.period, most=EXPORTED)

    def cells(each: Cluster) -> list[Cell]:
        counts = (each.count, each.repeats, each.open, each.late)
        units = "、".join(f"{found.places.unit(*at)} {count}" for at, count in each.units.items())
        return [each.matter, word("cause", each.cause, "未定"), *counts, units]

    now, words = await given.clock.now(), _period(chosen, found.places)
    if len(found.items) == EXPORTED:
        words += f"；只列最多的 {EXPORTED:,} 类"
    rows = at_once(found.items)
    sheet = Sheet("办事瓶颈", "bottlenecks", CLUSTERS, words, len(found.items), now, rows, cells)
    return await send_sheet(request, given, viewer, sheet)


@router.get("/bottlenecks/{number}/export.xlsx")
@spared_on_head
async def export_cluster(
    request: Request,
    number: str,
    given: Given,
    viewer: Overseer,
    since: str = "",
    until: str = "",
    hall: str = "",
) -> Response:
    """All the cases of one cluster."""
    chosen = await chosen_period(given, since, until, hall)
    if chosen.faults:
        return refused(request, "筛选条件有误", "；".join(chosen.faults.values()))

    def sheet(opened: tuple[Case, Export]) -> Sheet:
        case, export = opened
        same = f"事项:{case.matter or '—'}；成因:{word('cause', case.cause, '未定')}"
        words = f"{_period(chosen, export.places)}；{same}"
        made = list_cells(export.places)
        return Sheet.of("同类办件", "cluster", LIST, words, export, made)

    opening = exports.cluster(given, viewer, number, chosen.period)
    return await send_streamed(request, given, viewer, opening, sheet)


@router.get("/lessons/export.xlsx")
@spared_on_head
async def export_lessons(request: Request, given: Given, viewer: PageStaff) -> Response:
    """All the lessons of the cases that the viewer sees."""
    return await _lessons(request, given, viewer, "", None, "")


@router.post("/lessons/search/export.xlsx")
async def export_found_lessons(
    request: Request, given: Given, viewer: PageStaff, q: Short = "", cause: Short = ""
) -> Response:
    """All the lessons that a search finds; what was searched for is posted, and no name is written down."""
    faults: dict[str, str] = {}
    typed = read_search({"q": q}, faults)
    if faults:
        return RedirectResponse("/lessons", SEE_OTHER)
    chosen = cause if cause in CAUSE else None
    async with given.database.read() as session:
        personal = bool(typed) and await is_of_person(session, typed, given.keyring)
    said = ["查找:(不写入文件)" if personal else f"查找:{typed}"] if typed else []
    said += [f"成因:{CAUSE[chosen]}"] if chosen else []
    return await _lessons(request, given, viewer, typed, chosen, "；".join(said))


@router.get("/typical/export.xlsx")
@spared_on_head
async def export_typical(
    request: Request, given: Given, viewer: typical.Reader, status: typical.Status | None = None
) -> Response:
    """One status of the write-ups that the viewer sees."""
    chosen = status or typical.usual_status(viewer)
    words = f"状态:{word('typical', chosen)}"
    return await send_query(
        *(request, given, viewer),
        lambda session: typical_wanted(session, viewer, chosen),
        lambda export: Sheet.of("典型案例", "typical", TYPICAL, words, export, _typical),
    )


@router.get("/counter/queue/export.xlsx")
@spared_on_head
async def export_queue(request: Request, given: Given, viewer: Clerk) -> Response:
    """The whole queue of the hall, names masked as on the page."""
    queue = await read_queue(given, viewer, whole=True)
    rows: list[list[Cell]] = []
    for title, part in (
        ("待分派", queue.untriaged),
        ("待回访", queue.revisits),
        ("待告知反映人", queue.untold),
    ):
        for entry in part.entries:
            due = (at_minute(entry.by), "已超时" if entry.late else None)
            said = (entry.matter, entry.petitioner, at_minute(entry.received_at))
            rows.append([title, entry.number, *due, *said])
    for case in queue.unnumbered:
        rows.append(["待编号", None, None, None, case["matter"], None, moment(case["received_at"])])
    now = await given.clock.now()
    sheet = Sheet("今日队列", "queue", QUEUE, "本大厅", len(rows), now, at_once(rows), lambda row: row)
    return await send_sheet(request, given, viewer, sheet)


@router.get("/reports/export.xlsx")
@spared_on_head
async def export_reports(
    request: Request,
    given: Given,
    viewer: ReportReader,
    kind: str = "",
    category: str = "",
    hall: str = "",
) -> Response:
    """The list of reports as narrowed."""
    chosen = read_filter(kind, category, hall)

    def sheet(export: Export) -> Sheet:
        said = [f"种类:{REPORT_KIND[chosen.kind]}"] if chosen.kind else []
        said += [f"归档类别:{CATEGORY[chosen.category]}"] if chosen.category else []
        said += [f"大厅:{export.places.hall(chosen.hall)}"] if chosen.hall else []
        return Sheet.of("报告目录", "reports", REPORTS, "；".join(said), export, _report)

    return await send_query(
        request, given, viewer, lambda session: reports_wanted(session, viewer, chosen), sheet
    )


async def _lessons(
    request: Request, given: Services, viewer: Viewer, typed: str, cause: str | None, words: str
) -> Response:
    def sheet(export: Export) -> Sheet:
        def cells(row: Any) -> list[Cell]:
            case: Case = row[0]
            where = (export.places.hall(case.hall), export.places.unit(case.hall, case.unit))
            told = (case.matter, word("cause", case.cause, ""), at_minute(case.closed_at), case.lesson)
            return [case.number, *where, *told]

        return Sheet.of("经验", "lessons", LESSONS, words, export, cells)

    return await send_query(
        request, given, viewer, lambda session: lessons_wanted(session, viewer, typed, cause), sheet
    )


def _bulletin(row: Any) -> list[Cell]:
    bulletin: Bulletin = row[0]
    said = (row[1], row[2] or bulletin.unit, bulletin.person, word("ground", bulletin.ground))
    times = (at_minute(bulletin.created_at), at_minute(bulletin.decided_at))
    status, referred = word("bulletin", bulletin.status), word("accountability", bulletin.accountability, "")
    return [number_of(bulletin), status, *said, bulletin.case_number, *times, referred]


def _typical(row: Any) -> list[Cell]:
    item: TypicalCase = row[0]
    said = (item.title, word("typical", item.status), item.case_number, row[1], row[2] or item.unit)
    texts = (item.matter, item.problem, item.done, item.lesson)
    return [*said, *texts, at_minute(item.written_at), at_minute(item.published_at)]


def _report(row: Any) -> list[Cell]:
    report: Report = row[0]
    receipt: ReportReceipt | None = row[2]
    times = (report.covers_from, report.covers_to, report.due_at, report.made_at)
    period, standing = (report.facts["figures"][name] for name in ("period", "standing"))
    counts = (period.get("registered", 0), period.get("closed", 0))
    counts += (standing.get("open", 0), standing.get("overdue", 0), period.get("late", 0))
    taken = (receipt.name, at_minute(receipt.at)) if receipt else (None, None)
    said = (REPORT_KIND[report.kind], CATEGORY[report.category], row[1])
    return [*said, *map(at_minute, times), "暂定" if report.provisional else None, *counts, *taken]


def _period(chosen: Chosen, places: Places) -> str:
    hall = f"；大厅:{places.hall(chosen.hall)}" if chosen.hall else ""
    return f"受理日期:{chosen.since} 至 {chosen.until}{hall}"
