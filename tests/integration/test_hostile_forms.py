"""What an attacker sends to pages: refused with a 4xx, nothing written, nothing kept on disk."""

import io
import zipfile
from base64 import b32decode
from datetime import datetime

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlmodel import select

from casework.errors import BadInput, TooMany
from casework.file_types import media_type_of
from casework.own_account import remove_second_factor
from casework.second_factor import begin_enrolment, confirm_enrolment
from casework.spreadsheet import BadTable, Workbook
from casework.viewer import Viewer
from models.access import AccessLog
from models.directory import Hall
from rules.case.vocabulary import Role
from tests.support.house import PASSWORD, House
from tests.support.visiting import visiting

MULTIPART = "multipart/form-data; boundary=x"


def _code(secret: str, at: datetime) -> str:
    totp = TOTP(b32decode(secret), 6, SHA1(), 30, enforce_key_length=False)
    return totp.generate(int(at.timestamp())).decode()


@pytest.fixture
def anyone(sqlite_house: House) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(sqlite_house.app, raise_app_exceptions=False), base_url="http://house"
    )


@pytest.mark.parametrize("path", ["/public/track", "/sign-in"])
async def test_a_body_larger_than_any_form_is_not_read(anyone: httpx.AsyncClient, path: str) -> None:
    async def endless() -> object:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"0" * 100_000
        raise AssertionError("read to its end")

    answer = await anyone.post(path, content=endless(), headers={"content-type": MULTIPART})  # type: ignore[arg-type]
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("charset", ["undefined", "unicode_escape", "utf-16"])
async def test_a_form_in_another_encoding_is_refused(anyone: httpx.AsyncClient, charset: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\\ud800\r\n--x--\r\n'
    headers = {"content-type": f"{MULTIPART}; charset={charset}"}
    for path in ("/sign-in", "/public/track"):
        answer = await anyone.post(path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500, path


async def test_a_rating_of_five_thousand_digits_is_a_fault(sqlite_house: House) -> None:
    async with visiting(sqlite_house.app, sqlite_house.services, None) as visitor:
        form = {"query_code": "x", "phone_tail": "0001", "rating": "1" * 5000}
        answer = await visitor.post("/public/rate", form)
    assert 400 <= answer.status_code < 500


async def test_nul_in_places_that_nobody_checks_is_no_fault_of_ours(house: House) -> None:
    async with visiting(house.app, house.services, "admin") as admin:
        for path in ("/admin/users?role=%00", "/admin/users?place=guilin/%00", "/admin/contacts?hall=%00"):
            assert (await admin.get(path)).status_code < 500, path
        assert (await admin.post("/admin/grants/%00/approve", {})).status_code < 500


def test_a_damaged_office_file_is_of_no_kind() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types>" + "x" * 400 + "</Types>")
    content = bytearray(made.getvalue())
    content[50:70] = b"\xff" * 20
    assert media_type_of(bytes(content)) is None


def test_a_cell_that_strayed_to_the_far_corner_is_refused_before_room_is_made() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        rows = '<row><c r="A1"/></row><row><c r="XFD1048576"/></row>'
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>")
    with pytest.raises(BadTable, match="范围过大"):
        Workbook(made.getvalue())


async def test_the_code_of_a_second_factor_cannot_be_guessed_at_its_removal(sqlite_house: House) -> None:
    services, viewer = sqlite_house.services, Viewer("guilin.clerk", "A岗", Role.CLERK, "guilin")
    enrolment = await begin_enrolment(services, viewer)
    now = await services.wall.now()
    await confirm_enrolment(services, viewer, enrolment, _code(enrolment.secret, now), None)
    refused: list[str] = []
    for guess in range(12):
        try:
            await remove_second_factor(services, viewer, PASSWORD, f"{guess:06}", None)
        except (BadInput, TooMany) as refusal:
            refused.append(type(refusal).__name__)
    assert refused[-1] == "TooMany" and refused.count("BadInput") <= 6
    async with services.database.read() as session:
        logged = (await session.exec(select(AccessLog.action))).all()
    assert logged.count("second_factor_refused") == refused.count("BadInput")


async def test_one_admin_alone_widens_nobodys_rights_by_moving_a_hall(sqlite_house: House) -> None:
    async with visiting(sqlite_house.app, sqlite_house.services, "admin") as admin:
        form = {
            "name": "桂林", "level": "city", "parent": "chengzhong",
            "supervision_department": "监督科", "policy_id": "guilin", "hours": "",
        }  # fmt: skip
        answer = await admin.post("/admin/halls/guilin", form)
    assert answer.status_code == 422 and "两人审批" in answer.text
    async with sqlite_house.services.database.read() as session:
        assert (await session.get_one(Hall, "guilin")).parent != "chengzhong"
