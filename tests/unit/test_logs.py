"""Logs: one JSON object a line, readable Chinese, and nothing that was only passing through."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# In a process of its own: logging is configured once for all.
PROGRAM = """
import logging, sys, structlog, logs
from pathlib import Path

file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
logs.configure(file=file)
structlog.get_logger("ours").info("办件登记", number="guilin-20260302-0001")
logging.getLogger("theirs").warning("trouble", extra={"reason": "x" * 10_000})
access = '%s - "%s %s HTTP/%s" %d'
logging.getLogger("uvicorn.access").info(access, "::1", "GET", "/api/cases?q=x", "1.1", 200)

def fail(phone):
    raise ValueError("no such thing")

try:
    fail("1380013" + "8000")
except ValueError:
    structlog.get_logger("ours").exception("failed")
"""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def run(*arguments: str) -> str:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stderr


def test_everybody_writes_json_with_readable_chinese() -> None:
    text = run()
    assert "办件登记" in text
    ours, theirs, failed = lines(text)
    assert (ours["event"], ours["level"], ours["number"]) == ("办件登记", "info", "guilin-20260302-0001")
    assert (theirs["logger"], theirs["level"], len(theirs["reason"])) == ("theirs", "warning", 4000)
    assert "ValueError: no such thing" in failed["exception"]
    assert all(line["timestamp"].endswith("Z") for line in (ours, theirs, failed))


def test_what_passed_through_a_failure_is_not_logged() -> None:
    text = run()
    assert "ValueError" in text
    assert "13800138000" not in text


def test_requests_are_not_logged_with_what_was_searched_for() -> None:
    assert "/api/cases" not in run()


def test_with_a_file_the_screen_gets_warnings_only(tmp_path: Path) -> None:
    screen = run(str(tmp_path / "logs" / "bancheng.log"))
    assert [line["level"] for line in lines(screen)] == ["warning", "error"]
    assert "办件登记" in (tmp_path / "logs" / "bancheng.log").read_text(encoding="utf-8")
