"""Whoever adds a list adds it to the list of pages that are measured (benchmarks/page_list.py)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.page_list import NOBODY, PAGES, QUEUES
from casework.viewer import Viewer
from casework.worklists import department_queues, hall_queues, supervision_queues
from rules.case.vocabulary import Role

PACKAGE = Path(__file__).parents[2] / "pages"
TEMPLATES = PACKAGE / "templates"
A_LIST = re.compile(r'class="list"|class="pages"|<tbody|\bcase_table\b|\bpager\b')
# Tables that do not grow with the cases, or whose speed has a figure of its own (docs/performance.md).
NO_LISTS = {
    "account/index.html": "one's own sessions",
    "admin/contact.html": "one line of the contact table",
    "admin/import.html": "what stands in one file",
    "admin/preview.html": "one year of a calendar",
    "case/page.html": "one case",
    "counter/imported.html": "what stands in one file",
    "figures/page.html": "sums: benchmarks/supervision_figures.py",
    "figures/lost.html": "sums: benchmarks/supervision_figures.py",
    "help/help.html": "words",
    "what_if.html": "computed when it is asked for",
}
VIEWERS = {
    "guilin.market.contact": (Role.CONTACT, department_queues),
    "guilin.market.leader": (Role.DEPUTY_LEADER, department_queues),
    "guilin.lead": (Role.WINDOW_LEAD, hall_queues),
    "guilin.centre": (Role.CENTRE, hall_queues),
    "guilin.supervisor": (Role.SUPERVISOR, supervision_queues),
    "auditor": (Role.AUDITOR, supervision_queues),
    "superior": (Role.SUPERIOR, supervision_queues),
}


def list_templates() -> set[str]:
    """The pages that hold a table or a pager, parts of pages left out."""
    whole = (path for path in TEMPLATES.rglob("*.html") if not path.name.startswith("_"))
    lists = (path for path in whole if A_LIST.search(path.read_text("utf-8")))
    found = {path.relative_to(TEMPLATES).as_posix() for path in lists}
    return found - {"macros.html"} - set(NO_LISTS)


def routes() -> Iterator[tuple[str, str]]:
    """Every path of a page with the template that it shows, found in the code of its module."""
    for path in sorted(PACKAGE.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        prefix = _prefix(tree)
        functions = {
            node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for function in functions.values():
            for address in _addresses(function):
                for template in _templates(function, functions, frozenset()):
                    yield prefix + address, template


def _prefix(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "APIRouter":
            return next((str(ast.literal_eval(k.value)) for k in node.keywords if k.arg == "prefix"), "")
    return ""


def _addresses(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for each in function.decorator_list:
        match each:
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(path)), *_]):
                yield path


def _templates(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    known: dict[str, ast.FunctionDef | ast.AsyncFunctionDef],
    seen: frozenset[str],
) -> set[str]:
    """The templates that a function names, or one of its module that it calls."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".html"):
            found |= {name for name in (node.value, f"admin/{node.value}") if (TEMPLATES / name).exists()}
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if called in known and called not in seen | {function.name}:
            found |= _templates(known[called], known, seen | {function.name})
    return found


def paths_of(template: str) -> set[str]:
    return {path for path, shown in routes() if shown == template}


def is_measured(path: str) -> bool:
    """Whether an address of the list is of this path, whatever stands in for its parts."""
    wanted = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
    return any(re.fullmatch(wanted, re.split("[? ]", address)[0]) for _, address in PAGES)


@pytest.mark.parametrize("template", sorted(list_templates()))
def test_every_list_is_measured(template: str) -> None:
    paths = paths_of(template)
    assert paths, f"no page shows {template}"
    assert {path for path in paths if not is_measured(path)} == set()


def test_a_list_that_is_left_out_is_noticed() -> None:
    assert "lists/lessons.html" in list_templates() and paths_of("lists/lessons.html") == {"/lessons"}
    assert is_measured("/bottlenecks/{number}") and not is_measured("/bottlenecks/{number}/more")


def test_what_is_no_list_is_there() -> None:
    assert {name for name in NO_LISTS if not (TEMPLATES / name).exists()} == set()


@pytest.mark.parametrize(("username", "path"), sorted(QUEUES))
def test_every_queue_of_every_role_is_measured(username: str, path: str) -> None:
    role, queues_of = VIEWERS[username]
    viewer = Viewer(username, username, role, "guilin", "market")
    assert QUEUES[username, path].split() == list(queues_of(viewer))


def test_no_page_stands_twice_in_the_list() -> None:
    assert len(PAGES) == len(set(PAGES))
    assert {username for username, path in PAGES if path.startswith("/public")} == {NOBODY}
