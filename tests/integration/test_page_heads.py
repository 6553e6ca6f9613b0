"""HEAD at a page answers as GET does, without a body; what takes no GET, and the API, stay as they were."""

import pytest
from httpx import AsyncClient

from tests.support.office import Office
from tests.support.visiting import visiting


@pytest.fixture
def http(sqlite_office: Office) -> AsyncClient:
    return sqlite_office.http


@pytest.mark.parametrize("path", ["/sign-in", "/public", "/help", "/static/style.css"])
async def test_an_open_page_answers_head_as_get(http: AsyncClient, path: str) -> None:
    got, head = await http.get(path), await http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    for name in ("content-security-policy", "cache-control", "x-content-type-options"):
        assert head.headers.get(name) == got.headers.get(name)


async def test_refusals_and_ways_on_are_those_of_get(sqlite_office: Office, http: AsyncClient) -> None:
    for path in ("/", "/cases", "/account", "/nowhere", "/cases/guilin-20260105-0001"):
        got, head = await http.get(path), await http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers.get("location") == got.headers.get("location")
    app = http._transport.app  # type: ignore[attr-defined]
    async with visiting(app, sqlite_office.services, "guilin.clerk") as clerk:
        for path, status in (("/counter", 200), ("/cases", 200), ("/inbox", 200), ("/admin", 403)):
            assert (await clerk.http.head(path)).status_code == status, path


async def test_what_takes_no_get_takes_no_head(http: AsyncClient) -> None:
    for path in ("/sign-out", "/inbox/read"):
        assert (await http.head(path)).status_code == (await http.get(path)).status_code == 405, path


async def test_the_api_is_left_as_its_document_says(http: AsyncClient) -> None:
    assert (await http.head("/api/me")).status_code == 405
