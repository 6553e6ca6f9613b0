"""schemathesis over the whole OpenAPI document: whatever is sent, the answer is no 5xx.

The house runs behind a real HTTP server in a thread of its own, with its own event loop.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.house import House, open_house, token_of
from tests.support.processes import LOOPBACK, free_port
from tests.support.temporal import TemporalServer

EXAMPLES = 5  # of each operation and mode
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Who gets past the role checks; the others of a path are refused, which is fuzzed as well.
USERS = {
    "/api/calendar": "admin",
    "/api/directory": "admin",
    "/api/access-log": "auditor",
    "/api/bulletins": "guilin.supervisor",
    "/api/figures": "auditor",
    "/api/token": "guilin.clerk2",  # whose token is ended again and again
}
ACTORS = ("guilin.lead", "guilin.clerk", "guilin.market.contact", "guilin.market.leader", "guilin.supervisor")


class Served:
    """The house behind HTTP: its address, and a case at each stage that commands are sent to."""

    def __init__(self, url: str, database_url: str, server: TemporalServer, folder: Path) -> None:
        self.url = url
        self.cases: list[str] = []
        self._opening = (database_url, server, folder)
        self._ready = threading.Event()
        self._http: uvicorn.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> None:
        """Start, and return once it answers."""
        self._thread.start()
        assert self._ready.wait(60), "the house did not open"

    def stop(self) -> None:
        """Stop, and wait for the end."""
        if self._http is not None:
            self._http.should_exit = True
        self._thread.join(60)

    async def _serve(self) -> None:
        async with open_house(*self._opening) as house:
            self.cases = await _cases(house)
            port = int(self.url.rpartition(":")[2])
            config = uvicorn.Config(house.app, LOOPBACK, port, log_level="error", lifespan="off")
            self._http = uvicorn.Server(config)
            serving = asyncio.create_task(self._http.serve())
            while not self._http.started:
                await asyncio.sleep(0.02)
            self._ready.set()
            await serving


async def _cases(house: House) -> list[str]:
    made = [
        await house.file(),
        await house.handled(kind="commitment"),
        await house.told(),
        await house.closed(),
    ]
    return [case["id"] for case in made]


@pytest.fixture
def served(furnished_sqlite_url: str, temporal_server: TemporalServer, tmp_path: Path) -> Iterator[Served]:
    served = Served(f"http://{LOOPBACK}:{free_port()}", furnished_sqlite_url, temporal_server, tmp_path)
    served.start()
    yield served
    served.stop()


@pytest.mark.timeout(300)
def test_no_request_makes_a_server_error(served: Served) -> None:
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    answered: dict[int, int] = {}
    operations = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) > 50
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _fuzz(served, operation, mode, answered)
    assert not [status for status in answered if status >= 500]
    assert {200, 404, 409, 422} <= answered.keys(), "the requests went deep enough"


def _fuzz(served: Served, operation: Any, mode: GenerationMode, answered: dict[int, int]) -> None:
    by = next((user for path, user in USERS.items() if operation.path.startswith(path)), None)
    refs = st.sampled_from(served.cases) | st.none()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), ref=refs, actor=st.sampled_from(ACTORS))
    def send(case: Any, ref: str | None, actor: str) -> None:
        if ref is not None and isinstance(case.path_parameters, dict) and "id" in case.path_parameters:
            case.path_parameters["id"] = ref
        headers = {"Authorization": f"Bearer {token_of(by or actor)}"}
        response = case.call(base_url=served.url, headers=headers)
        answered[response.status_code] = answered.get(response.status_code, 0) + 1
        # Prometheus has a format of its own.
        case.validate_response(response, checks=CHECKS if operation.path != "/metrics" else CHECKS[:1])

    with suppress(Unsatisfiable):  # what takes nothing cannot be given anything wrong
        send()
