"""The monthly volume of 12345: imported, replaced, looked at by whom, and in the summary of a month."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from activities.reporting import make_once
from casework.errors import BadInput, NotFound
from casework.report_making import ReportMaker
from casework.report_running import run_reports
from casework.services import Services
from casework.spreadsheet import BadTable
from casework.volumes import Imported, import_volumes
from models.report import Report
from models.volume import MonthlyVolume
from rules.calendar import SHANGHAI, local
from rules.reporting import Due
from tests.integration.test_report_counts import MONTH, NEXT_MONTH, stored
from tests.support.cases import t
from tests.support.office import Office, freeze
from tests.support.visiting import Visitor, visiting
from tests.unit.test_documents import words_of_pdf, words_of_word
from tests.unit.test_volumes import FAR, package

YEAR = f"{local(t('03-01 00:00')).year}"
JANUARY, FEBRUARY, MARCH = (f"{YEAR}-{month:02}" for month in (1, 2, 3))


def table(*rows: Sequence[Any]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in (("单位", "件数"), *rows)).encode()


async def put(
    services: Services, when: str, month: str, *rows: Sequence[Any], hall: str = "guilin"
) -> Imported:
    """Import a month at an instant, as the centre does."""
    freeze(services.clock, t(when))
    return await import_volumes(services, "guilin.centre", hall, month, table(*rows))


async def versions(services: Services) -> list[MonthlyVolume]:
    async with services.database.read() as session:
        wanted = select(MonthlyVolume).order_by(MonthlyVolume.month, MonthlyVolume.version)  # type: ignore[arg-type]
        return list((await session.exec(wanted)).all())


async def test_a_month_that_is_imported_again_is_replaced_and_the_old_values_stay(office: Office) -> None:
    services = office.services
    await put(services, "03-02 09:00", FEBRUARY, ("market", 5), ("人社局", 0))
    again = await put(services, "03-03 09:00", FEBRUARY, ("market", 5), ("人社局", 0))
    assert again.unchanged
    await put(services, "03-04 09:00", FEBRUARY, ("market", 7))
    old, new = await versions(services)
    assert (old.counts, old.total, old.version) == ({"market": 5, "social": 0}, 5, 1)
    assert (new.counts, new.total, new.version) == ({"market": 7}, 7, 2)
    assert (old.imported_by, old.imported_at) == ("guilin.centre", t("03-02 09:00"))
    assert old.sha256 == hashlib.sha256(table(("market", 5), ("人社局", 0))).hexdigest()


async def test_two_imports_at_once_are_two_versions(office: Office) -> None:
    files = [("market", number) for number in range(4)]
    await asyncio.gather(*(put(office.services, "03-02 09:00", FEBRUARY, row) for row in files))
    found = await versions(office.services)
    assert [each.version for each in found] == [1, 2, 3, 4]
    assert {each.total for each in found} == {0, 1, 2, 3}


async def test_a_file_with_a_fault_writes_nothing(sqlite_office: Office) -> None:
    services = sqlite_office.services
    with pytest.raises(BadTable, match="第 3 行"):
        await put(services, "03-02 09:00", FEBRUARY, ("market", 5), ("没有局", 5))
    for month in ("", "2026-2", "03-2026", "2026-02-01"):
        with pytest.raises(BadInput, match="bad_format"):
            await put(services, "03-02 09:00", month, ("market", 5))
    for when in ("02-10 09:00", "02-28 23:59"):
        with pytest.raises(BadInput, match="month_not_over"):
            await put(services, when, FEBRUARY, ("market", 5))
    with pytest.raises(NotFound):
        await put(services, "03-02 09:00", FEBRUARY, ("market", 5), hall="nowhere")
    assert await versions(services) == []
    await put(services, "03-01 00:00", FEBRUARY, ("market", 5))


# In the summary of a month

JANUARYS = Due(MONTH.kind, t("02-25 17:30"), t("01-20 17:30"), t("02-24 17:30"))


def told(report: Report) -> list[tuple[str, bool, Any, Any]]:
    return [
        (each["month"], each["late"], each["units"], each["before"])
        for each in report.facts["figures"]["volumes"]
    ]


async def same(services: Services, report: Report) -> tuple[str, ...]:
    """What differs in a report that is run again."""
    at = local(report.due_at)
    freeze(services.clock, datetime(at.year + 1, 1, 1, tzinfo=SHANGHAI))
    [run] = await run_reports(services, report.kind, at.date(), report.hall)
    assert run.again
    return run.differs


async def test_a_summary_tells_what_was_known_at_its_cut_off_and_the_next_what_came_late(
    office: Office,
) -> None:
    services = office.services
    none = await stored(services, JANUARYS)
    await put(services, "03-02 09:00", JANUARY, ("market", 3))
    await put(services, "03-02 09:00", FEBRUARY, ("market", 5), ("social", 1))
    await put(services, "03-20 17:30", FEBRUARY, ("market", 6), ("social", 1))  # exactly at the cut-off
    await put(services, "03-20 17:31", FEBRUARY, ("market", 8), ("social", 1))
    first = await stored(services, MONTH)
    # What changes nothing but the file is no news, nor is what is changed back.
    await put(services, "03-24 09:00", JANUARY, ("市场监管局", 3))
    await put(services, "04-03 09:00", MARCH, ("market", 9))
    await put(services, "04-21 09:00", MARCH, ("market", 10))
    second = await stored(services, NEXT_MONTH)
    assert told(none) == [(JANUARY, False, None, None)]
    assert told(first) == [
        (JANUARY, True, {"market": 3}, None),
        (FEBRUARY, False, {"market": 6, "social": 1}, None),
    ]
    assert told(second) == [
        (FEBRUARY, True, {"market": 8, "social": 1}, {"market": 6, "social": 1}),
        (MARCH, False, {"market": 9}, None),
    ]
    for report in (none, first, second):
        assert await same(services, report) == ()


async def test_the_documents_show_the_figures_beside_the_units(sqlite_office: Office) -> None:
    services = sqlite_office.services
    await put(services, "03-02 09:00", JANUARY, ("market", 3))
    await put(services, "03-02 09:00", FEBRUARY, ("market", 41), ("social", 0))
    maker = ReportMaker(services.database, services.keyring)
    report = await stored(services, MONTH)
    _, [pdf, word] = await maker.again(report)
    for found in (words_of_pdf(pdf.content), words_of_word(word.content)):
        assert f"12345件数({FEBRUARY})" in found
        assert "市场监管局00000041" in found and "人社局0000000" in found
        assert f"{FEBRUARY}的12345件数合计41件，由guilin.centre于{YEAR}-03-0209:00导入(第1版)" in found
        assert "12345件数补报" in found and "没有补报事项" not in found
        assert f"月份承办单位原报12345件数现为{JANUARY}市场监管局—3" in found
    empty = await stored(services, NEXT_MONTH)
    _, files = await maker.again(empty)
    for found in (words_of_pdf(files[0].content), words_of_word(files[1].content)):
        assert f"{MARCH}的12345件数截止时尚未导入" in found and "没有补报事项" in found
    await make_once(services.database, maker, "chengzhong", MONTH, MONTH.at)
    item = (await sqlite_office.get(f"reports/{report.id}", "guilin.supervisor")).json()
    assert [(each["month"], each["total"], each["late"]) for each in item["volumes"]] == [
        (JANUARY, 3, True),
        (FEBRUARY, 41, False),
    ]
    other = (await sqlite_office.get("reports", "chengzhong.supervisor")).json()["items"]
    assert [each["volumes"][0]["units"] for each in other] == [None]


# The page

PATH = "/reports/volumes"


async def send(visitor: Visitor, content: bytes, hall: str = "guilin", month: str = FEBRUARY) -> Any:
    return await visitor.post(PATH, {"hall": hall, "month": month}, {"file": ("x.csv", content)})


async def test_a_centre_imports_for_its_own_hall_and_an_admin_for_any(office: Office) -> None:
    app, services = office.http._transport.app, office.services  # type: ignore[attr-defined]
    freeze(services.clock, t("03-05 09:00"))
    async with visiting(app, services, "guilin.centre") as centre:
        page = await centre.get(PATH)
        assert f'value="{FEBRUARY}"' in page.text and "还没有导入过" in page.text
        answer = await send(centre, table(("market", 5), ("人社局", 2)))
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"{PATH}?hall=guilin&month={FEBRUARY}&done=new",
        )
        page = (await centre.get(answer.headers["location"])).text
        assert "已导入。" in page and "合计 7 件" in page
        assert (await send(centre, table(("market", 5)))).headers["location"].endswith("done=again")
        assert (await send(centre, table(("market", 5)))).headers["location"].endswith("done=same")
        page = (await centre.get(PATH, month=FEBRUARY, version=1)).text
        assert "这一版已被替换" in page and "合计 7 件" in page
        assert (await send(centre, table(("market", 5)), hall="chengzhong")).status_code == 404
        for query in (
            {"hall": "chengzhong"},
            {"hall": "\0"},
            {"month": MARCH},
            {"month": FEBRUARY, "version": "9"},
        ):
            assert (await centre.get(PATH, **query)).status_code == 404, query
        assert (await centre.get(f"{PATH}/template.xlsx", hall="chengzhong")).status_code == 404
        file = await centre.get(f"{PATH}/template.xlsx")
        assert file.content.startswith(b"PK") and "attachment" in file.headers["content-disposition"]
    async with visiting(app, services, "admin") as admin:
        answer = await send(admin, table(("market", 1)), hall="chengzhong")
        assert answer.headers["location"].endswith("done=new")
    by = sorted(each.imported_by for each in await versions(services))
    assert by == ["admin", "guilin.centre", "guilin.centre"]


async def test_whoever_reads_reports_looks_on_within_its_halls(sqlite_office: Office) -> None:
    app, services = sqlite_office.http._transport.app, sqlite_office.services  # type: ignore[attr-defined]
    await put(services, "03-02 09:00", FEBRUARY, ("market", 4711))
    for username, status, sees in (
        ("guilin.lead", 200, True),
        ("guilin.supervisor", 200, True),
        ("auditor", 200, True),
        ("chengzhong.centre", 404, False),
        ("chengzhong.supervisor", 404, False),
        ("guilin.clerk", 403, False),
        ("guilin.market.contact", 403, False),
        ("superior", 403, False),
    ):
        async with visiting(app, services, username) as visitor:
            answer = await visitor.get(PATH, hall="guilin")
            assert (answer.status_code, "4711" in answer.text) == (status, sees), username
            assert 'type="file"' not in answer.text
            assert (await send(visitor, table(("market", 1)))).status_code in (403, 404), username
    assert [each.total for each in await versions(services)] == [4711]


async def test_a_bad_file_is_refused_with_every_fault_and_a_hostile_one_at_once(
    sqlite_office: Office,
) -> None:
    app, services = sqlite_office.http._transport.app, sqlite_office.services  # type: ignore[attr-defined]
    freeze(services.clock, t("03-05 09:00"))
    async with visiting(app, services, "guilin.centre") as centre:
        page = await send(centre, table(("没有局", "x"), ("market", 1), ("market", 2)))
        assert page.status_code == 422 and "有 3 处需要更正" in page.text
        assert page.text.count("第 2 行") == 2 and page.text.count("第 4 行") == 1
        for content, words in (
            (package(FAR), "表格范围过大"),
            (b"x" * 200_001, "文件超过 200 KB"),
            (b"", "CSV：缺少列：件数"),
            (b'"<b id=planted>",2\n', "缺少列"),
        ):
            page = await send(centre, content)
            assert page.status_code == 422 and words in page.text and "planted" not in page.text
        assert "该月尚未结束" in (await send(centre, table(("market", 1)), month=MARCH)).text
        page = await send(centre, table(("market", 1)), month='2026-2"><b>')
        assert page.status_code == 422 and "须写作 2026-02" in page.text and '"><b>' not in page.text
        assert (await centre.post(PATH, {"hall": "guilin", "month": FEBRUARY})).status_code == 422
        assert (await centre.http.post(PATH, data={"hall": "guilin"})).status_code == 403  # no token
    assert await versions(services) == []


async def test_months_are_paged(sqlite_office: Office) -> None:
    app, services = sqlite_office.http._transport.app, sqlite_office.services  # type: ignore[attr-defined]
    for number in range(25):
        month = f"{int(YEAR) - 3 + number // 12}-{number % 12 + 1:02}"
        await put(services, "03-02 09:00", month, ("market", number))
    async with visiting(app, services, "auditor") as visitor:
        first, second = [(await visitor.get(PATH, hall="guilin", page=n)).text for n in (1, 2)]
    oldest = f"month={int(YEAR) - 3}-01"
    assert oldest not in first and oldest in second and "共 25 个月，第 1 / 2 页" in first
