"""The contact table (附件1) out of Excel files as people really fill them in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlmodel import col, select

from casework.contact_table import HALL_SHEET, UNIT_COLUMNS, import_table
from casework.contact_template import TABLE_SHEET, write_template
from casework.services import Services
from casework.spreadsheet import BadTable
from models.directory import ContactEntry, Hall, Unit
from tests.support.office import Office

TAX = ["guilin", "tax", "税务局", "甲演", "副局长", "13800139001", "乙演", "科员", "0773-2800000", "", "", ""]
HALL = [
    "lingchuan",
    "灵川县政务服务中心",
    "县级",
    "guilin",
    "灵川县监督部门",
    "guilin",
    "9:00-12:00 14:00-18:00",
]
HALL_HEADINGS = ["大厅代码", "大厅名称", "层级", "上级大厅", "监督管理部门", "政策", "开放时间"]


@pytest.fixture
def services(sqlite_office: Office) -> Services:
    """The demonstration halls on a fresh database."""
    return sqlite_office.services


def table(path: Path, *rows: Sequence[Any], headings: Sequence[str] = UNIT_COLUMNS, **sheets: Any) -> Path:
    """Write a file as people do: a title above the headings, telephone numbers as numbers."""
    file = path / "table.xlsx"
    with xlsxwriter.Workbook(file) as book:
        for name, content in {TABLE_SHEET: [headings, *rows], **sheets}.items():
            sheet = book.add_worksheet(name)
            sheet.write(0, 0, "业务联系表(2026年)")
            for number, row in enumerate(content, start=1):
                sheet.write_row(number, 0, row)
    return file


def changed(row: Sequence[Any], **cells: Any) -> list[Any]:
    """The row with some cells changed, by their headings."""
    values = dict(zip(UNIT_COLUMNS, row, strict=True)) | cells
    return [values[heading] for heading in UNIT_COLUMNS]


async def versions(services: Services, hall: str, unit: str) -> list[ContactEntry]:
    wanted = select(ContactEntry).where(ContactEntry.hall == hall, ContactEntry.unit == unit)
    async with services.database.read() as session:
        return list((await session.exec(wanted.order_by(col(ContactEntry.version)))).all())


async def faults(services: Services, file: Path, **options: Any) -> list[str]:
    """What an import says of a file; nothing of it may have been written."""
    with pytest.raises(BadTable) as refused:
        await import_table(services, file, "operator", **options)
    async with services.database.read() as session:
        assert await session.get(Unit, ("guilin", "tax")) is None
    return [str(fault) for fault in refused.value.faults]


async def test_a_new_unit_gets_its_first_version(services: Services, tmp_path: Path) -> None:
    row = changed(TAX, 分管领导电话=13800139001)
    done = await import_table(services, table(tmp_path, row), "operator")
    assert (done.units, done.versions) == (["guilin/tax"], ["guilin/tax"])
    [entry] = await versions(services, "guilin", "tax")
    assert entry.deputy_leader == {"name": "甲演", "post": "副局长", "phone": "13800139001"}
    assert entry.contact["phone"] == "0773-2800000"
    assert (entry.alternate, entry.changed_by, entry.valid_to) == (None, "operator", None)


async def test_a_change_makes_a_version_and_the_old_one_stays(services: Services, tmp_path: Path) -> None:
    await import_table(services, table(tmp_path, TAX), "operator")
    again = await import_table(services, table(tmp_path, TAX), "operator")
    assert (again.versions, again.unchanged) == ([], ["guilin/tax"])
    await import_table(services, table(tmp_path, changed(TAX, 联系人="丙演")), "operator")
    old, new = await versions(services, "guilin", "tax")
    assert (old.contact["name"], new.contact["name"]) == ("乙演", "丙演")
    assert old.valid_to == new.valid_from


async def test_every_bad_row_is_reported_and_nothing_is_written(services: Services, tmp_path: Path) -> None:
    rows = [
        TAX,
        changed(TAX, 大厅代码="nowhere"),
        changed(TAX, 单位代码="a b", 分管领导=""),
        TAX,
        changed(TAX, 单位代码="tax2", 联系人电话="12345", 备用联系人="丁演"),
        changed(TAX, 单位代码="tax3", 单位名称="税\x02局" * 60),
    ]
    said = await faults(services, table(tmp_path, *rows))
    assert said == [
        "业务联系表 第 4 行 大厅代码：没有这个大厅",
        "业务联系表 第 5 行 单位代码：须为字母、数字组成的代码",
        "业务联系表 第 5 行 分管领导：不能为空",
        "业务联系表 第 6 行 单位代码：重复出现",
        "业务联系表 第 7 行 联系人电话：须为手机号码或带区号的固定电话",
        "业务联系表 第 7 行 备用联系人电话：须为手机号码或带区号的固定电话",
        "业务联系表 第 8 行 单位名称：含有控制字符",
    ]


async def test_a_hall_may_stand_in_for_a_missing_column(services: Services, tmp_path: Path) -> None:
    file = table(tmp_path, TAX[1:], headings=UNIT_COLUMNS[1:])
    assert "业务联系表 第 3 行 大厅代码：须填写大厅代码" in await faults(services, file)
    done = await import_table(services, file, "operator", hall="chengzhong")
    assert done.units == ["chengzhong/tax"]


async def test_missing_columns_are_named(services: Services, tmp_path: Path) -> None:
    file = table(tmp_path, headings=["单位代码", "单位名称", "联系人"])
    assert await faults(services, file) == ["业务联系表：缺少列：分管领导、分管领导电话、联系人电话"]


async def test_a_new_hall_comes_with_its_sheet(services: Services, tmp_path: Path) -> None:
    sheets = {HALL_SHEET: [HALL_HEADINGS, HALL]}
    row = changed(TAX, 大厅代码="lingchuan")
    done = await import_table(services, table(tmp_path, row, **sheets), "operator")
    assert (done.halls, done.units) == (["lingchuan"], ["lingchuan/tax"])
    async with services.database.read() as session:
        hall = await session.get_one(Hall, "lingchuan")
    assert (hall.level, hall.parent, hall.policy_id) == ("county", "guilin", "guilin")
    assert hall.hours == [["09:00", "12:00"], ["14:00", "18:00"]]


async def test_a_faulty_hall_is_refused(services: Services, tmp_path: Path) -> None:
    wrong = ["x y", "", "省级", "nowhere", "部门", "beijing", "12:00-09:00"]
    said = await faults(services, table(tmp_path, TAX, **{HALL_SHEET: [HALL_HEADINGS, wrong]}))
    assert [fault.partition("：")[0].split()[-1] for fault in said] == [
        "大厅代码",
        "大厅名称",
        "层级",
        "政策",
        "开放时间",
        "上级大厅",
    ]


async def test_what_is_no_excel_file_is_refused(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    file.write_bytes(b"PK\x03\x04 not really")
    assert await faults(services, file) == ["table.xlsx：不是可以读取的 Excel 文件"]


async def test_the_template_is_read_back_as_empty(services: Services, tmp_path: Path) -> None:
    write_template(tmp_path / "template.xlsx")
    assert await faults(services, tmp_path / "template.xlsx") == ["业务联系表：没有内容"]
