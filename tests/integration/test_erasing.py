"""Personal data is erased by itself once its time is over: everywhere, once, on the record, and for good."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from sqlmodel import Session, col, select

from announcing import withheld_lines
from casework.case_verifying import verify_case
from casework.dossier_check import verify_dossier
from casework.erased_list import ErasedList, NotAList, note_erased, read_list
from casework.erasing import erase_due, erase_listed, keep_erasing
from casework.erasure_due import Withheld, withheld_now
from casework.erasure_holds import due_now, lift_hold, overview, place_hold
from casework.errors import Conflict, NotFound
from casework.heads import take_now
from casework.histories import export_ended
from casework.import_work import work_off
from casework.readiness import readiness
from casework.report_running import run_reports
from casework.services import Services
from casework.verifying import check_and_record, verify_ledger
from casework.viewer import Viewer
from models.access import AccessLog
from models.case import Case
from models.evidence import LedgerCheck
from models.filing import CaseSecret, Petitioner
from models.report import ReportFile, sealing
from models.retention import Erasure
from models.tables import metadata
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role
from rules.retention import Retention, years_after
from tests.integration.test_imports import brought, filings, row
from tests.support.house import House, triage
from tests.support.office import SetClock
from tests.support.visiting import visiting

PDF = b"%PDF-1.7\n" + "内容".encode() * 100
SUPERVISOR = Viewer("guilin.supervisor", "监督", Role.SUPERVISOR, "guilin")
OTHER = Viewer("chengzhong.supervisor", "监督", Role.SUPERVISOR, "chengzhong")
AUDITOR = Viewer("auditor", "审计", Role.AUDITOR)
TYPED = {
    "name": "欧阳雪莲",
    "phone": "13800139876",
    "matter": "不动产首次登记",
    "problem": "三次被要求补充同一份测绘图纸",
    "reply": "测绘图纸已由部门内部调取",
    "lesson": "测绘成果应当共享",
    "file": "测绘图纸扫描件.pdf",
}
"""What must be found nowhere afterwards."""
NUMBER = "GD-20260309-004711"


async def archived(house: House) -> dict[str, Any]:
    """A case of guilin that went all its way, with a file, and lies in the archive."""
    person = {"kind": "person", "name": TYPED["name"], "phone": TYPED["phone"]}
    case = await house.file(petitioner=person, matter=TYPED["matter"], problem=TYPED["problem"])
    return await all_the_way(house, case)


async def all_the_way(house: House, case: Mapping[str, Any]) -> dict[str, Any]:
    """A case as it lies in the archive, with a file."""
    files = {"file": (TYPED["file"], PDF)}
    sent = await house.request("POST", f"/api/cases/{case['id']}/attachments", files=files)
    assert sent.status_code == 201, sent.text
    await house.act(case, "triage", "guilin.clerk", **triage())
    await house.act(case, "sign", "guilin.market.contact")
    await house.act(case, "reply", "guilin.market.contact", text=TYPED["reply"], resolved=True)
    await house.act(case, "check_reply", "guilin.lead", accept=True)
    await house.act(case, "revisit", "guilin.clerk", reached=True, rating=5, resolved=True)
    done = await house.act(case, "archive", "guilin.lead", lesson=TYPED["lesson"])
    return done | {"query_code": case.get("query_code")}


async def exported(services: Services, runs: int = 1) -> None:
    """Wait until the histories of what has ended are exported."""
    async with asyncio.timeout(30):
        done = 0
        while done < runs:
            done += await export_ended(services)
            await asyncio.sleep(0.05)


async def later(services: Services, now: datetime) -> Any:
    """The services with the clock of the domain three years on, and the checks of the nights before."""
    then = years_after(now, 3) + timedelta(minutes=1)
    await checked_until(services, then)
    return {"clock": SetClock(then)}


async def checked_until(services: Services, then: datetime) -> None:
    """The house has lived through the days before: its ledger was checked now and again."""
    async with services.database.begin() as session:
        for days in range(40, 0, -10):
            session.add(LedgerCheck(at=then - timedelta(days=days), ok=True, cases=1, events=1, heads=1))


async def everything(services: Services) -> str:
    """All that stands in the database, as one text."""

    def read(session: Session) -> list[str]:
        connection = session.connection()
        return [str(row) for table in metadata.sorted_tables for row in connection.execute(table.select())]

    return "\n".join(await services.database.look(read))


async def log_of(services: Services, *actions: str) -> list[tuple[str, str | None, str | None, str | None]]:
    wanted = select(AccessLog).where(col(AccessLog.action).in_(actions)).order_by(col(AccessLog.id))
    async with services.database.read() as session:
        rows = (await session.exec(wanted)).all()
    return [(row.action, row.username, row.case_id, row.reason) for row in rows]


async def test_all_that_is_personal_is_gone_and_the_chain_holds(house: House, tmp_path: Path) -> None:
    case, other = await archived(house), await house.file()
    await exported(house.services)
    await take_now(house.services)
    now = await house.services.clock.now()
    number, case_id = case["number"], case["id"]
    async with house.services.database.read() as session:
        secret = (await session.get_one(CaseSecret, case_id)).wrapped_key
        indexes = (await session.get_one(Petitioner, case_id)).phone_index
    with house.changed(**await later(house.services, now)):
        services = house.services
        assert [each.place.number for each in await due_now(services)] == [number]
        assert await erase_due(services) == 1
        assert await erase_due(services) == 0

        left = await everything(services)
        for what in (*TYPED.values(), secret, str(indexes)):
            assert what not in left, what
        assert not list(tmp_path.glob(f"attachments/{case_id}*")) + list(
            tmp_path.glob(f"histories/{case_id}*")
        )
        assert read_list(services.erased_list).cases == [case_id]
        assert (services.erased_list.stat().st_mode & 0o777) == 0o600

        report = await verify_case(services, case_id)
        assert report.ledger_ok and report.only_erased and not report.replay_ok
        assert [finding.what for finding in report.replay] == ["history_erased"]
        assert (await verify_ledger(services)).ok
        assert await log_of(services, "erased") == [("erased", None, case_id, "retention period over")]
        async with services.database.read() as session:
            row = await session.get_one(Erasure, case_id)
            assert row.files_gone_at is not None and row.archived_at < now < row.erased_at
            assert await session.get(CaseSecret, other["id"]) is not None
    await _shown_after(house, case)


async def _shown_after(house: House, case: Mapping[str, Any]) -> None:
    """What people see of it afterwards."""
    path = f"cases/{case['id']}"
    answer = (await house.post(f"{path}/verify", by="auditor")).json()
    assert answer["ledger_ok"] and answer["erased"] and not answer["replay_ok"]
    assert "个人信息保存期满" in answer["detail"] and "不再重演" in answer["detail"]
    seen = (await house.get(path, by="auditor")).json()
    assert seen["matter"] is None and seen["petitioner"]["name"] is None and seen["status"] == "archived"
    events = (await house.get(f"{path}/events", by="auditor")).json()
    assert events["verified"] and [each["type"] for each in events["items"]][-1] == "archive"
    assert (await house.get(f"{path}/attachments", by="auditor")).json()["items"][0]["name"] is None
    pair = {"query_code": case["query_code"], "phone_tail": TYPED["phone"][-4:]}
    assert (await house.post("public/track", pair, by=None)).status_code == 404
    assert (await house.get("cases", by="guilin.clerk", q=TYPED["phone"])).json()["total"] == 0
    dossier = await house.get(f"{path}/dossier", by="auditor")
    assert dossier.status_code == 200
    assert (await verify_dossier(dossier.content)).ok
    async with visiting(house.app, house.services, "auditor") as browser:
        page = await browser.get(f"/cases/{case['number']}")
        assert page.status_code == 200 and "None" not in page.text
        shown = await browser.post(f"/cases/{case['number']}/verify", {})
        assert "个人信息保存期满" in shown.text and "核验未通过" not in shown.text


async def test_the_number_of_another_system_goes_wherever_it_stood(house: House) -> None:
    """It leads to a person there; and the digest of a row without one could be tried out."""
    services = house.services
    rows = [row(NUMBER, "已办"), row("", "没有编号的一件"), row("WT-2", "还在办")]
    await work_off(services, await brought(services, *rows))
    await work_off(services, await brought(services, *rows))  # filed before: told so, row by row
    imported = {filing.reference: filing for filing in await filings(services)}
    keys = [str(imported[reference].origin_key) for reference in (NUMBER, None)]
    for reference in (NUMBER, None):
        await all_the_way(house, (await house.get(f"cases/{imported[reference].case_id}")).json())
    before = await everything(services)
    assert all(what in before for what in (NUMBER, *keys, "WT-2"))
    now = await services.clock.now()
    with house.changed(**await later(services, now)):
        assert await erase_due(house.services) == 2
        left = await everything(house.services)
    for what in (NUMBER, *keys, *(key.rpartition("/")[2] for key in keys)):
        assert what not in left, what
    assert "WT-2" in left, "an open case is still known by its number"


async def test_a_case_goes_when_the_period_of_its_policy_has_ended_and_is_announced_before(
    sqlite_house: House,
) -> None:
    case, closed = await archived(sqlite_house), await sqlite_house.closed()
    end = Retention().ends((await _case(sqlite_house, case["id"])).updated_at)
    for before, listed in ((timedelta(days=31), []), (timedelta(days=29), [case["number"]])):
        with sqlite_house.changed(clock=SetClock(end - before)):
            shown = await overview(sqlite_house.services, SUPERVISOR)
            assert [each.place.number for each in shown.coming] == listed
            assert all(each.erased_at == end for each in shown.coming)
            assert (await overview(sqlite_house.services, OTHER)).coming == []
    longer = Retention(after_archiving=5)
    await checked_until(sqlite_house.services, end)
    for instant, periods, erased in (
        (end - timedelta(seconds=1), {"guilin": Retention()}, 0),
        (end, {"guilin": longer}, 0),
        (end, {"guilin": Retention(), "chengzhong": longer}, 1),
    ):
        with sqlite_house.changed(clock=SetClock(instant), retention=periods):
            assert await erase_due(sqlite_house.services) == erased
    async with sqlite_house.services.database.read() as session:
        assert await session.get(CaseSecret, closed["id"]) is not None


async def test_nothing_is_erased_under_a_policy_whose_file_is_gone(house: House) -> None:
    """It may have named a longer period: what is erased never comes back."""
    case = await archived(house)
    late = await later(house.services, await house.services.clock.now())
    others = {"chengzhong": Retention()}
    with house.changed(**late, retention=others):
        assert await erase_due(house.services) == 0 and await due_now(house.services) == []
        assert (await overview(house.services, SUPERVISOR)).coming == []
        withheld = await withheld_now(house.services)
        assert withheld == Withheld(unread=["guilin"]) and "guilin" in "".join(withheld_lines(withheld))
        part = {part.name: part for part in await readiness(house.services)}["retention"]
        assert not part.ok and not part.required and "guilin" in part.detail
        assert (await _case(house, case["id"])).matter is not None
    with house.changed(**late):
        assert await withheld_now(house.services) == Withheld()
        assert {part.name: part for part in await readiness(house.services)}["retention"].ok
        assert await erase_due(house.services) == 1
    with house.changed(**late, retention=others):
        assert await withheld_now(house.services) == Withheld(), "there is nothing left to erase"


async def test_a_clock_that_is_ahead_erases_nothing_before_its_announced_days_have_passed(
    house: House,
) -> None:
    """What the house records after the jump does not vouch for the days that the clock left out."""
    await archived(house)
    now = await house.services.clock.now()
    await checked_until(house.services, now)
    jumped = years_after(now, 3) + timedelta(minutes=1)
    for days in range(0, 33, 4):
        with house.changed(clock=SetClock(jumped + timedelta(days=days))):
            passed = days > 30
            await check_and_record(house.services, lambda: None)
            assert await withheld_now(house.services) == Withheld(clock=[] if passed else ["guilin"])
            assert len(await due_now(house.services)) == passed
            assert await erase_due(house.services) == passed
            assert len((await overview(house.services, SUPERVISOR)).coming) == (not passed)


async def test_what_is_withheld_is_told_once_per_change(sqlite_house: House) -> None:
    await archived(sqlite_house)
    late = await later(sqlite_house.services, await sqlite_house.services.clock.now())
    with structlog.testing.capture_logs() as logged, sqlite_house.changed(**late, retention={}):
        task = asyncio.create_task(keep_erasing(sqlite_house.services, timedelta(milliseconds=20)))
        await asyncio.sleep(1)
        task.cancel()
    told = [entry for entry in logged if entry["event"] == "erasure withheld"]
    assert [(each["log_level"], each["unread"], each["clock"]) for each in told] == [
        ("warning", ["guilin"], [])
    ]


async def test_a_hold_keeps_a_case_until_it_is_lifted_and_both_are_on_the_record(house: House) -> None:
    case = await archived(house)
    now, number = await house.services.clock.now(), case["number"]
    await place_hold(house.services, SUPERVISOR, number, "行政复议未结", "10.0.0.1")
    with pytest.raises(Conflict, match="case-held"):
        await place_hold(house.services, SUPERVISOR, number, "再次", None)
    for viewer, refused in ((OTHER, NotFound), (AUDITOR, Forbidden)):
        with pytest.raises(refused):
            await place_hold(house.services, viewer, number, "理由", None)
        with pytest.raises(refused):
            await lift_hold(house.services, viewer, number, "理由", None)
    with house.changed(**await later(house.services, now)):
        assert await erase_due(house.services) == 0 and await due_now(house.services) == []
        shown = await overview(house.services, AUDITOR)
        assert [(each.place.number, each.hold.reason) for each in shown.coming if each.hold] == [
            (number, "行政复议未结")
        ]
        await lift_hold(house.services, SUPERVISOR, number, "复议已结", "10.0.0.1")
        with pytest.raises(Conflict, match="case-not-held"):
            await lift_hold(house.services, SUPERVISOR, number, "再次", None)
        assert await erase_due(house.services) == 1
        with pytest.raises(Conflict, match="case-erased"):
            await place_hold(house.services, SUPERVISOR, number, "太晚", None)
    assert await log_of(house.services, "erasure_held", "erasure_hold_lifted") == [
        ("erasure_held", "guilin.supervisor", case["id"], "行政复议未结"),
        ("erasure_hold_lifted", "guilin.supervisor", case["id"], "复议已结"),
    ]


async def test_what_a_killed_process_left_on_disk_goes_with_the_next_pass(
    sqlite_house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await archived(sqlite_house)
    now = await sqlite_house.services.clock.now()
    folder = tmp_path / "attachments" / case["id"]

    class Killed(BaseException):
        pass

    async def die(*given: Any) -> None:
        raise Killed

    with sqlite_house.changed(**await later(sqlite_house.services, now)):
        with monkeypatch.context() as patched:
            patched.setattr("casework.erasing._finish", die)
            with pytest.raises(Killed):
                await erase_due(sqlite_house.services)
        assert folder.exists() and not sqlite_house.services.erased_list.exists()
        assert (await _case(sqlite_house, case["id"])).matter is None
        assert await erase_due(sqlite_house.services) == 0
        assert not folder.exists() and read_list(sqlite_house.services.erased_list).cases == [case["id"]]


async def test_several_workers_erase_a_case_once(house: House) -> None:
    case = await archived(house)
    now = await house.services.clock.now()
    with house.changed(**await later(house.services, now)):
        done = await asyncio.gather(*(erase_due(house.services) for _ in range(4)))
    assert sum(done) == 1
    assert [row[2] for row in await log_of(house.services, "erased")] == [case["id"]]


async def test_a_hold_that_comes_at_the_same_time_comes_before_or_too_late(house: House) -> None:
    case = await archived(house)
    now = await house.services.clock.now()
    with house.changed(**await later(house.services, now)):
        erased, held = await asyncio.gather(
            erase_due(house.services),
            place_hold(house.services, SUPERVISOR, case["number"], "理由", None),
            return_exceptions=True,
        )
        assert (erased == 1) == isinstance(held, Conflict)
        assert ((await _case(house, case["id"])).matter is None) == (erased == 1)


async def test_what_a_restore_brings_back_is_erased_again(sqlite_house: House) -> None:
    """The backup was taken before: keys and texts are there again, the list outside of it knows better."""
    case, open_case = await archived(sqlite_house), await sqlite_house.file()
    services = sqlite_house.services
    services.erased_list.write_text(
        f"{case['id']} 2029-01-01T00:00:00+00:00\n{open_case['id']} x\nbroken-off"
    )
    await _started_until_erased(services)
    assert (await _case(sqlite_house, case["id"])).matter is None
    assert (await _case(sqlite_house, open_case["id"])).matter is not None  # no list speaks for an open one
    assert [row[3] for row in await log_of(services, "erased")] == ["erased before, restored from a backup"]
    assert await erase_listed(services, [case["id"]]) == 0


async def test_a_corrupt_line_of_the_list_keeps_no_other_case_from_being_erased_again(
    sqlite_house: House,
) -> None:
    case = await archived(sqlite_house)
    services = sqlite_house.services
    good = f"{case['id']} 2029-01-01T00:00:00+00:00\n".encode()
    services.erased_list.write_bytes(b"\x00\xff\xfe\x00 2029\n\n" + good + b"01a21a04" + good)
    with structlog.testing.capture_logs() as logged:
        await _started_until_erased(services)
    assert (await _case(sqlite_house, case["id"])).matter is None
    told = [entry for entry in logged if entry["event"] == "lines of the list of erased cases skipped"]
    assert [(each["count"], each["lines"]) for each in told] == [(2, [1, 4])]


def test_what_names_no_case_at_all_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "erased.txt"
    assert read_list(path) == ErasedList([], [])
    for content in (b"\x89PNG not a list\n", b"shopping\nmilk 2\n"):
        path.write_bytes(content)
        with pytest.raises(NotAList):
            read_list(path)


def test_a_line_that_a_power_cut_broke_off_spoils_no_next_one(tmp_path: Path) -> None:
    """Its case is noted anew by the next pass, so that nothing is told of it while it is the last one."""
    path, at = tmp_path / "erased.txt", datetime(2029, 1, 1, tzinfo=UTC)
    ids = [str(uuid4()) for _ in range(3)]
    note_erased(path, ids[0], at)
    with path.open("a") as file:
        file.write(ids[1][:20])
    assert read_list(path) == ErasedList(ids[:1], [])
    note_erased(path, ids[1], at)
    note_erased(path, ids[2], at)
    assert read_list(path) == ErasedList(ids, [2])


async def test_a_report_that_told_of_it_is_emptied_and_made_again_without_it(
    sqlite_house: House,
) -> None:
    await archived(sqlite_house)
    now = await sqlite_house.services.clock.now()
    with sqlite_house.changed(clock=SetClock(now + timedelta(days=8))):
        await run_reports(sqlite_house.services, "hall_weekly", now.date(), "guilin")
    with sqlite_house.changed(**await later(sqlite_house.services, now)):
        services = sqlite_house.services
        await erase_due(services)
        async with services.database.read() as session:
            files = (await session.exec(select(ReportFile))).all()
        opened = [services.keyring.open(f.content, sealing(f.report_id, f.format)) for f in files]
        assert opened == [b""] and files[0].erased_at and files[0].sha256
        run = (await run_reports(services, "hall_weekly", now.date(), "guilin"))[0]
        assert run.again and run.erased and not run.differs
        listed = (await sqlite_house.get("reports", by="guilin.lead")).json()["items"][0]
        assert listed["files"][0]["erased_at"]
        got = await sqlite_house.get(f"reports/{listed['id']}/file", by="guilin.lead")
        assert got.status_code == 404
        async with visiting(sqlite_house.app, services, "guilin.lead") as browser:
            assert "清空" in (await browser.get(f"/reports/{listed['id']}")).text
            assert "已清除" in (await browser.get("/reports")).text


async def _case(house: House, case_id: str) -> Case:
    async with house.services.database.read() as session:
        return await session.get_one(Case, case_id)


async def _started_until_erased(services: Services) -> None:
    """Start erasing as a worker does, and stop it once it has erased something."""
    task = asyncio.create_task(keep_erasing(services, timedelta(hours=1)))
    async with asyncio.timeout(30):
        while not await log_of(services, "erased"):
            await asyncio.sleep(0.05)
    task.cancel()
