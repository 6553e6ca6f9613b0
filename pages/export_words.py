"""Lists as they stand in Excel: columns, cells, and the filter in words."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from casework.ledger_export import LedgerRow
from casework.places import Places
from casework.rows import Row
from casework.sheets import Cell
from pages.labels import KIND, LEVEL, LIGHT, STATUS, word
from pages.list_words import SORTS, STEPS, left_words
from rules.calendar import local

Columns = Sequence[tuple[str, float]]

LIST: Columns = (
    ("灯", 6),
    ("编号", 24),
    ("政务服务事项", 30),
    ("大厅", 24),
    ("承办单位", 16),
    ("类别", 10),
    ("状态", 12),
    ("层级", 12),
    ("受理时间", 17),
    ("办结时限", 17),
    ("时限暂定", 9),
    ("剩余时间", 18),
    ("督办单答复时限", 17),
    ("下一步", 14),
    ("待谁办理", 16),
    ("重复反映", 9),
)
LEDGER: Columns = (
    ("编号", 24),
    ("大厅", 24),
    ("事项", 30),
    ("承办单位", 16),
    ("承办人", 12),
    ("转办时间", 17),
    ("签收时间", 17),
    ("办结时限", 17),
    ("办理进展", 40),
    ("层级", 12),
    ("退单次数", 9),
    ("延期次数", 9),
    ("催办提醒次数", 12),
    ("督办单", 40),
    ("答复", 40),
    ("释明", 40),
    ("回访", 30),
    ("评价", 9),
    ("办结时间", 17),
    ("灯", 6),
)
_CHOICES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "status": ("状态", {"open": "全部在办", "all": "全部(含办结归档)", **STATUS}),
    "kind": ("类别", KIND),
    "light": ("灯", LIGHT),
    "level": ("层级", LEVEL),
    "step": ("下一步", STEPS),
}


def list_cells(places: Places) -> Callable[[Row], list[Cell]]:
    """Return what makes the cells of a row of a list."""

    def cells(row: Row) -> list[Cell]:
        return [
            word("light", row.light),
            row.number or "待编号",
            row.matter,
            places.hall(row.hall),
            places.unit(row.hall, row.unit),
            word("kind", row.kind, ""),
            word("status", row.status),
            word("level", row.level),
            at_minute(row.received_at),
            at_minute(row.due_at),
            "暂定" if row.due_provisional else None,
            left_words(row.left) if row.left else None,
            at_minute(row.order_due_at),
            word("command", row.step, ""),
            word("role", row.step_by, ""),
            "重复" if row.repeat else None,
        ]

    return cells


def ledger_cells(places: Places) -> Callable[[LedgerRow], list[Cell]]:
    """Return what makes the cells of a row of 附件3."""

    def cells(row: LedgerRow) -> list[Cell]:
        return [
            row.number,
            places.hall(row.hall),
            row.subject,
            places.unit(row.hall, row.unit),
            row.person,
            at_minute(row.dispatched_at),
            at_minute(row.signed_at),
            at_minute(row.due_at),
            "\n".join(f"{at_minute(at)} {by or ''} {text or ''}" for at, by, text in row.progress),
            LEVEL.get(row.level, row.level),
            row.returns,
            row.extensions,
            row.reminders,
            "\n".join(_order(*order) for order in row.orders),
            row.reply,
            row.explanation,
            _revisit(*row.revisit) if row.revisit else None,
            row.rating,
            at_minute(row.closed_at),
            LIGHT.get(row.light, row.light),
        ]

    return cells


def filter_words(typed: Mapping[str, str], places: Places) -> str:
    """Return the filters of /cases as they were chosen, in one sentence."""
    said = []
    for name, (title, words) in _CHOICES.items():
        if value := typed.get(name):
            said.append(f"{title}:{words.get(value, value)}")
    if hall := typed.get("hall"):
        said.append(f"大厅:{places.hall(hall)}")
    if unit := typed.get("unit"):
        said.append(f"承办单位:{places.unit_names().get(unit, unit)}")
    if typed.get("received_from") or typed.get("received_to"):
        said.append(
            f"受理日期:{typed.get('received_from') or '不限'} 至 {typed.get('received_to') or '不限'}"
        )
    if sort := typed.get("sort"):
        said.append(f"排序:{SORTS.get(sort, sort)}")
    return "；".join(said)


def at_minute(at: datetime | None) -> str | None:
    """Return an instant on the clock of Shanghai: 2026-11-22 09:30."""
    # As `pages.rendering.moment` shows it, at half the cost: there are six in a row.
    return local(at).isoformat(" ", "minutes")[:16] if at else None


def _order(text: str | None, due_at: datetime, answered_at: datetime | None, answer: str | None) -> str:
    answered = f"{at_minute(answered_at)} 答复：{answer or ''}" if answered_at else "未答复"
    return f"{text or ''}（{at_minute(due_at)} 前答复）{answered}"


def _revisit(
    at: datetime, reached: bool | None, rating: int | None, resolved: bool | None, text: str | None
) -> str:
    said: list[Any] = [at_minute(at), "已联系上" if reached else "未联系上"]
    if rating:
        said.append(word("rating", rating))
    if resolved is not None:
        said.append("已解决" if resolved else "未解决")
    return " ".join([*said, text or ""]).rstrip()
