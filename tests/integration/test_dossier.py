"""The dossier: a stranger with the zip alone verifies it, and a changed byte anywhere is named."""

import asyncio
import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from sqlmodel import select

from casework.dossier import signature_file, zipped
from casework.dossier_check import DossierReport, verify_dossier
from casework.findings import Finding
from casework.histories import export_ended, histories_of
from casework.services import Services
from casework.verifying import check_and_record
from models.evidence import CaseRun, HistoryExport
from models.signing import SigningKey, generate_signing_key
from routes.evidence_words import FOUND, finding_words
from tests.support.house import House
from tests.support.ledgers import Owner, head_now
from tests.support.running import bancheng
from tests.support.signed import SIGNER
from tests.support.visiting import visiting

NAMES = ["dossier.pdf", "events.json", "acts.json", "history.json", "head.json"]
NAMES += ["manifest.json", "signature.json"]


async def dossier(house: House, case: Mapping[str, Any], by: str = "auditor") -> bytes:
    answer = await house.get(f"cases/{case['number']}/dossier", by=by)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert f"{case['number']}.zip" in answer.headers["content-disposition"]
    return answer.content


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def said(report: DossierReport) -> list[tuple[str, Any]]:
    return [
        (each.what, each.seq or each.facts.get("file") or each.facts.get("key")) for each in report.findings
    ]


async def verify(house: House, case: Mapping[str, Any], by: str = "auditor") -> dict[str, Any]:
    answer = await house.post(f"cases/{case['id']}/verify", by=by)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def archived(house: House) -> dict[str, Any]:
    case = await house.closed()
    return await house.act(case, "archive", "guilin.lead")


async def test_an_open_case_is_verified_against_the_engine(house: House) -> None:
    case = await house.told()
    assert await verify(house, case) == {
        "ledger_ok": True,
        "replay_ok": True,
        "detail": "台账 5 条记录环环相扣；流程历史 1 段重演一致；尚无覆盖本件的台账封签。",
    }


async def test_a_changed_event_is_named_by_chain_and_replay(house: House) -> None:
    case = await house.told()
    await Owner(house.services).rewrite(case["id"], 3, command_id="another")
    answer = await verify(house, case)
    assert (answer["ledger_ok"], answer["replay_ok"]) == (True, False)
    assert answer["detail"].startswith("第 3 条记录与流程历史所载不同")
    await Owner(house.services).run(
        "UPDATE events SET type = 'x' WHERE case_id = :c AND seq = 2", c=case["id"]
    )
    answer = await verify(house, case)
    assert (answer["ledger_ok"], answer["replay_ok"]) == (False, False)
    assert "第 2 条记录被改动" in answer["detail"]


async def test_what_the_code_decides_counts_beside_what_the_history_heard(house: House) -> None:
    """Actor and facts never went back to the workflow: only deciding again tells that they were changed."""
    case = await house.told()
    forged = {"role": "contact", "username": "guilin.market.contact", "name": "另一人", "unit": "market"}
    await Owner(house.services).rewrite(case["id"], 4, actor=forged)
    answer = await verify(house, case)
    assert (answer["ledger_ok"], answer["replay_ok"]) == (True, False)
    assert answer["detail"].startswith("第 4 条记录与现行流程重演的结果不同")


async def test_ended_runs_are_exported_and_replayed_without_the_engine(house: House) -> None:
    case = await archived(house)
    assert await settled(house.services) == 1
    async with house.services.database.read() as session:
        (export,) = await session.exec(select(HistoryExport))
    assert (export.case_id, export.outcome, export.events > 20) == (case["id"], "kept", True)
    async with house.down():
        answer = await verify(house, case)
        assert (answer["ledger_ok"], answer["replay_ok"]) == (True, True)
        assert (await verify_dossier(await dossier(house, case))).ok


async def settled(services: Services) -> int:
    """Export until the runs that have ended are settled; return how many were."""
    async with asyncio.timeout(20):
        while not (done := await export_ended(services)):
            await asyncio.sleep(0.1)
    return done


