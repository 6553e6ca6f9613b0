"""A file of cases as filings: its columns by the names that people give them, every fault of every row.

Two forms: our own template, and the work orders (工单) that a 12345 platform exports. A row goes through
the same checks as a form of the counter.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from casework.csv_file import CsvFile
from casework.errors import BadInput
from casework.filing import Origin
from casework.imports import Read, Row
from casework.sent import body_hash
from casework.spreadsheet import HEADINGS_WITHIN, BadTable, Fault, Workbook
from casework.texts import text_fault
from models.base import CODE
from models.messages import Values
from routes.filing_body import read_form
from routes.wording import fault_words
from rules.calendar import SHANGHAI, local
from rules.case.vocabulary import Cause, Channel
from rules.importing import receipt_fault
from rules.words import CAUSE

MOST_ROWS = 5_000
ZIP = b"PK\x03\x04"

CHANNELS: Mapping[str, str] = {"窗口": Channel.COUNTER, "电话": Channel.PHONE, "网上": Channel.ONLINE}
KINDS: Mapping[str, str] = {"个人": "person", "企业": "enterprise", "单位": "enterprise"}
CAUSES: Mapping[str, str] = {CAUSE[each]: each for each in Cause}

_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?"
)


@dataclass(frozen=True)
class Column:
    """A column: what it is of a filing, what it is called, and by which other names it is known."""

    field: str
    title: str
    also: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True)
class Form:
    """A kind of file.

    `source` is whose numbers its rows have; `channel` stands in where a row names none.
    """

    name: str
    title: str
    source: str
    channel: str
    columns: tuple[Column, ...]


CASES = Form(
    "cases",
    "办件导入表",
    "import",
    Channel.COUNTER,
    (
        Column("reference", "原编号"),
        Column("received_at", "收到时间"),
        Column("channel", "来源渠道"),
        Column("petitioner.kind", "反映人类别"),
        Column("petitioner.name", "姓名或名称", ("姓名", "名称"), needed=True),
        Column("petitioner.phone", "联系电话", ("电话", "手机号码"), needed=True),
        Column("petitioner.id_number", "身份证号", ("身份证号码",)),
        Column("petitioner.uscc", "统一社会信用代码"),
        Column("matter", "政务服务事项", ("事项",), needed=True),
        Column("problem", "反映的问题", ("问题", "反映问题"), needed=True),
        Column("cause", "成因"),
    ),
)
WORK_ORDERS = Form(
    "work_orders",
    "12345 工单",
    "12345",
    Channel.PHONE,
    (
        Column("reference", "工单编号", ("工单号", "受理编号", "诉求编号"), needed=True),
        Column("received_at", "来电时间", ("受理时间", "登记时间", "诉求时间"), needed=True),
        Column("petitioner.name", "来电人", ("诉求人", "市民姓名", "来电人姓名", "姓名"), needed=True),
        Column("petitioner.phone", "联系电话", ("来电号码", "主叫号码", "联系方式", "联系号码"), needed=True),
        Column("problem", "诉求内容", ("工单内容", "反映内容", "内容描述"), needed=True),
        Column("matter", "诉求标题", ("工单标题", "标题", "诉求事项")),
        Column("category", "诉求分类", ("事项分类", "工单分类", "问题分类")),
        Column("unit", "承办单位", ("主办单位", "办理单位", "责任单位")),
    ),
)
FORMS: Mapping[str, Form] = {form.name: form for form in (CASES, WORK_ORDERS)}
_UNTITLED = "12345 热线工单"
_PHONE = "应为 11 位手机号，或带区号的固定电话(0773-2800000)"
_WORDS = {
    ("petitioner.phone", "string_pattern_mismatch"): _PHONE,
    ("petitioner.phone", "string_too_short"): _PHONE,
    ("petitioner.phone", "string_too_long"): _PHONE,
    ("petitioner.id_number", "bad_format"): "应为 18 位身份证号",
    ("petitioner.uscc", "bad_format"): "应为 18 位统一社会信用代码",
}


def read_file(form: Form, content: bytes, hall: str, now: datetime) -> Read:
    """Read a file of cases for a hall: an Excel file, or CSV. Takes a while; writes nothing.

    Raises `BadTable` for a file that can't be read as a whole: no table, too large, needed columns missing.
    """
    sheet, rows = _table(content)
    start, columns = _headings(form, sheet, rows)
    reader = _Reader(form, sheet, hall, now)
    for number, cells in enumerate(rows[start:], start=start + 1):
        if any(cells):
            reader.take(number, {name: cells[at] for name, at in columns.items() if at < len(cells)})
    if not reader.rows and not reader.faults:
        raise BadTable([Fault(sheet, 0, "", "没有内容")])
    sha256 = hashlib.sha256(content).hexdigest()
    return Read(form.name, hall, sha256, now, reader.rows, reader.faults)


def work_order_form(hall: str, values: Mapping[str, str], received_at: datetime | None) -> Values:
    """Return a work order as the body of a filing, unchecked.

    What the platform says of the unit in charge is kept as an earlier attempt: the window decides.
    """
    matter = values.get("matter") or values.get("category") or _UNTITLED
    body: dict[str, Any] = _body(hall, values, WORK_ORDERS.channel) | {"matter": matter}
    if (unit := values.get("unit")) and received_at is not None:
        said = f"工单所列承办单位：{unit}"
        on = local(received_at).date().isoformat()
        body["attempts"] = [{"channel": "12345", "on": on, "where": "12345 热线", "said": said}]
    return body


def origin_key(hall: str, source: str, reference: str) -> str:
    """Return what a case of another system comes once by."""
    return f"{hall}/{source}/{reference}"


class _Reader:
    """Takes the rows of a file one after the other."""

    def __init__(self, form: Form, sheet: str, hall: str, now: datetime) -> None:
        self._form, self._sheet, self._hall, self._now = form, sheet, hall, now
        self._titles = {column.field: column.title for column in form.columns}
        self._seen: dict[str, int] = {}
        self.rows: list[Row] = []
        self.faults: list[Fault] = []

    def take(self, number: int, cells: Mapping[str, str]) -> None:
        """Check a row; it becomes a good one, or each of its faults is noted."""
        values = {name: text for name, text in cells.items() if text}
        faults: dict[str, str] = {}
        reference = self._reference(values, faults)
        received_at = self._received_at(values, faults)
        coded = self._coded(values, faults)
        form = self._checked(coded, received_at, faults)
        if form is not None and not faults:
            key = self._key(reference, form, received_at)
            if (before := self._seen.setdefault(key, number)) != number:
                faults["reference" if reference else "problem"] = f"与第 {before} 行重复"
            elif received_at is not None:
                origin = Origin(key, self._form.source, reference, received_at, self._now)
                self.rows.append(Row(number, form, origin))
        for name, words in faults.items():
            self.faults.append(Fault(self._sheet, number, self._title(name), words))

    def _reference(self, values: dict[str, str], faults: dict[str, str]) -> str | None:
        reference = values.pop("reference", None)
        if reference is None:
            if any(column.field == "reference" and column.needed for column in self._form.columns):
                faults["reference"] = fault_words("missing")
        elif slug := text_fault(reference, CODE):
            faults["reference"] = fault_words(slug)
        return reference

    def _received_at(self, values: dict[str, str], faults: dict[str, str]) -> datetime | None:
        """Without a time it is received by being imported; one that can't be is a fault."""
        text = values.pop("received_at", None)
        if text is None:
            if any(column.field == "received_at" and column.needed for column in self._form.columns):
                faults["received_at"] = fault_words("missing")
            return self._now
        at = moment_of(text)
        if at is None:
            faults["received_at"] = "应写作 2026-11-20 09:30"
        elif slug := receipt_fault(at, self._now):
            faults["received_at"] = fault_words(slug)
        return at

    def _coded(self, values: dict[str, str], faults: dict[str, str]) -> dict[str, str]:
        """Turn words of a choice into its values."""
        for name, words in (("channel", CHANNELS), ("petitioner.kind", KINDS), ("cause", CAUSES)):
            if (text := values.get(name)) is None:
                continue
            if text in words:
                values[name] = words[text]
            else:
                faults[name] = f"须为 {'、'.join(words)} 之一"
                del values[name]
        return values

    def _checked(
        self, values: Mapping[str, str], received_at: datetime | None, faults: dict[str, str]
    ) -> Values | None:
        if self._form is WORK_ORDERS:
            body = work_order_form(self._hall, values, received_at)
        else:
            body = _body(self._hall, values, self._form.channel)
        try:
            return read_form(body, self._hall, local(self._now).date())
        except BadInput as bad:
            for name, slug in bad.faults.items():
                faults.setdefault(_column(name), _WORDS.get((name, slug)) or fault_words(slug))
        return None

    def _key(self, reference: str | None, form: Values, received_at: datetime | None) -> str:
        if reference is not None:
            return origin_key(self._hall, self._form.source, reference)
        # Without a number the row itself is what comes once, in whatever file.
        given = None if received_at in (None, self._now) else received_at
        return f"{self._hall}/row/{body_hash('row', {'form': form, 'received_at': given})}"

    def _title(self, name: str) -> str:
        return self._titles.get(name, name)


