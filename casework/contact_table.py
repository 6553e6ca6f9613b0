"""The contact table (附件1 业务联系表) out of an Excel file: all of it, or every fault of it.

The first sheet has one line per unit. A sheet 大厅, where there is one, makes the halls that are
missing; halls that are there stay as they are. A line that changes something makes a new version.
Source: S0, 业务联系表.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.directory import Change, newest_entry, people_of, put_line, turn_of
from casework.services import Services
from casework.spreadsheet import BadTable, Fault, Line, Workbook
from casework.texts import is_code, text_fault
from casework.turns import take_turn
from models.base import NAME
from models.directory import Hall, Unit
from rules.case.typed import MOBILE_OR_LANDLINE

HALL_SHEET = "大厅"
HALL_COLUMNS = ("大厅代码", "大厅名称", "层级", "上级大厅", "监督管理部门", "政策", "开放时间")
PEOPLE = {"deputy_leader": "分管领导", "contact": "联系人", "alternate": "备用联系人"}
UNIT_COLUMNS = (
    *("大厅代码", "单位代码", "单位名称"),
    *(title + part for title in PEOPLE.values() for part in ("", "职务", "电话")),
)
LEVELS = {"市级": "city", "县级": "county", "分中心": "branch", "街道": "street"}

_NEEDED = ("单位代码", "单位名称", "分管领导", "分管领导电话", "联系人", "联系人电话")
_HALL_NEEDED = ("大厅代码", "大厅名称", "层级", "监督管理部门", "政策")
_PERIOD = re.compile(r"(\d{1,2}:\d\d)\s*[-–—~至]\s*(\d{1,2}:\d\d)")
_FAULTS = {
    "string_too_short": "不能为空",
    "string_too_long": "过长",
    "control_characters": "含有控制字符",
}


@dataclass(frozen=True)
class Entry:
    """One unit of a hall with its people, as the file has it."""

    line: Line
    hall: str
    unit: str
    name: str
    people: dict[str, Any]


@dataclass(frozen=True)
class LineChange:
    """A unit's line before and after; `before` is None where nobody was entered yet."""

    hall: str
    unit: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass
class Imported:
    """What an import did, as codes: `hall`, or `hall/unit`; and each change of a line in full."""

    halls: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    changes: list[LineChange] = field(default_factory=list)


class _NotAsExpected(Exception):
    """Ends the transaction without a trace."""


async def import_table(
    services: Services,
    source: Path | bytes,
    by: str,
    hall: str | None = None,
    only_if: Callable[[Imported], bool] = lambda done: True,
) -> Imported:
    """Write what the file holds, in one transaction; `hall` stands in where a line names none.

    `only_if` sees what was done and may say that nothing is to be kept of it: a dry run.
    Raises `BadTable` with every fault (then nothing was written), OSError, DatabaseUnavailable.
    """
    book = Workbook(source)
    faults: list[Fault] = []
    halls = _read_halls(book, set(services.policies), faults)
    entries = _read_entries(book, hall, faults)
    now = await services.clock.now()
    done = Imported()
    with suppress(_NotAsExpected):
        await _import(services, halls, entries, faults, by, now, done, only_if)
    return done


async def _import(
    services: Services,
    halls: list[tuple[Line, Hall]],
    entries: list[Entry],
    faults: list[Fault],
    by: str,
    now: datetime,
    done: Imported,
    only_if: Callable[[Imported], bool],
) -> None:
    async with services.database.begin() as session:
        known = {*(await session.exec(select(Hall.code))).all(), *(new.code for _, new in halls), None}
        faults += [e.line.fault("大厅代码", "没有这个大厅") for e in entries if e.hall not in known]
        faults += [line.fault("上级大厅", "没有这个大厅") for line, new in halls if new.parent not in known]
        if faults:
            raise BadTable(sorted(faults, key=lambda fault: (fault.sheet, fault.row)))
        for _, new in halls:
            if await session.get(Hall, new.code) is None:
                session.add(new)
                done.halls.append(new.code)
        await session.flush()
        await take_turn(session, *(turn_of(entry.hall, entry.unit) for entry in entries))
        for entry in entries:
            await _write(session, entry, by, now, done)
        if not only_if(done):
            raise _NotAsExpected


