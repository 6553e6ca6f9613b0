"""What is held about one person: all of it, nobody else's, on the access log; and the page about it."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from casework.errors import BadInput, NotFound
from casework.person_export import JSON_FILE, PDF_FILE, Asked, export_person
from casework.viewer import Viewer
from models.access import AccessLog
from pages.person_pdf import person_pdf
from rules.case.vocabulary import Role
from tests.support.house import House
from tests.support.visiting import visiting

AUDITOR = Viewer("auditor", "审计", Role.AUDITOR)
SUPERVISOR = Viewer("guilin.supervisor", "监督", Role.SUPERVISOR, "guilin")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
NAME, PHONE = "欧阳雪莲", "0773-2800011"
PERSON = {"kind": "person", "name": NAME, "phone": PHONE, "id_number": "11010519491231002X"}


async def taken(house: House, by: Viewer, asked: Asked, folder: Path) -> dict[str, bytes]:
    """The files of a copy."""
    out = folder / "copy.zip"
    out.unlink(missing_ok=True)
    await export_person(house.services, by, asked, "本人申请", "10.0.0.1", person_pdf, out)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def logged(house: House) -> list[tuple[str | None, str | None, str | None]]:
    wanted = select(AccessLog).where(AccessLog.action == "person_export").order_by(col(AccessLog.id))
    async with house.services.database.read() as session:
        return [(row.username, row.case_id, row.reason) for row in (await session.exec(wanted)).all()]


async def test_a_copy_holds_all_of_the_person_and_nothing_of_others(house: House, tmp_path: Path) -> None:
    attempt = {"channel": "窗口", "on": "2026-03-01", "where": "二楼", "said": "回去等"}
    case = await house.file(petitioner=PERSON, matter="户口迁移", problem="手续重复", attempts=[attempt])
    sent = await house.request(
        "POST", f"/api/cases/{case['id']}/attachments", files={"file": ("../../身份证.png", PNG)}
    )
    assert sent.status_code == 201, sent.text
    await house.post(f"cases/{case['id']}/unmask", {"reason": "电话联系"}, by="guilin.clerk")
    other = await house.file(by="chengzhong.clerk", petitioner=PERSON, matter="退休手续")
    stranger = await house.file(matter="不相干的事")
    async with house.down():
        waiting = (await house.post("cases", _form("等编号的事"))).json()

    files = await taken(house, AUDITOR, Asked("07732800011"), tmp_path)
    held = json.loads(files[JSON_FILE])
    first, second, third = held["cases"]
    assert [each["number"] for each in held["cases"]] == [case["number"], other["number"], None]
    assert first["petitioner"] == PERSON | {"uscc": None}
    assert (first["matter"], first["problem"]) == ("户口迁移", "手续重复")
    assert first["events"][0]["data"]["attempts"] == [attempt]
    assert first["files"][0]["name"] == "身份证.png"
    assert files[first["files"][0]["file"]] == PNG and first["files"][0]["file"].startswith("files/")
    assert (first["seen_by_staff"][0]["action"], first["seen_by_staff"][0]["reason"]) == (
        "unmask",
        "电话联系",
    )
    assert "guilin.clerk" not in json.dumps(held["cases"], ensure_ascii=False)  # staff are not the person
    assert (third["matter"], second["hall"]) == ("等编号的事", "chengzhong")
    assert stranger["number"] not in files[JSON_FILE].decode()
    assert files[PDF_FILE].startswith(b"%PDF")
    assert await logged(house) == [
        ("auditor", each, "本人申请") for each in (case["id"], other["id"], waiting["id"])
    ]


async def test_a_supervisor_copies_what_lies_in_own_halls_only(sqlite_house: House, tmp_path: Path) -> None:
    case = await sqlite_house.file(petitioner=PERSON)
    await sqlite_house.file(by="chengzhong.clerk", petitioner=PERSON)
    files = await taken(sqlite_house, SUPERVISOR, Asked(PHONE), tmp_path)
    assert [each["number"] for each in json.loads(files[JSON_FILE])["cases"]] == [case["number"]]
    other = Viewer("chengzhong.supervisor", "监督", Role.SUPERVISOR, "chengzhong")
    with pytest.raises(NotFound):
        await taken(sqlite_house, other, Asked("13800139999"), tmp_path)
    assert (await logged(sqlite_house))[-1] == ("chengzhong.supervisor", None, "本人申请")


async def test_a_phone_of_several_people_needs_the_name(sqlite_house: House, tmp_path: Path) -> None:
    """A household's landline: nobody gets a copy of what the others told."""
    mine = await sqlite_house.file(petitioner=PERSON)
    await sqlite_house.file(petitioner=PERSON | {"name": "周大山"})
    with pytest.raises(BadInput, match="several_people"):
        await taken(sqlite_house, AUDITOR, Asked(PHONE), tmp_path)
    files = await taken(sqlite_house, AUDITOR, Asked(PHONE, "欧阳 雪莲"), tmp_path)
    assert [each["number"] for each in json.loads(files[JSON_FILE])["cases"]] == [mine["number"]]


async def test_the_page_gives_the_copy_names_faults_and_places_holds(sqlite_house: House) -> None:
    case = await sqlite_house.file(petitioner=PERSON)
    async with visiting(sqlite_house.app, sqlite_house.services, "guilin.supervisor") as browser:
        form = {"phone": PHONE, "name": "", "reason": "本人申请"}
        got = await browser.post("/personal-data/export", form)
        assert got.status_code == 200 and got.headers["content-type"] == "application/zip"
        assert NAME not in got.headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
            assert archive.testzip() is None and JSON_FILE in archive.namelist()
        for wrong, status, words in (
            ({"phone": "123"}, 422, "格式不正确"),
            ({"reason": ""}, 422, "必填"),
            ({"phone": "13800139999"}, 404, "没有保存这个人的信息"),
        ):
            page = await browser.post("/personal-data/export", form | wrong)
            assert page.status_code == status and words in page.text
        held = {"number": case["number"], "why": "行政复议"}
        for path, sent, status in (
            ("hold", held, 303),
            ("hold", held, 409),
            ("hold", {"number": "guilin-20260101-9999", "why": "x"}, 404),
            ("hold", {"number": case["number"], "why": ""}, 422),
        ):
            assert (await browser.post(f"/personal-data/{path}", sent)).status_code == status, (path, sent)
        assert "行政复议" in (await browser.get("/personal-data")).text
        assert (await browser.post("/personal-data/lift", held)).status_code == 303
        assert "行政复议" not in (await browser.get("/personal-data")).text
    async with visiting(sqlite_house.app, sqlite_house.services, "admin") as browser:
        page = await browser.get("/personal-data")
        assert page.status_code == 200 and "/personal-data/export" not in page.text


def _form(matter: str) -> Mapping[str, Any]:
    return {
        "hall": "guilin",
        "channel": "counter",
        "petitioner": PERSON,
        "matter": matter,
        "problem": "窗口要求重复提交已经共享的证件。",
    }
