"""Every curl of docs/reference/open-api.md, run as it stands there; and the document that is served."""

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import schemathesis

from api import create_app
from casework.integrations import add_integration
from tests.support.house import PASSWORD, House, token_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "open-api.md"
EXAMPLE = re.compile(r"^# (\d{3})\n(curl (?:.|\n)*?)(?=^# \d{3}\n|\Z)", re.MULTILINE)


def examples() -> Iterator[tuple[int, str]]:
    """Each command of the page with the status that it says."""
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        found = EXAMPLE.findall(block)
        assert found, f"no example is read in:\n{block}"
        for status, command in found:
            yield int(status), command


async def run(http: httpx.AsyncClient, command: str, values: Mapping[str, str]) -> httpx.Response:
    """Do what a curl of the page does; an option that this does not know is an error."""
    for name, value in values.items():
        command = command.replace(f"${name}", value)
    words = iter(shlex.split(command)[1:])
    url, headers, data, as_query = "", {}, list[str](), False
    for word in words:
        if word == "-G":
            as_query = True
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data.append(next(words))
        elif word == "--data-urlencode":
            name, _, value = next(words).partition("=")
            data.append(f"{name}={quote_plus(value)}")
        elif word != "-s":
            assert not word.startswith("-") and not url, word
            url = word
    body = "&".join(data)
    if as_query or not data:
        return await http.get(f"{url}?{body}" if body else url, headers=headers)
    # As curl does, whatever the body is.
    sent = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    return await http.post(url, content=body.encode(), headers=sent)


async def test_every_example_of_the_page_gets_the_status_that_it_says(sqlite_house: House) -> None:
    values = {
        "API": "/api",
        "PASSWORD": PASSWORD,
        "CLERK": token_of("guilin.clerk"),
        "HOTLINE": await add_integration(sqlite_house.services, "hotline", "guilin", "12345"),
        "CALLED_AT": (datetime.now(UTC) - timedelta(hours=2)).isoformat(),
    }
    statuses = []
    for status, command in examples():
        answer = await run(sqlite_house.http, command, values)
        assert answer.status_code == status, f"{command}\n{answer.text}"
        statuses.append((status, answer))
    assert len(statuses) > 8
    assert statuses[-1][1].json()["total"] == 1  # the work order is found by its number


def test_the_document_that_is_served_is_valid() -> None:
    document = create_app().openapi()
    flows = document["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]
    # Relative, as OpenAPI allows and the schema does not know: the service is behind any address.
    assert flows["password"].pop("tokenUrl") == "api/token"
    flows["password"]["tokenUrl"] = "https://hall.example/api/token"
    schemathesis.openapi.from_dict(document).validate()
    assert "/api/work-orders" in document["paths"]
