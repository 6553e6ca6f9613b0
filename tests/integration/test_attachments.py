"""Files of a case: judged by content, bounded, sealed, handed out as downloads only."""

import hashlib
from typing import Any

import pytest

from casework.attachments import LARGEST
from casework.engine import EngineUnavailable
from rules.case.errors import Illegal
from tests.support.house import House
from tests.support.lost_answers import lose_answers
from tests.unit.test_file_types import FILES, docx, xlsx

PDF = b"%PDF-1.7\n" + "内容".encode() * 100


async def upload(
    house: House, case: dict[str, Any], content: bytes = PDF, name: str = "证明.pdf", by: str = "guilin.clerk"
) -> Any:
    files = {"file": (name, content, "application/octet-stream")}
    return await house.request("POST", f"/api/cases/{case['id']}/attachments", by=by, files=files)


def named(name: bytes) -> bytes:
    """An upload whose file has this name, whatever a client would make of it."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    return head + PDF + b"\r\n--x--\r\n"


async def test_a_file_is_added_listed_and_downloaded(house: House) -> None:
    case = await house.handled()
    added = await upload(house, case, by="guilin.market.contact")
    item = added.json()
    digest = hashlib.sha256(PDF).hexdigest()
    assert added.status_code == 201
    assert item == {
        "id": item["id"],
        "name": "证明.pdf",
        "size": len(PDF),
        "sha256": digest,
        "media_type": "application/pdf",
    }
    listed = (await house.get(f"cases/{case['id']}/attachments")).json()["items"]
    assert [{k: each[k] for k in item} for each in listed] == [item]
    got = await house.get(f"cases/{case['id']}/attachments/{item['id']}")
    assert got.content == PDF
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["x-content-type-options"] == "nosniff"
    disposition = got.headers["content-disposition"]
    assert disposition.startswith("attachment;") and "filename*=UTF-8''%E8%AF%81%E6%98%8E.pdf" in disposition
    events = (await house.get(f"cases/{case['id']}/events")).json()["items"]
    event = events[-1]
    assert event["type"] == "attach" and event["actor"]["username"] == "guilin.market.contact"
    assert event["data"]["sha256"] == digest and event["data"]["file_name"] == "证明.pdf"
    log = (await house.get("access-log", by="auditor")).json()["items"]
    assert [(e["action"], e["username"], e["case_id"]) for e in log] == [
        ("download", "guilin.clerk", case["id"])
    ]


@pytest.mark.parametrize("failure", [EngineUnavailable("no answer in time"), Illegal("attach", "archived")])
async def test_a_file_that_is_in_the_ledger_was_added_whatever_the_engine_said(
    house: House, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    case = await house.handled()
    lose_answers(monkeypatch, failure)
    added = await upload(house, case)
    assert added.status_code == 201
    listed = (await house.get(f"cases/{case['id']}/attachments")).json()["items"]
    assert [each["id"] for each in listed] == [added.json()["id"]]
    assert (await house.get(f"cases/{case['id']}/attachments/{added.json()['id']}")).content == PDF


async def test_files_lie_sealed_under_their_digest(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    item = (await upload(sqlite_house, case)).json()
    stored = [path for path in sqlite_house.services.attachments.rglob("*") if path.is_file()]
    assert [path.name for path in stored] == [item["sha256"]]
    assert PDF[:20] not in stored[0].read_bytes() and stored[0].stat().st_mode & 0o077 == 0


async def test_content_decides(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    taken = 0
    for content, media_type, what in FILES:
        answer = await upload(sqlite_house, case, content, name="bild.png")
        assert answer.status_code == (201 if media_type else 415), what
        if media_type:
            assert answer.json()["media_type"] == media_type
            taken += 1
    listed = (await sqlite_house.get(f"cases/{case['id']}/attachments")).json()["items"]
    assert len(listed) == taken


@pytest.mark.parametrize(("content", "ending"), [(PDF, "pdf"), (docx(), "docx"), (xlsx(), "xlsx")])
async def test_a_download_opens_as_what_it_is(sqlite_house: House, content: bytes, ending: str) -> None:
    case = await sqlite_house.file()
    item = (await upload(sqlite_house, case, content, name="C:\\scan\\'x' 1.exe")).json()
    assert item["name"] == "'x' 1.exe"
    got = await sqlite_house.get(f"cases/{case['id']}/attachments/{item['id']}")
    disposition = got.headers["content-disposition"]
    assert (
        disposition
        == f"attachment; filename=\"attachment.{ending}\"; filename*=UTF-8''%27x%27%201.exe.{ending}"
    )


async def test_a_file_has_a_largest_size(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    exact = PDF + b"\0" * (LARGEST - len(PDF))
    assert (await upload(sqlite_house, case, exact)).status_code == 201
    for more in (1, 10_000_000):
        answer = await upload(sqlite_house, case, exact + b"\0" * more)
        assert (answer.status_code, answer.json()["type"]) == (413, "too-large")
    assert len((await sqlite_house.get(f"cases/{case['id']}/attachments")).json()["items"]) == 1


async def test_a_case_has_ten_files(house: House) -> None:
    case = await house.file()
    for number in range(10):
        answer = await upload(house, case, PDF + str(number).encode())
        assert answer.status_code == 201
    answer = await upload(house, case, PDF + b"11")
    assert (answer.status_code, answer.json()["rule"]) == (409, "attachments_full")
    assert answer.json()["case_status"] == "registered" and "attach" not in answer.json()["allowed"]
    assert len((await house.get(f"cases/{case['id']}/attachments")).json()["items"]) == 10
    digests = [path.name for path in house.services.attachments.rglob("*") if path.is_file()]
    assert len(digests) == 10, "the refused file is gone"


async def test_the_same_file_twice_is_two_attachments_of_one_content(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    first, second = [(await upload(sqlite_house, case, name=f"{n}.pdf")).json() for n in (1, 2)]
    assert first["sha256"] == second["sha256"] and first["id"] != second["id"]
    await sqlite_house.act(case, "withdraw", "guilin.clerk", reason="r")
    assert (await upload(sqlite_house, case)).status_code == 409
    for item in (first, second):
        got = await sqlite_house.get(f"cases/{case['id']}/attachments/{item['id']}")
        assert got.content == PDF


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ({"other": ("a.pdf", PDF)}, "file"),
        ({"file": ("\u202efdp.exe", PDF)}, "file"),
        ({"file": ("x" * 101, PDF)}, "file"),
        ({"file": ("  /", PDF)}, "file"),
    ],
)
async def test_a_bad_upload_is_422(sqlite_house: House, files: dict[str, Any], field: str) -> None:
    case = await sqlite_house.file()
    answer = await sqlite_house.request("POST", f"/api/cases/{case['id']}/attachments", files=files)
    assert answer.status_code == 422
    assert field in {fault["field"] for fault in answer.json()["errors"]}
    assert (await sqlite_house.get(f"cases/{case['id']}/attachments")).json() == {"items": []}


NO_UPLOADS: list[tuple[str, bytes]] = [
    ("multipart/form-data", b"--x\r\n"),
    ("multipart/form-data; boundary=x", b"rubbish"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n"),
    ("multipart/form-data; boundary=x", named(b"a\x00.pdf")),
    ("multipart/form-data; boundary=x", named(b"a\x1b.pdf")),
    ("multipart/form-data; boundary=x", named(b"")),
    ("application/json", b"{}"),
    ("application/pdf", PDF),
]


async def test_what_is_no_upload_is_422(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    for content_type, content in NO_UPLOADS:
        answer = await sqlite_house.request(
            "POST",
            f"/api/cases/{case['id']}/attachments",
            headers={"Content-Type": content_type},
            content=content,
        )
        assert answer.status_code == 422, content_type


@pytest.mark.parametrize(
    ("by", "status"),
    [
        (None, 401),
        ("chengzhong.clerk", 404),
        ("guilin.housing.contact", 404),
        ("auditor", 403),
        ("admin", 404),
        ("guilin.supervisor", 201),
        ("guilin.centre", 201),
    ],
)
async def test_who_may_add_a_file(sqlite_house: House, by: str, status: int) -> None:
    case = await sqlite_house.file()
    assert (await upload(sqlite_house, case, by=by)).status_code == status
    if status != 201:
        assert not [path for path in sqlite_house.services.attachments.rglob("*") if path.is_file()]


async def test_without_the_engine_a_file_is_not_half_there(house: House) -> None:
    case = await house.file()
    async with house.down():
        assert (await upload(house, case)).status_code == 503
    assert (await house.get(f"cases/{case['id']}/attachments")).json() == {"items": []}


async def test_a_file_of_another_case_is_404(sqlite_house: House) -> None:
    mine, other = await sqlite_house.file(), await sqlite_house.file()
    item = (await upload(sqlite_house, other)).json()
    for ref in (item["id"], "x", "%00"):
        assert (await sqlite_house.get(f"cases/{mine['id']}/attachments/{ref}")).status_code == 404
