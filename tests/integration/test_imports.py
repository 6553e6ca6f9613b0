"""Cases out of a file: filed the counter's way, each once, whoever brings it and whatever is killed."""

import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import col, func, select

from casework.import_running import run_import
from casework.import_work import DRAFTS_KEPT, LEASE, drop_old_drafts, keep_importing, work_off
from casework.imports import Row, bring, look_at, queue, read_import
from casework.sent import body_hash
from casework.services import Services
from casework.viewer import Viewer
from models.access import AccessLog
from models.filing import Filing
from models.imported import Import, ImportRow
from routes.imported_rows import CASES, WORK_ORDERS, read_file
from rules.calendar import SHANGHAI
from rules.case.vocabulary import Role
from tests.support.house import House
from tests.support.office import SetClock
from tests.support.visiting import Visitor, visiting
from tests.unit.test_importing import HEADINGS, ORDER_HEADINGS, csv

CLERK = Viewer("guilin.clerk", "李窗口", Role.CLERK, "guilin")
LEAD = Viewer("guilin.lead", "王负责", Role.WINDOW_LEAD, "guilin")
OTHER = Viewer("chengzhong.clerk", "外厅", Role.CLERK, "chengzhong")


def before(**ago: float) -> str:
    """A receipt some time ago, as people write it."""
    return f"{datetime.now(SHANGHAI) - timedelta(**ago):%Y-%m-%d %H:%M:%S}"


def row(
    number: str, problem: str = "手续重复", received_at: str = "", phone: str = "13800130001"
) -> tuple[str, ...]:
    return (number, received_at, "电话", "个人", "周小明", phone, "", "", "户口迁移", problem, "")


def order(number: str, called_at: str) -> tuple[str, ...]:
    return (number, called_at, "周小明", "13800130001", "多次往返仍未办成", "市场监管局", "")


async def brought(services: Services, *rows: Sequence[str], by: Viewer = CLERK) -> str:
    """An import that is queued."""
    now = await services.clock.now()
    read = read_file(CASES, csv(HEADINGS, *rows), by.hall or "", now)
    import_id = await bring(services, by, read, await look_at(services, read))
    await queue(services, by, import_id, None)
    return import_id


async def filings(services: Services) -> list[Filing]:
    async with services.database.read() as session:
        return list((await session.exec(select(Filing).order_by(Filing.case_id))).all())


