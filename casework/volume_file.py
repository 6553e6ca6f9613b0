"""The monthly volume of 12345 out of an Excel or CSV file: all of it, or every fault of it.

One line for each unit: its code or its name, and how many calls it had. A line 合计 is held against the
sum. Source: S3; domain.md, section 8.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from casework.csv_file import CsvFile
from casework.spreadsheet import BadTable, Fault, Line, Workbook

UNIT_COLUMNS = ("单位代码", "单位", "单位名称")
"""Where a line names its unit, each by code or by name; one is enough, all that are filled must agree."""
COUNT = "件数"
MOST = 1_000_000  # calls of a unit in a month
TOTALS = ("合计", "总计")

_ZIP = b"PK"
_COUNT = re.compile(r"[0-9]{1,7}", re.ASCII)
_NOT_A_COUNT = f"须为 0 至 {MOST} 的整数；没有的填 0，未知的请删去这一行"


def read_volumes(content: bytes, units: Mapping[str, str]) -> dict[str, int]:
    """Return the counts by the code of the unit; `units` are those of the hall, names by code.

    Raises `BadTable` with every fault.
    """
    book = Workbook(content) if content.startswith(_ZIP) else CsvFile(content)
    sheet = next(iter(book.sheets), "")
    reading = _Reading(units)
    for line in book.lines(sheet, (COUNT,)):
        reading.take(line)
    if not reading.counts and not reading.faults:
        reading.faults.append(Fault(sheet, 0, "", "没有内容"))
    if reading.faults:
        raise BadTable(reading.faults)
    return reading.counts


@dataclass
class _Reading:
    units: Mapping[str, str]
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def take(self, line: Line) -> None:
        if any(line.values.get(column) in TOTALS for column in UNIT_COLUMNS):
            self._compare(line)
            return
        unit, count = self._unit(line), self._count(line)
        if unit in self.seen:
            self.faults.append(line.fault("单位", "重复出现"))
        elif unit is not None:
            self.seen.add(unit)
            if count is not None:
                self.counts[unit] = count

    def _unit(self, line: Line) -> str | None:
        named = {column: text for column in UNIT_COLUMNS if (text := line.values.get(column, ""))}
        if not named:
            self.faults.append(line.fault("单位", "须填写单位代码或单位名称"))
        found = {column: self._called(text) for column, text in named.items()}
        faults = [line.fault(column, what) for column, (_, what) in found.items() if what]
        units = {unit for unit, _ in found.values()}
        if not faults and len(units) > 1:
            faults.append(line.fault("单位", "代码与名称不是同一个单位"))
        self.faults += faults
        return units.pop() if units and not faults else None

    def _called(self, text: str) -> tuple[str | None, str]:
        """Return the unit of a code or a name, or None and what is wrong."""
        if text in self.units:
            return text, ""
        units = [code for code, name in self.units.items() if name == text]
        if len(units) > 1:
            return None, "有多个单位叫这个名称，请填单位代码"
        return (units[0], "") if units else (None, "本大厅没有这个单位")

    def _count(self, line: Line) -> int | None:
        text = line.values.get(COUNT, "")
        if _COUNT.fullmatch(text) and int(text) <= MOST:
            return int(text)
        self.faults.append(line.fault(COUNT, _NOT_A_COUNT))
        return None

    def _compare(self, line: Line) -> None:
        total = sum(self.counts.values())
        # With faults above it the sum says nothing.
        if not self.faults and line.values.get(COUNT) != str(total):
            self.faults.append(line.fault(COUNT, f"与以上各单位之和 {total} 不符"))