async def test_a_changed_byte_of_an_exported_history_is_named(house: House) -> None:
    case = await archived(house)
    await settled(house.services)
    (file,) = (house.services.evidence.histories / case["id"]).iterdir()
    whole = file.read_bytes()
    for at in (0, 5, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        answer = await verify(house, case)
        assert (answer["ledger_ok"], answer["replay_ok"]) == (True, False)
        assert "导出历史文件被改动" in answer["detail"]
    file.unlink()
    assert "导出历史文件不见了" in (await verify(house, case))["detail"]


async def test_a_history_that_was_deleted_before_its_export_is_reported(house: House) -> None:
    case = await house.told()
    async with house.services.database.begin() as session:
        (run,) = await session.exec(select(CaseRun).where(CaseRun.case_id == case["id"]))
        gone = CaseRun(run_id="00000000-0000-4000-8000-000000000000", case_id=case["id"], state="ended")
        session.add(gone)
    assert await export_ended(house.services) == 1
    assert await export_ended(house.services) == 0
    answer = await verify(house, case)
    assert (answer["ledger_ok"], answer["replay_ok"]) == (True, False)
    assert "运行 00000000-0000-4000-8000-000000000000 的流程历史在导出前已不存在" in answer["detail"]
    report = await verify_dossier(await dossier(house, case))
    assert report.lost == ["00000000-0000-4000-8000-000000000000"] and report.runs == 1
    assert run.state == "running"


async def test_a_stranger_verifies_a_dossier_with_the_zip_alone(house: House) -> None:
    case = await archived(house)
    file = await head_now(house.services, datetime(2026, 3, 9, 15, 50, tzinfo=UTC))
    content = await dossier(house, case)
    assert list(files_of(content)) == NAMES
    report = await verify_dossier(content)
    assert (report.findings, report.number, report.events, report.runs) == ([], case["number"], 7, 1)
    assert (report.head, report.trusted) == (file.head, False)
    assert (await verify_dossier(content, SIGNER.public)).trusted
    other = SigningKey.parse(generate_signing_key()).public
    assert said(await verify_dossier(content, other)) == [("key_unknown", SIGNER.public.key_id)]


async def test_the_command_line_verifies_it_in_an_empty_folder(sqlite_house: House, tmp_path: Path) -> None:
    """No settings, no database, no key of ours is there, and none is made."""
    content = await dossier(sqlite_house, await sqlite_house.told())
    zip_file, empty = tmp_path / "dossier.zip", tmp_path / "empty"
    zip_file.write_bytes(content)
    empty.mkdir()

    async def verified(*options: str) -> tuple[int, str]:
        return await asyncio.to_thread(bancheng, empty, "dossier", "verify", zip_file, *options)

    code, said = await verified("--key", SIGNER.public.text)
    assert (code, "卷宗完好" in said, "与所给公钥一致" in said) == (0, True, True), said
    assert list(empty.iterdir()) == []
    zip_file.write_bytes(content.replace(b'"type": "sign"', b'"type": "sing"'))
    code, said = await verified()
    assert (code, "文件 events.json 被改动" in said) == (1, True), said
    assert (await verified("--key", "nonsense"))[0] == 2


async def test_what_the_files_of_a_dossier_hold(house: House) -> None:
    case = await house.told()
    files = files_of(await dossier(house, case, by="guilin.supervisor"))
    events = json.loads(files["events.json"])["events"]
    assert [event["type"] for event in events] == ["registered", "triage", "sign", "reply", "check_reply"]
    assert events[3]["texts"]["text"] == "已补办完毕。"
    (run,) = json.loads(files["history.json"])["runs"]
    assert "已补办完毕。" not in str(run) and "json/plain" not in str(run)  # base64, and no longer sealed
    assert "YmluYXJ5L3NlYWxlZA" not in str(run)
    assert json.loads(files["head.json"]) is None
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(files["dossier.pdf"])).pages)
    for words in (case["number"], "个体户注销", "周*", "核验通过", "已补办完毕。", "谁持有多久", "第 1 页"):
        assert words in text, words
    assert "周小明" not in text and "13800130001" not in text


