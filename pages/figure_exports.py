"""The tables of /figures as Excel, each a sheet: `/figures/export.xlsx?table=…`; the lost points of a unit.

A share is a number of percent, so that it can be reckoned with; — where there is nothing to share.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.figures import Asked, read_figures
from casework.lost_points import LosingCase, lost_points
from casework.places import Places, places_seen
from casework.sheets import MOST_ROWS, Cell, Cells
from pages import figure_words, labels
from pages.figure_filters import FigureFilters, read_figure_filters
from pages.figures import Reader, asked_as
from pages.frame import SIGNED_IN
from pages.rendering import moment
from pages.sheets import Columns, Sheet, at_once, refused, send_sheet, spared_on_head
from routes.dependencies import Given

router = APIRouter(dependencies=SIGNED_IN)

Found = Mapping[str, Any]
Lines = Callable[[Found, Places], Iterator[Cells]]


@dataclass(frozen=True)
class Table:
    """A table of the page: its title, columns, and what makes its lines."""

    title: str
    columns: Columns
    lines: Lines


@router.get("/figures/export.xlsx")
@spared_on_head
async def export_figures(request: Request, given: Given, viewer: Reader, table: str = "") -> Response:
    """One table of the page, of the same period and filters; the groups where none is named."""
    name = table if table in TABLES else "groups"
    filters = read_figure_filters(request.query_params)
    if filters.faults:
        return refused(request, "筛选条件有误", "；".join(filters.faults.values()))
    asked = await asked_as(given, filters)
    found = await read_figures(given, viewer, asked)
    places = await places_seen(given, viewer)
    chosen = TABLES[name]
    rows = list(chosen.lines(found, places))
    words, now = _words(filters, asked, places), await given.clock.now()
    sheet = Sheet(
        *(chosen.title, f"figures {name}", chosen.columns, words, len(rows), now),
        *(at_once(rows), lambda row: row),
    )
    return await send_sheet(request, given, viewer, sheet)


@router.get("/figures/{hall}/{unit}/export.xlsx")
@spared_on_head
async def export_lost_points(
    request: Request, given: Given, viewer: Reader, hall: str, unit: str
) -> Response:
    """All the cases that cost a unit points."""
    filters = read_figure_filters({**request.query_params, "hall": hall, "unit": unit})
    if filters.faults:
        return refused(request, "筛选条件有误", "；".join(filters.faults.values()))
    asked = await asked_as(given, filters)
    lost = await lost_points(given, viewer, asked, most=MOST_ROWS)
    words, now = _words(filters, asked, lost.places), await given.clock.now()
    sheet = Sheet(
        *("失分的办件", "lost points", LOST, words, len(lost.cases), now),
        *(at_once(lost.cases), _losing),
    )
    return await send_sheet(request, given, viewer, sheet)


LOST: Columns = (("编号", 24), ("政务服务事项", 34), ("原因", 40), ("退单被驳回", 12), ("督办单", 10))


def _losing(each: LosingCase) -> list[Cell]:
    reasons = "、".join(figure_words.REASON[reason] for reason in each.reasons)
    times = [each.times.get(name) for name in figure_words.TIMES]
    return [each.number, each.matter or "(已清除)", reasons, *times]


def _share(value: float | None) -> Cell:
    return "—" if value is None else round(value * 100, 2)


def _amount(value: float | None) -> Cell:
    return "—" if value is None else round(value, 2)


def _rates(found: Found, places: Places) -> Iterator[Cells]:
    counts = (("登记", "registered"), ("办理件", "handled"), ("按时", "on_time"), ("超期", "late"))
    counts += (("超期但已作情况说明", "excused"), ("督办单", "orders"))
    for title, name in counts:
        yield [title, found[name], "件数"]
    for name, (title, formula) in figure_words.RATE.items():
        yield [f"{title}(%)", _share(found[name]), formula]


def _trend(found: Found, places: Places) -> Iterator[Cells]:
    for each in found["trend"]["items"]:
        shares = ("unit_on_time_rate", "solved_rate", "satisfaction_final")
        yield [each["from"], each["registered"], each["handled"], *(_share(each[name]) for name in shares)]


def _groups(found: Found, places: Places) -> Iterator[Cells]:
    named = figure_words.names_of
    kinds: Sequence[tuple[str, str, Callable[[Found], str]]] = (
        ("按大厅", "by_hall", lambda each: places.hall(each["hall"])),
        ("按承办单位", "by_unit", lambda each: places.unit(each["hall"], each["unit"]) or named({}, None)),
        ("按类别", "by_kind", lambda each: named(labels.KIND, each["kind"])),
        ("按成因", "by_cause", lambda each: named(labels.CAUSE, each["cause"])),
    )
    for title, key, name in kinds:
        for each in found[key]:
            hall = places.hall(each["hall"]) if key == "by_unit" else None
            shares = [_share(each[rate]) for rate in figure_words.TABLE]
            hours = (_amount(each["mean_working_days"]), _amount(each["total_holding_hours"]))
            yield [title, name(each), hall, each["registered"], each["handled"], *shares, *hours]


def _ranking(found: Found, places: Places) -> Iterator[Cells]:
    for each in found["ranking"]:
        cells: list[Cell] = [
            each["rank"] or "样本不足",
            each["name"],
            places.hall(each["hall"]),
            each["cases"],
        ]
        cells.append(each["score"] if each["enough"] else "—")
        parts = {part["part"]: part for part in each["parts"]}
        for name in figure_words.PART:
            part = parts.get(name)
            if part is None or not part["of"]:
                cells += [None, None, None, "—", None]
            else:
                cells += [part[value] for value in ("weight", "reached", "of", "points", "lost")]
        off = {deduction["deduction"]: deduction for deduction in each["deductions"]}
        for name in figure_words.DEDUCTION:
            cells += [off[name]["times"], off[name]["lost"]] if name in off else [None, None]
        yield [*cells, each["bonus"]]


def _holders(found: Found, places: Places) -> Iterator[Cells]:
    for each in found["bottlenecks"]["holders"]:
        unit = places.unit(each["hall"], each["unit"])
        hours = (_amount(each["working_hours"]), _share(each["share"]))
        yield [places.hall(each["hall"]), unit, labels.word("holder", each["holder"]), *hours]


def _causes(found: Found, places: Places) -> Iterator[Cells]:
    for each in found["bottlenecks"]["causes"]:
        hours = (_amount(each["working_hours"]), _amount(each["hours_per_case"]), _share(each["share"]))
        yield [figure_words.names_of(labels.CAUSE, each["cause"]), each["handled"], *hours]


def _matters(found: Found, places: Places) -> Iterator[Cells]:
    for each in found["bottlenecks"]["matters"]:
        yield [each["matter"] or "(已清除)", each["registered"], each["repeated"]]


_SHARES = tuple((f"{figure_words.RATE[rate][0]}(%)", 16) for rate in figure_words.TABLE)
_PARTS = tuple(
    (f"{title}·{what}", 11)
    for title in figure_words.PART.values()
    for what in ("分值", "达到", "应达到", "得分", "失分")
)
_OFF = tuple(
    (f"{title}·{what}", 13) for title in figure_words.DEDUCTION.values() for what in ("次数", "扣分")
)
TABLES: Mapping[str, Table] = {
    "rates": Table("全部指标", (("指标", 30), ("数值", 12), ("公式", 44)), _rates),
    "groups": Table(
        "分组统计",
        (
            *(("分组方式", 14), ("名称", 24), ("大厅", 24), ("登记", 9), ("办理件", 9), *_SHARES),
            *(("平均工作日", 12), ("持有工作小时", 14)),
        ),
        _groups,
    ),
    "ranking": Table(
        "承办单位评分与排名",
        (
            *(("名次", 10), ("承办单位", 20), ("大厅", 24), ("办理件", 9), ("得分", 9)),
            *(*_PARTS, *_OFF, ("加分", 9)),
        ),
        _ranking,
    ),
    "trend": Table(
        "趋势",
        (
            *(("自", 14), ("登记", 9), ("办理件", 9), ("单位按时率(%)", 16), ("解决率(%)", 14)),
            ("满意率(%)", 14),
        ),
        _trend,
    ),
    "holders": Table(
        "持有时长",
        (("大厅", 24), ("承办单位", 20), ("持有方", 14), ("工作小时", 12), ("占比(%)", 10)),
        _holders,
    ),
    "causes": Table(
        "成因",
        (("成因", 24), ("办理件", 9), ("工作小时", 12), ("每件工作小时", 14), ("占比(%)", 10)),
        _causes,
    ),
    "matters": Table("反复出现的事项", (("事项", 40), ("登记", 9), ("90日内再次反映", 16)), _matters),
}


def _words(filters: FigureFilters, asked: Asked, places: Places) -> str:
    said = [f"时间:{moment(asked.start)} 起，{moment(asked.end)} 前"]
    typed = filters.narrowed
    if hall := typed["hall"]:
        said.append(f"大厅:{places.hall(hall)}")
    if unit := typed["unit"]:
        said.append(f"承办单位:{places.unit_names().get(unit, unit)}")
    if kind := typed["kind"]:
        said.append(f"类别:{labels.KIND[kind]}")
    if cause := typed["cause"]:
        said.append(f"成因:{labels.CAUSE[cause]}")
    return "；".join(said)
