"""The health check of the containers: a program of its own, tried against a server that answers anything."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "deploy" / "healthcheck.py"
METRICS = """\
# HELP temporal_num_pollers Pollers
# TYPE temporal_num_pollers gauge
temporal_num_pollers{queue="a"} 0
temporal_num_pollers{queue="b"} 2
temporal_num_pollers_of_others 7
temporal_idle 0
temporal_plain 1.5
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Answers `/metrics`, and `/500` as it says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(500 if self.path == "/500" else 200)
            self.end_headers()
            self.wfile.write(METRICS.encode())

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def check(*arguments: str) -> tuple[int, str]:
    """Run it as the engine does; no package of ours is there to help."""
    command = [sys.executable, "-I", "-S", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_an_answer_is_health(url: str) -> None:
    assert check(f"{url}/healthz") == (0, "")


@pytest.mark.parametrize("metric", ["temporal_num_pollers", "temporal_plain"])
def test_a_metric_above_zero_under_any_label_is_health(url: str, metric: str) -> None:
    assert check(f"{url}/metrics", metric) == (0, "")


@pytest.mark.parametrize("metric", ["temporal_idle", "temporal_num", "missing"])
def test_a_metric_at_zero_or_missing_is_none(url: str, metric: str) -> None:
    code, said = check(f"{url}/metrics", metric)
    assert code == 1 and metric in said and "Traceback" not in said


def test_a_fault_or_no_answer_is_none(url: str) -> None:
    for where in (f"{url}/500", "http://127.0.0.1:1/healthz", "no url"):
        code, said = check(where)
        assert code == 1 and where in said and "Traceback" not in said


def test_it_is_told_what_to_check() -> None:
    assert check()[0] == check("a", "b", "c")[0] == 1