async def changed_everywhere(content: bytes) -> list[tuple[int, DossierReport]]:
    """Reports of the dossier with one byte changed, at places all over it."""
    places = [*range(0, len(content), max(1, len(content) // 60)), len(content) - 1, len(content) - 30]
    return [
        (at, await verify_dossier(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]))
        for at in places
    ]


async def test_a_changed_byte_anywhere_in_a_dossier_is_named(sqlite_house: House) -> None:
    content = await dossier(sqlite_house, await sqlite_house.told())
    assert [at for at, report in await changed_everywhere(content) if report.ok] == []


def swapped(files: dict[str, bytes], name: str, change: Callable[[Any], Any]) -> dict[str, bytes]:
    values = json.loads(files[name])
    return files | {name: json.dumps(change(values) or values, ensure_ascii=False).encode()}


async def test_a_changed_file_of_a_dossier_is_named(sqlite_house: House) -> None:
    files = files_of(await dossier(sqlite_house, await sqlite_house.told()))
    for name in NAMES:
        report = await verify_dossier(zipped(files | {name: files[name] + b" "}))
        expected = ("unsigned", name) if name == "manifest.json" else ("file_changed", name)
        assert said(report) == [expected]
        report = await verify_dossier(zipped({each: files[each] for each in files if each != name}))
        assert ("file_missing", name) in said(report)
    report = await verify_dossier(zipped(files | {"more.txt": b"x"}))
    assert said(report) == [("file_unknown", "more.txt")]


async def test_a_dossier_made_anew_with_a_changed_event_is_found_by_chain_and_replay(
    sqlite_house: House,
) -> None:
    """With another key, and the manifest right again: what the events themselves say remains."""
    files = files_of(await dossier(sqlite_house, await sqlite_house.told()))
    forged = resigned(swapped(files, "events.json", lambda v: v["events"][2].update(type="return_order")))
    assert said(await verify_dossier(forged)) == [("event_changed", 3), ("heard_otherwise", 3)]
    forged = resigned(swapped(files, "events.json", lambda v: {"events": v["events"][:4]}))
    assert ("heard_otherwise", 5) in said(await verify_dossier(forged))
    forged = resigned(
        swapped(files, "events.json", lambda v: v["events"][3]["texts"].update(text="另一答复"))
    )
    assert said(await verify_dossier(forged)) == [("decided_otherwise", 4)]


def resigned(files: dict[str, bytes]) -> bytes:
    """The dossier as a forger makes it: every hash right, signed by a key of the forger's own."""
    signer = SigningKey.parse(generate_signing_key())
    manifest = json.loads(files["manifest.json"])
    for name, about in manifest["files"].items():
        about["sha256"] = hashlib.sha256(files[name]).hexdigest()
    content = json.dumps(manifest).encode()
    signature = signature_file(signer.public, signer.sign(content))
    return zipped(files | {"manifest.json": content, "signature.json": signature})


async def test_no_zip_and_a_broken_one_are_said_to_be_unreadable() -> None:
    for content in (b"", b"PK", b"x" * 1000, gzip.compress(b"x")):
        assert said(await verify_dossier(content)) == [("unreadable", "zip")]


async def test_taking_a_dossier_is_on_the_access_log(sqlite_house: House) -> None:
    case = await sqlite_house.told()
    await dossier(sqlite_house, case, by="guilin.supervisor")
    (newest, *_) = (await sqlite_house.get("access-log", by="auditor")).json()["items"]
    assert (newest["action"], newest["username"]) == ("dossier", "guilin.supervisor")
    assert newest["case_id"] == case["id"] and newest["reason"].startswith("sha256 ")


async def test_only_supervisor_and_auditor_verify_and_take_dossiers(sqlite_house: House) -> None:
    case = await sqlite_house.told()
    for by in ("guilin.clerk", "guilin.lead", "guilin.centre", "guilin.market.contact"):
        assert (await sqlite_house.get(f"cases/{case['id']}/dossier", by=by)).status_code == 403
        assert (await sqlite_house.post(f"cases/{case['id']}/verify", by=by)).status_code == 403
    for by in ("chengzhong.supervisor", "superior"):
        assert (await sqlite_house.get(f"cases/{case['id']}/dossier", by=by)).status_code == 404
        assert (await sqlite_house.post(f"cases/{case['id']}/verify", by=by)).status_code == 404


async def test_without_the_engine_an_open_case_can_not_be_verified_now(sqlite_house: House) -> None:
    case = await sqlite_house.told()
    async with sqlite_house.down():
        assert (await sqlite_house.post(f"cases/{case['id']}/verify", by="auditor")).status_code == 503


async def test_the_pages_verify_and_hand_out_the_same(sqlite_house: House) -> None:
    case = await sqlite_house.told()
    await head_now(sqlite_house.services, datetime(2026, 3, 9, 15, 50, tzinfo=UTC))
    async with visiting(sqlite_house.app, sqlite_house.services, "guilin.supervisor") as visitor:
        page = await visitor.get(f"/cases/{case['number']}")
        assert "核验本件" in page.text and "下载卷宗" in page.text
        page = await visitor.post(f"/cases/{case['number']}/verify", {})
        assert "台账完好：5 条记录环环相扣，与历次封签相符。" in page.text and "重演一致" in page.text
        taken = await visitor.get(f"/cases/{case['number']}/dossier")
        assert (await verify_dossier(taken.content)).ok
        page = await visitor.get("/evidence")
        assert "2026-03-09" in page.text and SIGNER.public.text in page.text
        file = await visitor.get("/evidence/1.json")
        assert file.json()["head"]["number"] == 1
        assert (await visitor.get("/evidence/2.json")).status_code == 404
    async with visiting(sqlite_house.app, sqlite_house.services, "guilin.lead") as visitor:
        assert "核验本件" not in (await visitor.get(f"/cases/{case['number']}")).text


async def test_the_page_shows_what_the_latest_check_of_all_found(sqlite_house: House) -> None:
    house = sqlite_house
    case = await house.told()
    async with visiting(house.app, house.services, "auditor") as visitor:
        assert "还没有核验过" in (await visitor.get("/evidence")).text
        assert await check_and_record(house.services, lambda: None)
        assert "全部完好" in (await visitor.get("/evidence")).text
        change = "UPDATE events SET type = 'x' WHERE case_id = :c AND seq = 2"
        await Owner(house.services).run(change, c=case["id"])
        assert not await check_and_record(house.services, lambda: None)
        page = (await visitor.get("/evidence")).text
        assert "第 2 条记录被改动" in page and f'href="/cases/{case["id"]}"' in page
        assert "台账校验未通过" in (await visitor.get(f"/cases/{case['number']}")).text


def test_every_finding_has_its_words() -> None:
    """What can be found stands in the docstring of `Finding`; nothing of it is left without words."""
    named = set(re.findall(r"`(\w+)`", Finding.__doc__ or "")) - {"what", "seq", "head", "item"}
    assert named == FOUND
    facts = dict.fromkeys(("head", "held", "last", "run", "error", "file", "key", "after"), 1)
    for what in named:
        assert finding_words(Finding(what, "case", 3, facts | {"day": "2026-03-09", "item": "bulletin/3"})), (
            what
        )


async def test_an_erased_case_keeps_its_chain(sqlite_house: House) -> None:
    """Its texts and histories open no more; hashes, heads and the dossier's proof hold."""
    case = await archived(sqlite_house)
    await settled(sqlite_house.services)
    await head_now(sqlite_house.services, datetime(2026, 3, 9, 15, 50, tzinfo=UTC))
    await Owner(sqlite_house.services).run("DELETE FROM case_secrets WHERE case_id = :c", c=case["id"])
    answer = await verify(sqlite_house, case)
    assert (answer["ledger_ok"], answer["replay_ok"]) == (True, False)
    assert "已随个人信息清除" in answer["detail"]
    (run,) = await histories_of(sqlite_house.services, case["id"])
    assert (run.fault, run.history) == ("history_erased", None)
