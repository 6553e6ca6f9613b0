"""The codec for Temporal's own UI: what a real history holds, for whom, from where, and on the record."""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from httpx import Response
from sqlmodel import col, select

from casework.engine import workflow_id
from casework.engine_reading import ACTION
from models.access import AccessLog
from models.codec import ENCODING
from models.crypto import Keyring, generate_key
from models.directory import Hall, User
from pages.sessions import SESSION
from routes.codec import LARGEST, MOST
from routes.cross_origin import DECODE
from settings import Settings
from tests.support.house import KEYS, House
from tests.support.office import ADDRESS, Office, faults, open_office, services_at, slug
from tests.support.visiting import visiting

UI = "https://hall.example:8443"
ACCESS = "/api/engine-access"
SEALED: dict[str, Any] = {
    "metadata": {"encoding": b64encode(ENCODING).decode()},
    "data": b64encode(b"nothing of ours").decode(),
}


@pytest.fixture
async def ui_office(furnished_sqlite_url: str, tmp_path: Any) -> AsyncIterator[Office]:
    """The API with Temporal's UI beside it."""
    services = replace(services_at(furnished_sqlite_url, tmp_path), temporal_ui=UI)
    async with open_office(services) as opened:
        yield opened


def payloads_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every payload of a history as JSON, as the UI finds them."""
    if isinstance(value, dict):
        if isinstance(value.get("metadata"), dict) and "data" in value:
            yield value
        for each in value.values():
            yield from payloads_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from payloads_of(each)


def told(answer: Response) -> list[dict[str, Any]]:
    """What was opened, each payload's value."""
    assert answer.status_code == 200, answer.text
    return [
        json.loads(b64decode(payload["data"])) for payload in answer.json()["payloads"] if payload["data"]
    ]


async def logged(services: Any) -> list[AccessLog]:
    """The access log's rows of decoding."""
    async with services.database.read() as session:
        wanted = select(AccessLog).where(AccessLog.action == ACTION).order_by(col(AccessLog.id))
        return list((await session.exec(wanted)).all())


async def oversee_all(office: Office) -> None:
    """Put every hall below Guilin, so that its supervisor oversees them all."""
    async with office.services.database.begin() as session:
        for hall in (await session.exec(select(Hall).where(Hall.code != "guilin"))).all():
            hall.parent = "guilin"


async def test_a_real_history_is_opened_and_the_opening_is_on_the_log(sqlite_house: House) -> None:
    """Every payload of a case that was replied to, as the UI would send them."""
    case = await sqlite_house.told()
    client = await sqlite_house.services.engine.client()
    history = await client.get_workflow_handle(workflow_id(case["id"])).fetch_history()
    sealed = list(payloads_of(json.loads(history.to_json())))
    assert (
        sum(payload["metadata"].get("encoding") == SEALED["metadata"]["encoding"] for payload in sealed) > 10
    )
    with sqlite_house.changed(temporal_ui=UI):
        answer = await sqlite_house.post("codec/decode", {"payloads": sealed}, by="auditor")
    values = told(answer)
    assert any(isinstance(value, dict) and value.get("case_id") == case["id"] for value in values)
    assert len(values) > 10
    assert "已补办完毕" in json.dumps(values, ensure_ascii=False)
    (row,) = await logged(sqlite_house.services)
    assert (row.username, row.case_id) == ("auditor", case["id"])
    assert row.reason == f"payloads: {len(sealed)}"


async def test_without_its_setting_there_is_nothing(sqlite_office: Office) -> None:
    for method, path in (("POST", DECODE), ("GET", ACCESS)):
        assert slug(await sqlite_office.call(method, path, "auditor")) == (404, "not-found")
        assert slug(await sqlite_office.call(method, path)) == (401, "no-token")
    assert (await sqlite_office.http.options(DECODE, headers={"Origin": UI})).status_code == 405


@pytest.mark.parametrize("username", ["guilin.clerk", "guilin.lead", "guilin.centre", "admin", "superior"])
async def test_other_roles_read_no_history(ui_office: Office, username: str) -> None:
    body = {"payloads": [SEALED]}
    assert slug(await ui_office.call("POST", DECODE, username, json=body)) == (403, "forbidden")
    assert slug(await ui_office.call("GET", ACCESS, username)) == (403, "forbidden")
    assert await logged(ui_office.services) == []


async def test_a_supervisor_reads_histories_only_who_oversees_every_hall(ui_office: Office) -> None:
    """A payload does not say whose case it is."""
    assert slug(await ui_office.call("GET", ACCESS, "guilin.supervisor")) == (403, "forbidden")
    await oversee_all(ui_office)
    assert (await ui_office.call("GET", ACCESS, "guilin.supervisor")).status_code == 204
    answer = await ui_office.call("POST", DECODE, "guilin.supervisor", json={"payloads": [SEALED]})
    assert answer.status_code == 200
    assert slug(await ui_office.call("GET", ACCESS, "chengzhong.supervisor")) == (403, "forbidden")


