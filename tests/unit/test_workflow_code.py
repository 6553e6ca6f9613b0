"""Code that workflows run reads no clock, no randomness and no machine: a replay must come to the same.

Judged by the SDK's own list of what is not the same on a replay. Its sandbox holds that list against modules
that it imports itself; ours would have to pass through, and in those it looks at nothing (ADR 40).
"""

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.worker.workflow_sandbox import SandboxRestrictions

ROOT = Path(__file__).parents[2]
AROUND = {"replaying.py", "runner.py", "telling.py"}  # run by the worker, around the workflows
RUN_BY_WORKFLOWS = [
    *sorted((ROOT / "rules").rglob("*.py")),
    *(path for path in sorted((ROOT / "workflows").glob("*.py")) if path.name not in AROUND),
    *(ROOT / "models" / name for name in ("messages.py", "calendar_values.py")),
]
REFUSED = SandboxRestrictions.default.invalid_module_members
RUNNING: Any = SimpleNamespace(is_runtime=True)


def refused(source: str) -> set[str]:
    """Return the names in a module that the SDK refuses to workflows."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    return {".".join(path) for path in _used(tree, names) if _is_refused(path)}


def _imported(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each name that an import binds, and what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = tuple(alias.name.split("."))
                yield (alias.asname, whole) if alias.asname else (whole[0], whole[:1])
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, (*node.module.split("."), alias.name)


def _used(tree: ast.AST, names: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield what the module uses of its imports and of the builtins, spelt out."""
    yield from names.values()
    for node in ast.walk(tree):
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            if node.id in names:
                yield (*names[node.id], *attributes)
            elif hasattr(builtins, node.id):
                yield ("__builtins__", node.id)


def _is_refused(path: tuple[str, ...]) -> bool:
    return REFUSED.match_access(RUNNING, *path, include_use=True)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import time\ntime.time()", "time.time"),
        ("import datetime as d\nd.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime\nat = datetime.now", "datetime.datetime.now"),
        ("from datetime import date as day\nday.today()", "datetime.date.today"),
        ("def f():\n    from random import choice\n    return choice([1])", "random.choice"),
        ("import uuid\nuuid.uuid4()", "uuid.uuid4"),
        ("from secrets import token_hex", "secrets.token_hex"),
        ("import os\nos.urandom(8)", "os.urandom"),
        ("open('/etc/hostname')", "__builtins__.open"),
    ],
)
def test_what_differs_on_a_replay_is_found(source: str, name: str) -> None:
    assert name in refused(source)


def test_what_a_replay_repeats_is_not() -> None:
    source = "from datetime import UTC, datetime\ndatetime.fromisoformat('2026-01-04').astimezone(UTC)"
    assert refused(source) == set()


@pytest.mark.parametrize("path", RUN_BY_WORKFLOWS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_workflow_code_names_nothing_that_differs_on_a_replay(path: Path) -> None:
    assert refused(path.read_text(encoding="utf-8")) == set()
