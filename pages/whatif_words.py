"""How a what-if is shown: the columns of its table, rates and differences in words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from casework.places import Places
from casework.whatif import Answer, Change
from pages.figure_words import percent
from pages.labels import word
from routes.wording import RULES
from rules.whatif import Tally

COUNTS: tuple[tuple[str, str], ...] = (
    ("on_time", "按时件"),
    ("escalated", "升级件"),
    ("alarms", "系统提醒与升级"),
    ("reminders", "其中仅提醒"),
    ("orders", "督办单"),
    ("drafts", "通报草稿"),
)
"""What is counted before and after, beside the on-time rate; in the order of the table."""

COLUMNS = (
    *(("大厅", 24), ("承办单位", 20), ("件数", 9)),
    *(
        (f"{title}·{when}", 14)
        for title in ("应计件", "按时率", *(name for _, name in COUNTS))
        for when in ("现行", "推演")
    ),
    ("不适用的操作", 14),
)
"""The table as Excel: each figure before and after in columns of their own."""

NONE = "—"
_OTHER_RULES = {"role": "当时的办理人在新规则下无权决定。", "values": "当时所填的内容在新规则下不成立。"}


@dataclass(frozen=True)
class Cell:
    """One figure before and after; ``moved`` says whether it differs."""

    before: str
    after: str
    moved: bool
    difference: str


@dataclass(frozen=True)
class Line:
    """A unit, or all together: how many cases and how many of them are judged, then the figures."""

    hall: str
    unit: str
    cases: int
    handled: Cell
    rate: Cell
    counts: tuple[Cell, ...]
    not_applicable: int


def lines_of(answer: Answer) -> list[Line]:
    """Return a line for each hall and unit, those that change most first."""
    changed = sorted(answer.units.items(), key=lambda each: (-_weight(each[1]), each[0][0], each[0][1] or ""))
    return [_line(answer.places, hall, unit, change) for (hall, unit), change in changed]


def total_line(answer: Answer) -> Line:
    """Return the line of all together."""
    return _figures("合计", "", answer.total)


def refused_lines(answer: Answer) -> Sequence[tuple[str, str, int]]:
    """Return what was not applicable: the command, why, and how often."""
    return [
        (word("command", command, word("event", command)), _reason(rule), count)
        for (command, rule), count in answer.not_applicable.most_common()
    ]


def line_cells(line: Line) -> list[str | int]:
    """Return a line as cells; counts are numbers."""
    cells: list[str | int] = [line.hall, line.unit, line.cases]
    for each in (line.handled, line.rate, *line.counts):
        cells += [int(said) if said.isdecimal() else said for said in (each.before, each.after)]
    return [*cells, line.not_applicable]


def _reason(rule: str) -> str:
    return _OTHER_RULES.get(rule) or RULES.get(rule, rule)


def _line(places: Places, hall: str, unit: str | None, change: Change) -> Line:
    return _figures(places.hall(hall), places.unit(hall, unit) or "未分派", change)


def _figures(hall: str, unit: str, change: Change) -> Line:
    before, after = change.before, change.after
    return Line(
        hall,
        unit,
        before.cases,
        _count(change, lambda counted: counted.handled),
        _rate(before.on_time_rate, after.on_time_rate),
        tuple(_count(change, lambda counted, name=name: getattr(counted, name)) for name, _ in COUNTS),
        after.not_applicable,
    )


def _count(change: Change, of: Callable[..., int]) -> Cell:
    before, after = of(change.before), of(change.after)
    return Cell(str(before), str(after), before != after, f"{after - before:+d}")


def _rate(before: float | None, after: float | None) -> Cell:
    difference = NONE
    if before is not None and after is not None:
        difference = f"{(after - before) * 100:+.1f} 个百分点"
    return Cell(percent(before), percent(after), before != after, difference)


def _weight(change: Change) -> int:
    """Return how much moved: judgements first, then what the machine sent."""
    before, after = change.before, change.after
    return 1000 * abs(after.on_time - before.on_time) + abs(_sent(after) - _sent(before))


def _sent(counted: Tally) -> int:
    return counted.alarms + counted.orders


def what_if_lines(answer: Answer) -> Iterator[str]:
    """Show what would change in the terminal, a line a unit: before → after."""
    titles = (title for _, title in COUNTS)
    yield "\t".join(("大厅", "承办单位", "件数", "应计件", "按时率", *titles, "不适用的操作"))
    for line in (*lines_of(answer), total_line(answer)):
        cells = (line.handled, line.rate, *line.counts)
        figures = (f"{cell.before} → {cell.after}" if cell.moved else cell.before for cell in cells)
        yield "\t".join((line.hall, line.unit or "-", str(line.cases), *figures, str(line.not_applicable)))
    for command, reason, count in refused_lines(answer):
        yield f"不适用 {count} 次：{command}({reason.rstrip('。')})"
    if answer.unreadable:
        yield f"无法重新推演 {answer.unreadable} 件。"
    if not answer.units:
        yield "这一期间没有办件。"