async def test_what_our_keys_do_not_open_stays_as_it_is(ui_office: Office) -> None:
    """The rest of the page is shown all the same, and the log says how much was unreadable."""
    plain = {"metadata": {"encoding": b64encode(b"json/plain").decode()}, "data": b64encode(b"1").decode()}
    body = {"payloads": [SEALED, plain], "more": 1}
    answer = await ui_office.call("POST", DECODE, "auditor", json=body)
    assert answer.json() == {"payloads": [SEALED, plain]}
    (row,) = await logged(ui_office.services)
    assert (row.reason, row.case_id, row.address) == ("payloads: 2, unreadable: 1", None, ADDRESS)


async def test_a_payload_under_an_old_key_is_opened(sqlite_house: House) -> None:
    """Keys rotate while histories are kept."""
    case = await sqlite_house.file()
    client = await sqlite_house.services.engine.client()
    history = await client.get_workflow_handle(workflow_id(case["id"])).fetch_history()
    body = {"payloads": list(payloads_of(json.loads(history.to_json())))}
    for keys, opened in ((f"{generate_key('new')},{KEYS}", True), (generate_key("new"), False)):
        with sqlite_house.changed(temporal_ui=UI, keyring=Keyring.parse(keys)):
            answer = await sqlite_house.post("codec/decode", body, by="auditor")
        assert (answer.json() != body) is opened


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"[]",
        b"[" * 100_000,
        b'{"payloads": 1}',
        b'{"payloads": [{"data": "%%%"}]}',
        b'{"payloads": [{"metadata": 5}]}',
        b"\xff\xfe",
        json.dumps({"payloads": [{}] * (MOST + 1)}).encode(),
    ],
    ids=["empty", "text", "list", "deep", "number", "base64", "metadata", "bytes", "many"],
)
async def test_bad_input_is_refused(ui_office: Office, body: bytes) -> None:
    answer = await ui_office.call("POST", DECODE, "auditor", content=body)
    assert faults(answer)
    assert await logged(ui_office.services) == []


async def test_a_body_too_large_is_refused(ui_office: Office) -> None:
    body = b'{"payloads": [{"data": "' + b"A" * LARGEST + b'"}]}'
    assert slug(await ui_office.call("POST", DECODE, "auditor", content=body)) == (413, "too-large")


def preflight(origin: str) -> dict[str, str]:
    asked = {"Method": "POST", "Headers": "content-type,x-namespace,authorization"}
    return {"Origin": origin} | {f"Access-Control-Request-{name}": value for name, value in asked.items()}


async def test_a_browser_may_ask_from_the_ui_and_from_nowhere_else(ui_office: Office) -> None:
    answer = await ui_office.http.options(DECODE, headers=preflight(UI))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert {"authorization", "content-type", "x-namespace"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    for origin in ("https://elsewhere.example", "null", UI + "0", UI.replace("https", "http"), ""):
        answer = await ui_office.http.options(DECODE, headers=preflight(origin))
        assert answer.status_code == 405
        assert not any(name.startswith("access-control-") for name in answer.headers), origin
        assert answer.headers["vary"] == "Origin"
    # Nothing else of ours may be called from there.
    answer = await ui_office.http.options("/api/me", headers=preflight(UI))
    assert not any(name.startswith("access-control-") for name in answer.headers)


async def test_the_ui_may_read_a_refusal_too(ui_office: Office) -> None:
    answer = await ui_office.call("POST", DECODE, headers={"Origin": UI})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, UI)


async def test_the_session_of_the_pages_serves_the_ui_and_no_other_site(ui_office: Office) -> None:
    app = ui_office.http._transport.app  # type: ignore[attr-defined]
    body = {"payloads": [SEALED]}
    async with visiting(app, ui_office.services, "auditor") as auditor:
        assert auditor.http.cookies[SESSION]
        assert (await auditor.http.get(ACCESS)).status_code == 204
        for origin, status in ((UI, 200), ("https://elsewhere.example", 401), (None, 401)):
            headers = {} if origin is None else {"Origin": origin}
            answer = await auditor.http.post(DECODE, json=body, headers=headers)
            assert answer.status_code == status, origin
    async with visiting(app, ui_office.services, "guilin.clerk") as clerk:
        assert (await clerk.http.get(ACCESS)).status_code == 403
        assert (await clerk.http.post(DECODE, json=body, headers={"Origin": UI})).status_code == 403
    async with visiting(app, ui_office.services, None) as nobody:
        assert (await nobody.http.get(ACCESS)).status_code == 401


async def test_who_owes_a_new_password_sees_nothing_yet(ui_office: Office) -> None:
    async with ui_office.services.database.begin() as session:
        (await session.get_one(User, "auditor")).must_change_password = True
    answer = await ui_office.call("GET", ACCESS, "auditor")
    assert slug(answer) == (403, "password-change-needed")


def test_the_setting_is_an_origin_and_nothing_more() -> None:
    assert Settings(temporal_ui_origin=UI).temporal_ui_origin == UI
    assert Settings(temporal_ui_origin="http://127.0.0.1:8080").temporal_ui_origin
    for wrong in (
        UI + "/",
        "https://Hall.example",
        "http://hall.example",
        "*",
        "https://a.example/ui",
        "null",
    ):
        with pytest.raises(ValueError, match="temporal_ui_origin"):
            Settings(temporal_ui_origin=wrong)
