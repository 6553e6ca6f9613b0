"""What was done to the 通报 about a case, in its dossier: printed, packed, and verified by a stranger."""

import asyncio
import io
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from announcing import dossier_lines
from casework.dossier_check import verify_dossier
from tests.integration.test_dossier import dossier, files_of, resigned, said, swapped, verify
from tests.support.house import House, open_house
from tests.support.ledgers import head_now
from tests.support.records import RecordOwner
from tests.support.temporal import TemporalServer
from tests.support.visiting import visiting

EVENING = datetime(2026, 3, 9, 15, 50, tzinfo=UTC)
DAY = timedelta(days=1)
Files = dict[str, bytes]


async def with_bulletin(house: House) -> dict[str, Any]:
    """A case two replies of which were refused: stated on, issued, and covered by a head before and after."""
    case = await house.handled()
    for _ in range(2):
        await house.act(case, "reply", "guilin.market.contact", text="已办。", resolved=True)
        case = await house.act(case, "check_reply", "guilin.lead", accept=False, reason="没有办")
    await head_now(house.services, EVENING)
    (bulletin,) = (await house.get("bulletins", by="auditor")).json()["items"]
    for act, by, body in (
        ("statement", "guilin.market.leader", {"text": "人手不足，已补派。"}),
        ("approve", "guilin.supervisor", {"reason": "两次答复均不属实。"}),
    ):
        answer = await house.post(f"bulletins/{bulletin['id']}/{act}", body, by=by)
        assert answer.status_code == 200, answer.text
    return case | {"bulletin": bulletin["id"]}


@pytest.fixture(scope="module")
def packed(
    furnished_sqlite: Path, temporal_server: TemporalServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Mapping[str, Any], Files]:
    """A case with a bulletin and the files of its dossier, after a head over all of it."""
    folder = tmp_path_factory.mktemp("packed")
    database = shutil.copy(furnished_sqlite, folder / "house.db")

    async def pack() -> tuple[Mapping[str, Any], Files]:
        async with open_house(f"sqlite+aiosqlite:///{database}", temporal_server, folder) as house:
            case = await with_bulletin(house)
            await head_now(house.services, EVENING + DAY)
            return case, files_of(await dossier(house, case))

    return asyncio.run(pack())


async def test_a_dossier_holds_what_was_done_to_the_bulletin(house: House) -> None:
    """On both databases; the head that covers the last act is newer than the one over the case."""
    case = await with_bulletin(house)
    newer = await head_now(house.services, EVENING + DAY)
    assert "通报与典型案例的 3 条处理记录也是" in (await verify(house, case))["detail"]
    content = await dossier(house, case)
    report = await verify_dossier(content)
    assert (report.findings, report.acts, report.events) == ([], 3, len(report_events(content)))
    assert [head.number for head in report.heads] == [1, newer.head.number]
    lines = "\n".join(dossier_lines(report))
    assert newer.head.root in lines and "通报与典型案例的 3 条处理记录" in lines
    (record,) = json.loads(files_of(content)["acts.json"])["items"]
    assert [act["type"] for act in record["acts"]] == ["drafted", "statement", "issued"]
    assert record["acts"][1]["texts"] == {"text": "人手不足，已补派。"}
    assert record["head"]["leaf"]["key"] == f"bulletin/{case['bulletin']}"
    owner = RecordOwner(house.services)
    await owner.rewrite_act("bulletin", case["bulletin"], 2, actor={"role": "deputy_leader"})
    answer = await verify(house, case)
    assert (answer["ledger_ok"], answer["replay_ok"]) == (False, True)
    assert "的第 3 条处理记录与2026-03-10 的台账封签(第 2 号)不符" in answer["detail"]
    assert ("acts_rewritten", 3) in said(await verify_dossier(await dossier(house, case)))


def report_events(content: bytes) -> list[Any]:
    """The events that a dossier holds."""
    return list(json.loads(files_of(content)["events.json"])["events"])


async def test_the_pdf_tells_what_was_decided_and_why(packed: tuple[Mapping[str, Any], Files]) -> None:
    case, files = packed
    pages = PdfReader(io.BytesIO(files["dossier.pdf"])).pages
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    told = ("通报", "敷衍应付", "市场监管局", "已通报", "人手不足，已补派。", "两次答复均不属实。")
    for words in (*told, "单位说明", "审定：予以通报", "〕1", f"通报材料 {case['bulletin']} 第 3 条"):
        assert words in text, words
    (record,) = json.loads(files["acts.json"])["items"]
    assert record["acts"][2]["hash"][:8] in text


async def test_acts_made_anew_are_found_by_chain_and_head(packed: tuple[Mapping[str, Any], Files]) -> None:
    """The manifest is right again, signed with a key of the forger's."""
    _, files = packed

    async def forged(change: Any) -> list[tuple[str, Any]]:
        return said(await verify_dossier(resigned(swapped(files, "acts.json", change))))

    def acts(values: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = values["items"][0]["acts"]
        return found

    assert await forged(lambda v: acts(v)[1].update(type="rejected")) == [("act_changed", 2)]
    assert await forged(lambda v: acts(v)[1].update(at="2026-03-09T00:00:00+00:00")) == [("act_changed", 2)]
    assert await forged(lambda v: acts(v).pop() and None) == [("acts_shortened", 3)]
    assert await forged(lambda v: acts(v).pop(1) and None) == [("act_missing", 2)]
    assert await forged(lambda v: v["items"].clear()) == [("act_missing", 1)]
    assert ("unreadable", "acts.json") in await forged(lambda v: v["items"][0].update(item="x"))
    leafless = await forged(lambda v: v["items"][0]["head"]["leaf"].update(hash="0" * 64))
    assert leafless == [("head_leaves", None)]
    assert await forged(lambda v: acts(v)[0].pop("hash") and None) == [("unreadable", "acts.json")]
    assert await forged(lambda v: {"items": 7}) == [("unreadable", "acts.json")]


async def test_a_dossier_without_its_acts_is_not_whole(packed: tuple[Mapping[str, Any], Files]) -> None:
    """Also where the manifest does not name them; only dossiers of the first format had none."""
    _, files = packed
    manifest = json.loads(files["manifest.json"])
    del manifest["files"]["acts.json"], manifest["acts"]
    left = {name: content for name, content in files.items() if name != "acts.json"}
    without = resigned(left | {"manifest.json": json.dumps(manifest).encode()})
    assert said(await verify_dossier(without)) == [("file_missing", "acts.json")]
    first = resigned(left | {"manifest.json": json.dumps(manifest | {"format": 1}).encode()})
    report = await verify_dossier(first)
    assert (report.findings, report.acts) == ([], 0)


async def test_the_page_of_the_case_counts_the_acts(sqlite_house: House) -> None:
    case = await with_bulletin(sqlite_house)
    async with visiting(sqlite_house.app, sqlite_house.services, "guilin.supervisor") as visitor:
        page = await visitor.post(f"/cases/{case['number']}/verify", {})
        assert "通报与典型案例的 3 条处理记录也是，与历次封签相符。" in page.text