def _body(hall: str, values: Mapping[str, str], channel: str) -> dict[str, Any]:
    person = {name.partition(".")[2]: text for name, text in values.items() if name.startswith("petitioner.")}
    kind = "enterprise" if person.get("uscc") else "person"
    body: dict[str, Any] = {"hall": hall, "channel": values.get("channel", channel)}
    body["petitioner"] = {"kind": kind, **person}
    return body | {name: values[name] for name in ("matter", "problem", "cause") if name in values}


def _column(fault_at: str) -> str:
    """Return the column that a fault of the form belongs to."""
    return "unit" if fault_at.startswith("attempts") else fault_at


def _table(content: bytes) -> tuple[str, list[list[str]]]:
    """Return the name of the first sheet and its rows. Raises `BadTable`."""
    if not content:
        raise BadTable([Fault("文件", 0, "", "文件是空的")])
    book = Workbook(content) if content.startswith(ZIP) else CsvFile(content)
    return book.sheets[0], book.rows(book.sheets[0])


def _headings(form: Form, sheet: str, rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]]:
    """Return where the rows begin, and in which place each column stands."""
    best: dict[str, int] = {}
    start = 0
    for number, cells in enumerate(rows[:HEADINGS_WITHIN], start=1):
        found = _known(form, cells)
        if len(found) > len(best):
            best, start = found, number
    missing = [column.title for column in form.columns if column.needed and column.field not in best]
    if missing:
        raise BadTable([Fault(sheet, 0, "", f"缺少列：{'、'.join(missing)}")])
    if len(rows) - start > MOST_ROWS:
        raise BadTable([Fault(sheet, 0, "", f"超过 {MOST_ROWS} 行，请分成几个文件")])
    return start, best


def _known(form: Form, cells: Sequence[str]) -> dict[str, int]:
    by_name = {_plain(name): column.field for column in form.columns for name in (column.title, *column.also)}
    found: dict[str, int] = {}
    for place, cell in enumerate(cells):
        name = by_name.get(_plain(cell))
        if name is not None and name not in found:
            found[name] = place
    return found


def _plain(heading: str) -> str:
    """Return a heading without spaces, marks and what stands in brackets: 联系电话（必填）* is 联系电话."""
    return re.sub(r"[\s*＊:：]|[（(\[【].*?[)）\]】]", "", heading)


def moment_of(text: str) -> datetime | None:
    """Return an instant as people write it on the clock of Shanghai, in UTC; a date alone is its midnight."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        return None
