"""The monthly volume of 12345 in a report, as it was known at the report's cut-off.

A report tells of the months that came to be over in its period, and, marked as late, of what was imported
of an earlier month in its period: what is imported after a cut-off is in the next report, and changes no
earlier one. Source: S3; domain.md, section 8.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.moments import shown
from models.volume import MonthlyVolume
from rules.reporting import Due
from rules.volume import end_of, months_over

Values = dict[str, Any]
NOTHING = "—"
TITLE = "12345 件数"


async def volumes_in(session: AsyncSession, hall: str, due: Due) -> list[Values]:
    """Return what a report says of each month as JSON values, the earliest first.

    `units` is None where nothing was imported; `before` is what an earlier report could say of a late month.
    """
    now, before = [await _known(session, hall, at) for at in (due.end, due.start)]
    own = months_over(due.start, due.end)
    late = [month for month in now if end_of(month) <= due.start and _news(now[month], before.get(month))]
    return [
        *(
            _values(month, now[month]) | {"late": True, "before": _counts(before.get(month))}
            for month in late
        ),
        *(_values(month, now.get(month)) | {"late": False, "before": None} for month in own),
    ]


async def _known(session: AsyncSession, hall: str, at: datetime) -> dict[str, MonthlyVolume]:
    """Return the newest version of each month that was imported by an instant, exactly then included."""
    wanted = select(MonthlyVolume).where(MonthlyVolume.hall == hall, MonthlyVolume.imported_at <= at)
    found = (await session.exec(wanted.order_by(MonthlyVolume.month, col(MonthlyVolume.version)))).all()
    return {each.month: each for each in found}


def _news(now: MonthlyVolume, before: MonthlyVolume | None) -> bool:
    return before is None or now.counts != before.counts


def _counts(volume: MonthlyVolume | None) -> dict[str, int] | None:
    return dict(sorted(volume.counts.items())) if volume else None


def _values(month: str, volume: MonthlyVolume | None) -> Values:
    return {
        "month": month,
        "units": _counts(volume),
        "total": volume.total if volume else None,
        "version": volume.version if volume else None,
        "imported_by": volume.imported_by if volume else None,
        "imported_at": shown(volume.imported_at) if volume else None,
        "sha256": volume.sha256 if volume else None,
    }


def volume_column(volumes: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, str]]:
    """Return the column beside the counts of units: its head, and the figure of each unit that has one."""
    own = [each for each in volumes if not each["late"]]
    if not own:
        return TITLE, {}
    units = sorted({unit for each in own for unit in each["units"] or ()})
    figures = {unit: " / ".join(_figure(each["units"], unit) for each in own) for unit in units}
    return f"{TITLE}({' / '.join(each['month'] for each in own)})", figures


def volume_notes(volumes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each month of a report: where its figures come from."""
    return [_note(each) for each in volumes if not each["late"]]


def _note(each: Mapping[str, Any]) -> str:
    if each["units"] is None:
        return f"{each['month']} 的 12345 件数截止时尚未导入。"
    at, by = each["imported_at"][:16].replace("T", " "), each["imported_by"]
    return (
        f"{each['month']} 的 12345 件数合计 {each['total']} 件，由 {by} 于 {at} 导入"
        f"(第 {each['version']} 版)，来源文件 SHA-256 {each['sha256']}。"
    )


def late_lines(volumes: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[list[str]]:
    """Return what came too late for an earlier report: month, unit, the figure before, the figure now."""
    return [
        [each["month"], names.get(unit, unit), *map(lambda of: _figure(of, unit), (before, each["units"]))]
        for each in volumes
        if each["late"]
        for before in [each["before"] or {}]
        for unit in sorted({*before, *each["units"]})
        if before.get(unit) != each["units"].get(unit)
    ]


def _figure(counts: Mapping[str, int] | None, unit: str) -> str:
    count = (counts or {}).get(unit)
    return NOTHING if count is None else str(count)
