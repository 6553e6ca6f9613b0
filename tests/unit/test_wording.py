"""Every slug that a client can meet has words for people."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from routes.wording import FAULTS, RULES

ROOT = Path(__file__).parents[2]


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == name:
            yield node


def _texts(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def rules_named() -> set[str]:
    found = set()
    for path in (ROOT / "rules/case").glob("*.py"):
        for call in _calls(ast.parse(path.read_text(encoding="utf-8")), "Illegal"):
            found |= _texts(call.args[2]) if len(call.args) > 2 else set()
    guards = ast.parse((ROOT / "rules/case/guards.py").read_text(encoding="utf-8"))
    for function in ast.walk(guards):
        if (
            isinstance(function, ast.FunctionDef)
            and ast.unparse(function.returns or function) == "str | None"
        ):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    found |= _texts(node.value)
    return found - {"not_armed", "not_due"}  # of alarms, which no client sends


def faults_named() -> set[str]:
    found = {"bad_check_digit", "bad_date", "bad_format"}
    for path in (*(ROOT / "routes").glob("*.py"), *(ROOT / "casework").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in _calls(tree, "fault"):
            found |= {a.value for a in call.args if isinstance(a, ast.Constant)}
    for path in (ROOT / "rules/case").glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and "fault" in function.name:
                for each in ast.walk(function):
                    if isinstance(each, ast.Dict):
                        found |= {v.value for v in each.values if isinstance(v, ast.Constant)}
    return found


@pytest.mark.parametrize("slug", sorted(rules_named()))
def test_every_rule_has_words(slug: str) -> None:
    assert slug in RULES


@pytest.mark.parametrize("slug", sorted(faults_named()))
def test_every_fault_has_words(slug: str) -> None:
    assert slug in FAULTS
