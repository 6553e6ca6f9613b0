"""The documents agree with the code: settings, commands, alarms, errors, folders, files and links."""

import ast
import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from routes.wording import PROBLEMS, ROLES
from rules.case.commands import COMMANDS
from rules.case.permits import PERMITS
from rules.case.vocabulary import OPEN
from rules.words import CAUSE, KIND, LEVEL, LIGHT, OUTCOME, STATUS
from settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
ADRS = sorted((DOCS / "adr").glob("*.md"))
PACKAGES = ("rules", "models", "activities", "workflows", "casework", "routes", "pages")
CODE = re.compile(r"`([^`]+)`")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _rows(page: str, *headings: str) -> list[list[str]]:
    """The cells of the table whose heading row begins with these words."""
    found: list[list[str]] | None = None
    for line in _read(DOCS / page).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if found is None:
            if tuple(cells[: len(headings)]) == headings:
                found = []
        elif not line.startswith("|"):
            break
        elif not set(line) <= set("|- "):
            found.append(cells)
    assert found, f"{page} has no table {headings}"
    return found


def _coded(cell: str) -> set[str]:
    return set(CODE.findall(cell))


def _first(rows: Iterable[list[str]]) -> list[str]:
    return [CODE.findall(row[0])[0] for row in rows]


def _constants(path: str) -> set[str]:
    """The texts that a module holds, without its docstrings."""
    tree = ast.parse(_read(ROOT / path))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
    }


def _named_rules(path: Path) -> set[str]:
    """The rules that a module of the decider refuses by: the third argument of `Illegal`."""
    calls = (node for node in ast.walk(ast.parse(_read(path))) if isinstance(node, ast.Call))
    return {
        str(call.args[2].value)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "Illegal"
        and len(call.args) > 2
        and isinstance(call.args[2], ast.Constant)
    }


def test_every_setting_is_documented_and_no_other() -> None:
    names = _first(_rows("reference/settings.md", "variable", "default"))
    assert sorted(names) == sorted(f"BANCHENG_{name.upper()}" for name in Settings.model_fields)


def test_the_documented_defaults_are_those_of_the_code() -> None:
    written = {row[0].strip("`"): row[1] for row in _rows("reference/settings.md", "variable", "default")}
    for name, field in Settings.model_fields.items():
        shown = written[f"BANCHENG_{name.upper()}"].strip("`")
        if isinstance(field.default, int) or field.default not in (None, "", Path("data")):
            assert shown == str(field.default), name
        if field.default == "":
            assert shown == "empty", name


def test_every_command_is_documented_with_its_roles_and_statuses() -> None:
    rows = _rows("reference/commands.md", "command", "who", "from")
    assert sorted(_first(rows)) == sorted(COMMANDS) == sorted(PERMITS)
    for name, row in zip(_first(rows), rows, strict=True):
        permit = PERMITS[name]
        assert _coded(row[1]) == set(permit.roles), name
        statuses = _coded(row[2]) | (set(OPEN) if "*open*" in row[2] else set())
        assert statuses == set(permit.statuses), name


def test_every_alarm_is_documented_and_no_other() -> None:
    snake_case = re.compile(r"[a-z]+(_[a-z0-9]+)+")
    names = {text for text in _constants("rules/case/alarms.py") if snake_case.fullmatch(text)}
    assert sorted(_first(_rows("reference/alarms.md", "name", "instance"))) == sorted(names)


def test_every_alarm_stands_in_the_glossary() -> None:
    explained = {name for row in _rows("glossary.md", "code name", "meaning") for name in _coded(row[0])}
    assert set(_first(_rows("reference/alarms.md", "name", "instance"))) == explained


ON_SCREEN = {
    "Status": STATUS,
    "Kind": KIND,
    "Level, light, outcome": LEVEL | LIGHT | OUTCOME,
    "Cause": CAUSE,
    "Who": {role.value: words for role, words in ROLES.items()},
}


@pytest.mark.parametrize("section", ON_SCREEN)
def test_the_glossary_has_the_words_that_people_read_on_screen(section: str) -> None:
    part = _read(DOCS / "glossary.md").split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.split("|")[1:3]]
        for line in part.splitlines()
        if line.startswith("| `")
    ]
    words = {CODE.findall(name)[0]: word for name, word in rows}
    assert words == ON_SCREEN[section]


def test_every_problem_type_is_documented_and_no_other() -> None:
    sources = [path for folder in ("routes", "casework") for path in (ROOT / folder).glob("*.py")]
    code = "".join(_read(path) for path in sources if path.name != "wording.py")
    sent = [slug for slug in PROBLEMS if f'"{slug}"' in code]
    assert sorted(_first(_rows("reference/errors.md", "type", "status"))) == sorted(sent)


def test_every_rule_that_refuses_is_documented_and_no_other() -> None:
    merging = {text for text in _constants("rules/case/intake.py") if text.startswith("merge_")}
    guards = {text for text in _constants("rules/case/guards.py") if re.fullmatch(r"[a-z_]+", text)}
    handlers = {
        rule
        for path in (ROOT / "rules" / "case").glob("*.py")
        if path.name != "decide.py"  # refuses alarms that were not armed: no client sees that
        for rule in _named_rules(path)
    }
    commands = {rule for row in _rows("reference/commands.md", "command") for rule in _coded(row[4])}
    assert commands == merging | guards | handlers
    assert set(_first(_rows("reference/errors.md", "rule", "meaning"))) == commands | {"status"}


def test_every_folder_and_program_at_the_top_is_explained() -> None:
    ignored = [pattern.strip("/") for pattern in _read(ROOT / ".gitignore").splitlines()]
    present = {
        path.name + "/" * path.is_dir()
        for path in ROOT.iterdir()
        if (path.is_dir() or path.suffix == ".py")
        and path.name != ".git"
        and not any(fnmatch(path.name, pattern) for pattern in ignored)
    }
    explained = {name for row in _rows("architecture.md", "file or folder") for name in _coded(row[0])}
    assert present - explained == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_of_a_package_has_its_line(package: str) -> None:
    """Whoever looks for the place of a change finds each module by what it holds."""
    text = _read(DOCS / "architecture.md")
    modules = {_name(path) for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"}
    # A router is found by its resource.
    routers = {name for name in modules if package == "routes" and "APIRouter(" in _read(ROOT / name)}
    assert {name for name in modules - routers if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_a_page_names_no_file_that_is_not_there(page: Path) -> None:
    tops = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir())
    inside = re.compile(rf"(?:{tops})/[\w./-]*")
    named = {code.rstrip("/") for code in CODE.findall(_read(page)) if inside.fullmatch(code)}
    named |= {code for code in CODE.findall(_read(page)) if re.fullmatch(r"\w+\.(?:py|toml)", code)}
    places = [ROOT, *(ROOT / package for package in ("rules/case", "policies", "migrations"))]
    missing = {name for name in named if not any((place / name).exists() for place in places)}
    # What is made at a first start or first run, and so may not be there yet.
    assert missing - {"data", "data/attachments"} == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        led = (page.parent / path).resolve() if path else page
        assert led.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", _read(led), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


@pytest.mark.parametrize("page", ADRS, ids=lambda page: page.name)
def test_a_decision_is_one_page_of_one_shape(page: Path) -> None:
    text = _read(page)
    assert len(text.splitlines()) < 50
    assert re.search(r"^Status: \w+.* · Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections == ["Context", "Decision", "Consequences", "Alternatives"]
    assert text.startswith(f"# {int(page.name[:4])}. ")


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.name[:4]) for page in ADRS] == list(range(1, len(ADRS) + 1))
