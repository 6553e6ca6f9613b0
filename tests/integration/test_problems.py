"""Refusals as the contract wants them: problem JSON, every fault with its field, in the right order."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient
from sqlmodel import select, update

from casework.engine import Engine
from models.access import AccessLog, AccessToken
from models.database import Database
from tests.support.office import ADDRESS, Office, faults, no_engine, open_office, services_at, slug

NOTICE = {"off": [], "work": [], "source": "通知"}


@pytest.fixture
def office(sqlite_office: Office) -> Office:
    """How a refusal is worded has nothing to do with the dialect."""
    return sqlite_office


async def test_an_unknown_path_and_a_wrong_method_are_problems_too(office: Office) -> None:
    assert slug(await office.get("nothing")) == (404, "not-found")
    answer = await office.call("PATCH", "me")
    assert slug(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"
    answer = await office.call("PATCH", "calendar/2037")
    assert answer.headers["allow"] == "GET, PUT"


async def test_who_is_not_signed_in_hears_that_first(office: Office) -> None:
    for method, path in (
        ("PUT", "calendar/x?dry_run=perhaps"),
        ("PUT", "directory/nowhere/units/nothing"),
        ("POST", "notifications/read"),
        ("GET", "calendar/due"),
        ("GET", "access-log?page=x"),
    ):
        answer = await office.call(method, path, content=b"{")
        assert slug(answer) == (401, "no-token"), path


async def test_404_comes_before_403_before_422(office: Office) -> None:
    async def put(path: str, username: str) -> tuple[int, str]:
        return slug(await office.call("PUT", path, username, content=b"{"))

    assert await put("calendar/2027?hall=nowhere", "guilin.clerk") == (404, "not-found")
    assert await put("calendar/2027?hall=guilin&dry_run=perhaps", "guilin.clerk") == (403, "forbidden")
    assert await put("calendar/2027?hall=guilin", "admin") == (422, "invalid-input")
    assert await put("directory/guilin/units/nothing", "guilin.clerk") == (404, "not-found")
    assert await put("directory/chengzhong/units/market", "guilin.supervisor") == (404, "not-found")
    assert await put("directory/guilin/units/market", "guilin.clerk") == (403, "forbidden")
    assert await put("directory/guilin/units/market", "guilin.supervisor") == (422, "invalid-input")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", {"off": "missing", "work": "missing", "source": "missing"}),
        (b"{", {"body": "json_invalid"}),
        (b"[]", {"body": "model_type"}),
        (b"null", {"body": "model_type"}),
        (b"\xff", {"body": "json_invalid"}),
        (b"[" * 5000, {"body": "json_invalid"}),
        (
            json.dumps({"off": "x", "work": [1, "2027-02-30"], "source": 7, "数": 1}).encode(),
            {
                "off": "list_type",
                "work.0": "date_type",
                "work.1": "date_parsing",
                "source": "string_type",
                "数": "extra_forbidden",
            },
        ),
        (json.dumps(NOTICE | {"source": "\ud800"}).encode(), {"body": "json_invalid"}),
        (json.dumps(NOTICE | {"a\u202eb": 1}).encode(), {"a?b": "extra_forbidden"}),
    ],
)
async def test_every_fault_of_a_body_is_named_with_its_field(
    office: Office, body: bytes, expected: dict[str, str]
) -> None:
    answer = await office.call("PUT", "calendar/2027", "admin", content=body)
    assert faults(answer) == expected
    for field in expected:
        assert field in answer.json()["detail"]


async def test_a_megabyte_of_text_is_422_and_what_is_far_above_is_not_read(office: Office) -> None:
    long = await office.call("PUT", "calendar/2027", "admin", json=NOTICE | {"source": "长" * 1_000_000})
    assert faults(long) == {"source": "string_too_long"}
    assert len(long.content) < 2000
    huge = await office.call("PUT", "calendar/2027", "admin", content=b" " * 9_000_000)
    assert slug(huge) == (413, "too-large")


async def test_every_fault_of_a_query_is_named(office: Office) -> None:
    answer = await office.get("access-log", "auditor", page=0, per_page="many")
    assert faults(answer) == {"page": "greater_than_equal", "per_page": "int_parsing"}
    answer = await office.get("access-log", "auditor", page=10**30)
    assert faults(answer) == {"page": "less_than_equal"}


async def test_every_answer_has_an_id_that_our_proxy_may_give(office: Office) -> None:
    async def answered(client: tuple[str, int], request_id: str) -> str:
        transport = ASGITransport(office.http._transport.app, client=client)  # type: ignore[attr-defined]
        async with AsyncClient(transport=transport, base_url="http://office") as http:
            answer = await http.get("/healthz", headers={"X-Request-ID": request_id})
        assert answer.headers["x-content-type-options"] == "nosniff"
        return str(answer.headers["x-request-id"])

    assert await answered(("127.0.0.1", 4711), "from-proxy-1") == "from-proxy-1"
    assert await answered(("203.0.113.9", 0), "from-proxy-1") == "from-proxy-1"  # as uvicorn says it
    for client, given in (
        (("203.0.113.9", 4711), "from-nobody-1"),
        (("127.0.0.1", 4711), 'bad"id\t'),
        (("127.0.0.1", 4711), "x" * 41),
        (("127.0.0.1", 4711), "short"),
    ):
        assert re.fullmatch(r"[0-9a-f]{20}", await answered(client, given)), given


async def test_without_a_database_everything_is_503(tmp_path: Path) -> None:
    services = services_at(f"sqlite:///{tmp_path / 'no' / 'folder.db'}", tmp_path)
    async with open_office(services) as office:
        answer = await office.sign_in("guilin.clerk")
        assert slug(answer) == (503, "database-unavailable")
        assert int(answer.headers["retry-after"]) > 0
        answer = await office.call("GET", "me", headers={"Authorization": "Bearer x"})
        assert slug(answer) == (503, "database-unavailable")
        assert (await office.call("GET", "/healthz")).status_code == 200
        ready = await office.call("GET", "/readyz")
        assert slug(ready) == (503, "not-ready")
        assert ready.json()["database"].startswith("unreachable")


async def test_an_outage_of_the_log_hides_no_refusal(office: Office, tmp_path: Path) -> None:
    working = office.services
    async with working.database.begin() as session:  # so long ago that the use of the token is to be noted
        await session.exec(update(AccessToken).values(last_used_at=datetime.now(UTC) - timedelta(days=1)))

    class WithoutWriting(Database):
        """Reads here, and writes into a database that is gone."""

        def begin(self):  # type: ignore[no-untyped-def]
            return Database(f"sqlite:///{tmp_path / 'gone' / 'x.db'}").begin()

        read = working.database.read  # type: ignore[assignment]
        look = working.database.look  # type: ignore[assignment]

    app = office.http._transport.app  # type: ignore[attr-defined]
    app.state.services = replace(working, database=WithoutWriting(f"sqlite:///{tmp_path / 'x.db'}"))
    assert slug(await office.get("access-log", "guilin.clerk")) == (403, "forbidden")


async def test_an_outsider_learns_no_more_than_what_is_away(office: Office) -> None:
    ready = (await office.call("GET", "/readyz")).json()
    assert ready["parts"] == []
    assert "BANCHENG" not in ready["detail"]
    assert slug(await office.call("GET", "/metrics")) == (404, "not-found")


async def test_readiness_names_what_is_missing(office: Office) -> None:
    ready = await office.call("GET", "/readyz")
    assert slug(ready) == (503, "not-ready")
    assert (ready.json()["database"], ready.json()["engine"]) == ("ok", "unreachable")
    assert "流程引擎" in ready.json()["detail"]
    assert (await office.call("GET", "/healthz")).json() == {"status": "alive"}


async def test_metrics_count_requests_by_template(office: Office) -> None:
    await office.get("calendar/2026", "guilin.clerk")
    office.services.watch.operators = [ip_network(f"{ADDRESS}/32")]
    text = (await office.call("GET", "/metrics")).text
    assert 'handler="/api/calendar/{year}"' in text
    assert "process_cpu_seconds_total" in text


async def test_the_document_shows_security_bodies_and_errors(office: Office) -> None:
    document = (await office.call("GET", "/openapi.json")).json()
    assert document["components"]["securitySchemes"]["OAuth2PasswordBearer"]["type"] == "oauth2"
    public = {"/api/token", "/healthz", "/readyz", "/metrics"}
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            secured = bool(call.get("security"))
            assert secured != (path in public or "/public/" in path or "/rehearsal/" in path) or (
                (path, method) == ("/api/token", "delete")
            ), (method, path)
            if secured:
                assert {"401", "422", "503"} <= call["responses"].keys(), (method, path)
    body = document["paths"]["/api/calendar/{year}"]["put"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/YearNotice"}
    assert document["components"]["schemas"]["YearNotice"]["additionalProperties"] is False
    assert "HTTPValidationError" not in json.dumps(document)


async def test_every_reference_of_the_document_leads_somewhere(office: Office) -> None:
    document = (await office.call("GET", "/openapi.json")).json()
    text = json.dumps(document)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in document["components"]["schemas"]


async def test_a_refusal_without_anybody_is_not_logged(office: Office) -> None:
    await office.get("me")
    async with office.services.database.read() as session:
        assert (await session.exec(select(AccessLog))).all() == []


async def test_an_engine_that_nobody_reaches_is_unavailable() -> None:
    assert not await Engine(no_engine).reachable()
