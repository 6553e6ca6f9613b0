"""A test that fails and then hangs while it tidies up must not hold up the whole run."""

import subprocess
import sys
from pathlib import Path

HANGS = """
import threading
import pytest

@pytest.fixture
def hanging():
    yield
    threading.Event().wait()

def test_fails(hanging):
    assert False
"""

# The limit of the test itself, as a failing test loses it.
OPTIONS = ("-p", "tests.support.limits", "-p", "no:cacheprovider", "--timeout", "2")


def test_a_failed_test_that_hangs_in_its_teardown_is_ended_and_named(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text(HANGS, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        "from tests.support import limits\nlimits.TEARDOWN_WITHIN = 1\n", encoding="utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", tmp_path, *OPTIONS, tmp_path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert "test_hangs.py" in run.stderr
    assert "in hanging" in run.stderr