async def _write(session: AsyncSession, entry: Entry, by: str, now: datetime, done: Imported) -> None:
    key = f"{entry.hall}/{entry.unit}"
    unit = await session.get(Unit, (entry.hall, entry.unit))
    if unit is None:
        unit = Unit(hall=entry.hall, code=entry.unit, name=entry.name)
        session.add(unit)
        done.units.append(key)
    last = await newest_entry(session, unit)
    before = people_of(last, unit.name) if last else None
    line = await put_line(session, unit, Change(**entry.people, name=entry.name), by, now)
    after = people_of(line, unit.name)
    if before != after:
        done.changes.append(LineChange(entry.hall, entry.unit, unit.name, before, after))
    (done.versions if line.valid_from == now else done.unchanged).append(key)


def _read_entries(book: Workbook, hall: str | None, faults: list[Fault]) -> list[Entry]:
    entries: list[Entry] = []
    sheet = next((name for name in book.sheets if name != HALL_SHEET), None)
    if sheet is None:
        faults.append(Fault(HALL_SHEET, 0, "", "缺少业务联系表的工作表"))
        return entries
    seen: set[tuple[str, str]] = set()
    for line in _lines(book, sheet, _NEEDED, faults):
        code = line.values.get("大厅代码") or hall or ""
        unit = line.values["单位代码"]
        if not is_code(code):
            faults.append(line.fault("大厅代码", "须填写大厅代码"))
        if not is_code(unit):
            faults.append(line.fault("单位代码", "须为字母、数字组成的代码"))
        if (code, unit) in seen:
            faults.append(line.fault("单位代码", "重复出现"))
        seen.add((code, unit))
        _check_text(line, "单位名称", faults)
        people = {name: _person(line, title, faults) for name, title in PEOPLE.items()}
        entries.append(Entry(line, code, unit, line.values["单位名称"], people))
    if not entries and not faults:
        faults.append(Fault(sheet, 0, "", "没有内容"))
    return entries


def _person(line: Line, title: str, faults: list[Fault]) -> dict[str, Any] | None:
    """Return a person of the table; only the alternate may be left out."""
    name, post, phone = (line.values.get(title + part, "") for part in ("", "职务", "电话"))
    if title == PEOPLE["alternate"] and not (name or post or phone):
        return None
    _check_text(line, title, faults)
    if post:
        _check_text(line, f"{title}职务", faults)
    if not re.fullmatch(MOBILE_OR_LANDLINE, phone, re.ASCII):
        faults.append(line.fault(f"{title}电话", "须为手机号码或带区号的固定电话"))
    return {"name": name, "post": post or None, "phone": phone}


def _read_halls(book: Workbook, policies: set[str], faults: list[Fault]) -> list[tuple[Line, Hall]]:
    if HALL_SHEET not in book.sheets:
        return []
    lines = _lines(book, HALL_SHEET, _HALL_NEEDED, faults)
    return [(line, _hall(line, policies, faults)) for line in lines]


def _hall(line: Line, policies: set[str], faults: list[Fault]) -> Hall:
    values = line.values
    if not is_code(values["大厅代码"]):
        faults.append(line.fault("大厅代码", "须为字母、数字组成的代码"))
    for column in ("大厅名称", "监督管理部门"):
        _check_text(line, column, faults)
    if values["层级"] not in LEVELS:
        faults.append(line.fault("层级", f"须为 {'、'.join(LEVELS)} 之一"))
    if values["政策"] not in policies:
        faults.append(line.fault("政策", f"须为 {'、'.join(sorted(policies))} 之一"))
    hours = None
    if text := values.get("开放时间", ""):
        hours = read_periods(text)
        if hours is None:
            faults.append(line.fault("开放时间", "须写作 09:00-12:00 13:30-17:30"))
    return Hall(
        code=values["大厅代码"],
        name=values["大厅名称"],
        level=LEVELS.get(values["层级"], ""),
        parent=values.get("上级大厅") or None,
        supervision_department=values["监督管理部门"],
        policy_id=values["政策"],
        hours=hours,
    )


def read_periods(text: str) -> list[list[str]] | None:
    """Return opening hours as the table keeps them, None where they are not periods in order."""
    try:
        edges = [time.fromisoformat(edge.zfill(5)) for pair in _PERIOD.findall(text) for edge in pair]
    except ValueError:
        return None
    if not edges or edges != sorted(set(edges)):
        return None
    written = [f"{edge:%H:%M}" for edge in edges]
    return [written[i : i + 2] for i in range(0, len(written), 2)]


def _lines(book: Workbook, sheet: str, needed: Sequence[str], faults: list[Fault]) -> Iterable[Line]:
    try:
        yield from book.lines(sheet, needed)
    except BadTable as bad:
        faults += bad.faults


def _check_text(line: Line, column: str, faults: list[Fault]) -> None:
    if slug := text_fault(line.values.get(column, ""), NAME):
        faults.append(line.fault(column, _FAULTS.get(slug, "填写不正确")))