async def test_each_row_becomes_a_case_that_says_when_it_was_imported(house: House) -> None:
    received_at = before(days=20)
    import_id = await brought(house.services, row("A-1", received_at=received_at), row("", "另一件"))
    await work_off(house.services, import_id)
    shown = await read_import(house.services, CLERK, import_id)
    assert shown.counts == {"filed": 2} and shown.row.finished_at is not None
    first, second = [number for _, number in shown.done]
    case = (await house.get(f"cases/{first}")).json()
    assert case["reference"] == {"source": "import", "number": "A-1"} and case["channel"] == "phone"
    assert case["received_at"][:19].replace("T", " ") == received_at
    assert first.startswith(f"guilin-{received_at[:10].replace('-', '')}-")
    event = (await house.get(f"cases/{first}/events")).json()["items"][0]
    assert event["data"]["source"] == "import" and event["data"]["reference"] == "A-1"
    imported_at = datetime.fromisoformat(event["data"]["imported_at"])
    assert abs(imported_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert event["data"]["filed_by"]["username"] == "guilin.clerk"
    plain = (await house.get(f"cases/{second}")).json()
    assert "reference" not in plain
    found = (await house.get("cases", q="A-1")).json()["items"]
    assert [each["number"] for each in found] == [first]
    assert (await house.get("cases", by="chengzhong.clerk", q="A-1")).json()["total"] == 0
    async with visiting(house.app, house.services, "guilin.clerk") as browser:
        page = (await browser.get(f"/cases/{first}")).text
        assert "原编号" in page and "A-1" in page and "导入时间" in page
        listed = await browser.post("/cases/search", {"q": "A-1"})
        assert first in listed.text
    async with house.services.database.read() as session:
        rows = (await session.exec(select(ImportRow))).all()
    # Nothing personal stays beside the case.
    assert all(each.form is None and not each.origin_key for each in rows)


async def test_a_file_files_nothing_twice_whoever_brings_it(house: House) -> None:
    rows = [row(f"A-{number}") for number in range(6)] + [row("", f"无编号 {n}") for n in range(3)]
    ids = [await brought(house.services, *rows, by=by) for by in (CLERK, LEAD)]
    await asyncio.gather(*(work_off(house.services, each) for each in ids))
    counts = [(await read_import(house.services, CLERK, each)).counts for each in ids]
    assert sum(each.get("filed", 0) for each in counts) == 9 == len(await filings(house.services))
    assert sum(each.get("repeated", 0) for each in counts) == 9
    again = await brought(house.services, *rows[:1], row("A-9"))
    await work_off(house.services, again)
    assert (await read_import(house.services, CLERK, again)).counts == {"filed": 1, "repeated": 1}


async def test_a_killed_import_goes_on_where_it_was(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between a filing and the note of it, too: the row is filed, and counted once."""
    import_id = await brought(sqlite_house.services, *(row(f"A-{number}") for number in range(8)))
    from casework import import_work

    real, left = import_work.file_once, 3

    class Killed(BaseException):
        pass

    async def dies(*given: Any) -> Any:
        nonlocal left
        done = await real(*given)
        left -= 1
        if left < 0:
            raise Killed
        return done

    with monkeypatch.context() as patched:
        patched.setattr(import_work, "file_once", dies)
        with pytest.raises(Killed):
            await work_off(sqlite_house.services, import_id)
    assert len(await filings(sqlite_house.services)) >= 4
    assert (await read_import(sqlite_house.services, CLERK, import_id)).waiting > 0
    over = SetClock(datetime.now(UTC) + LEASE + timedelta(seconds=1))
    with sqlite_house.changed(wall=over):
        task = asyncio.create_task(keep_importing(sqlite_house.services, timedelta(seconds=0.05)))
    async with asyncio.timeout(20):
        while (await read_import(sqlite_house.services, CLERK, import_id)).row.finished_at is None:
            await asyncio.sleep(0.05)
    task.cancel()
    assert (await read_import(sqlite_house.services, CLERK, import_id)).counts == {"filed": 8}
    assert len(await filings(sqlite_house.services)) == 8


async def test_cases_are_filed_while_the_engine_is_away(sqlite_house: House) -> None:
    import_id = await brought(sqlite_house.services, row("A-1", received_at=before(days=2)))
    async with sqlite_house.down():
        await work_off(sqlite_house.services, import_id)
    (filing,) = await filings(sqlite_house.services)
    assert filing.number is None and filing.reference == "A-1"
    waiting = (await sqlite_house.get(f"cases/{filing.case_id}")).json()
    assert waiting["reference"] == {"source": "import", "number": "A-1"} and waiting["number"] is None


async def test_a_number_that_came_before_with_other_words_is_told_and_left_alone(sqlite_house: House) -> None:
    services = sqlite_house.services
    await work_off(services, await brought(services, row("A-1")))
    content = csv(HEADINGS, row("A-1", "改过的"))
    looked, shown = await run_import(services, "guilin", partial(read_file, CASES, content), dry_run=False)
    assert [str(fault) for fault in looked.faults] == ["第 2 行 编号：已登记过，内容与这次不同"]
    assert shown is None and len(await filings(services)) == 1
    late = await brought(services, row("B-1"), row("B-2"))  # both pass, and one comes otherwise meanwhile
    await work_off(services, await brought(services, row("B-1", "抢先的")))
    await work_off(services, late)
    counts = (await read_import(services, CLERK, late)).counts
    assert counts == {"filed": 1, "refused": 1}


async def test_a_large_file_is_held_against_what_was_filed_in_one_pass(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever signs in meanwhile waits for it: rows are told apart by number, and digested once at most."""
    services = sqlite_house.services
    await work_off(services, await brought(services, row("A-1"), row("A-2")))
    rows = [row("A-1"), row("A-2", "改过的"), *(row(f"B-{number}") for number in range(50))]
    read = read_file(CASES, csv(HEADINGS, *rows), "guilin", await services.clock.now())
    digested: list[str] = []

    def digest(name: str, body: Any) -> str:
        digested.append(body["problem"])
        return body_hash(name, body)

    def compared(one: Row, other: object) -> bool:
        raise AssertionError("rows are compared with each other")

    monkeypatch.setattr("casework.imports.body_hash", digest)
    monkeypatch.setattr(Row, "__eq__", compared)
    looked = await look_at(services, read)
    assert [each.origin.reference for each in looked.rows] == ["A-1", *(f"B-{n}" for n in range(50))]
    assert (looked.new, looked.repeated) == (50, 1)
    assert [str(fault) for fault in looked.faults] == ["第 3 行 编号：已登记过，内容与这次不同"]
    assert sorted(digested) == ["手续重复", "改过的"]


async def test_a_dry_run_files_nothing(sqlite_house: House) -> None:
    read = csv(ORDER_HEADINGS, order("1", before(hours=3)), order("2", "昨天"))
    reader = partial(read_file, WORK_ORDERS, read)
    looked, shown = await run_import(sqlite_house.services, "guilin", reader, dry_run=True)
    assert (looked.new, shown) == (1, None) and [fault.column for fault in looked.faults] == ["来电时间"]
    async with sqlite_house.services.database.read() as session:
        assert (await session.exec(select(func.count()).select_from(Import))).one() == 0
    assert await filings(sqlite_house.services) == []


async def test_a_draft_is_gone_after_a_day_and_is_nobody_elses(sqlite_house: House) -> None:
    services = sqlite_house.services
    now = await services.clock.now()
    read = read_file(CASES, csv(HEADINGS, row("A-1")), "guilin", now)
    import_id = await bring(services, CLERK, read, await look_at(services, read))
    with pytest.raises(Exception, match="import"):
        await read_import(services, OTHER, import_id)
    with pytest.raises(Exception, match="import"):
        await queue(services, OTHER, import_id, None)
    await drop_old_drafts(services)
    assert (await read_import(services, CLERK, import_id)).waiting == 1
    with sqlite_house.changed(clock=SetClock(now + DRAFTS_KEPT + timedelta(minutes=1))):
        await drop_old_drafts(sqlite_house.services)
    async with services.database.read() as session:
        assert (await session.exec(select(ImportRow))).all() == []


async def test_the_page_shows_every_fault_files_on_confirmation_and_gives_the_outcome(house: House) -> None:
    content = csv(HEADINGS, row("A-1"), row("A-2", phone="12"), row("", ""))
    async with visiting(house.app, house.services, "guilin.clerk") as browser:
        at = await _sent(browser, content)
        page = (await browser.get(at)).text
        assert "登记这 1 行" in page and "联系电话" in page and "2 行，2 处" in page
        assert await filings(house.services) == []
        got = await browser.get(f"{at}/outcome.xlsx")
        rows = CalamineWorkbook.from_filelike(io.BytesIO(got.content)).get_sheet_by_index(0).to_python()
        assert [tuple(each[:3]) for each in rows[1:]] == [
            ("3", "未导入", "联系电话：应为 11 位手机号，或带区号的固定电话(0773-2800000)"),
            ("4", "未导入", "反映的问题：必填"),
        ]
        assert (await browser.post(at, {})).status_code == 303
        assert (await browser.post(at, {})).status_code == 303  # a second click
        await work_off(house.services, at.rpartition("/")[2])
        page = (await browser.get(at)).text
        assert "guilin-" in page and "已登记" in page
        listed = (await browser.get("/counter/import")).text
        assert at in listed and "已完成" in listed
        assert (await browser.get("/counter/import/template.xlsx")).status_code == 200
    async with house.services.database.read() as session:
        wanted = select(AccessLog).where(col(AccessLog.action).in_(("cases_imported", "download")))
        logged = [(each.action, each.username) for each in (await session.exec(wanted)).all()]
    assert logged == [("download", "guilin.clerk"), ("cases_imported", "guilin.clerk")]
    async with visiting(house.app, house.services, "chengzhong.clerk") as browser:
        assert (await browser.get(at)).status_code == 404
        assert (await browser.post(at, {})).status_code == 404


async def test_the_page_refuses_what_is_no_table(sqlite_house: House) -> None:
    async with visiting(sqlite_house.app, sqlite_house.services, "guilin.lead") as browser:
        for content, words in ((b"\x00", "CSV"), (b"PK\x03\x04", "Excel"), (b"x" * 5_500_000, "5 MB")):
            page = await browser.post(
                "/counter/import", {"form": "cases"}, files={"file": ("a.csv", content)}
            )
            assert page.status_code == 422 and words in page.text
        nothing = await browser.post("/counter/import", {"form": "cases"})
        assert nothing.status_code == 422 and "请选择" in nothing.text
        bad = await _sent(browser, csv(HEADINGS, row("A-1", phone="1")))
        assert "登记这" not in (await browser.get(bad)).text
        assert (await browser.post(bad, {})).status_code == 409


async def _sent(browser: Visitor, content: bytes) -> str:
    """Send a file; return the path of its import."""
    answer = await browser.post("/counter/import", {"form": "cases"}, files={"file": ("a.csv", content)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])
