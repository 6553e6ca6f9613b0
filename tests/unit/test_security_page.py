"""The catalogues of docs/security.md: a verdict in each line, and tests that are there behind what holds."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
VERDICTS = {"yes", "partly", "no", "operator"}


def lines(heading: str) -> list[list[str]]:
    """The cells of the catalogue below a heading."""
    section = PAGE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


CATALOGUES = [*lines("OWASP ASVS"), *lines("等保 2.0")]


@pytest.mark.parametrize("line", CATALOGUES, ids=lambda line: line[0].split()[0])
def test_every_line_has_a_verdict_and_what_bears_it_out(line: list[str]) -> None:
    group, verdict, how, tested = line
    assert verdict in VERDICTS, group
    named = re.findall(r"`((?:tests|docs)/[\w/.]+)`", tested)
    assert [name for name in named if not (ROOT / name).exists()] == []
    if verdict in ("yes", "partly"):
        assert how not in ("", "–")
        assert any(name.startswith("tests/") for name in named) or "`docs/" in how
    if verdict in ("partly", "no"):
        assert "missing" in tested or verdict == "no", "what is not met says why"
        assert tested not in ("", "–")


# How many groups each chapter of ASVS 4.0.3 has.
ASVS = {1: 14, 2: 10, 3: 7, 4: 3, 5: 5, 6: 4, 7: 4, 8: 3, 9: 2, 10: 3, 11: 1, 12: 6, 13: 4, 14: 5}
# The groups of 第三级 that the page has line by line, of GB/T 22239-2019, 8.1; the other chapters as a whole.
GRADED = {2: 3, 4: 11, 5: 4}


def groups_of(cell: str) -> list[str]:
    """The numbers at the head of a line: `V9`, `V2.3, V2.5`, `V3.1 to V3.3`, `8.1.6 to 8.1.10`."""
    number = r"V?\d+(?:\.\d+)*"
    heads = re.match(rf"{number}(?:(?:, | to ){number})*", cell)
    assert heads, cell
    found: list[str] = []
    for part in heads[0].split(", "):
        first, _, last = part.partition(" to ")
        stem, _, start = first.rpartition(".")
        end = int((last or first).rpartition(".")[2].lstrip("V"))
        found += [f"{stem}.{each}" for each in range(int(start), end + 1)] if stem else [first]
    return found


def test_every_group_of_asvs_has_one_line() -> None:
    named = [group for line in lines("OWASP ASVS") for group in groups_of(line[0])]
    whole = {group for group in named if "." not in group}
    expected = {
        name
        for chapter, count in ASVS.items()
        for name in ([f"V{chapter}"] if f"V{chapter}" in whole else _numbered(f"V{chapter}", count))
    }
    assert set(named) == expected
    assert len(named) == len(expected)


def test_every_group_of_the_graded_protection_has_a_line() -> None:
    named = {group for line in lines("等保 2.0") for group in groups_of(line[0])}
    expected = {
        name for chapter in range(1, 11) for name in _numbered(f"8.1.{chapter}", GRADED.get(chapter, 0))
    }
    assert named == expected


def _numbered(chapter: str, count: int) -> list[str]:
    return [f"{chapter}.{number}" for number in range(1, count + 1)] or [chapter]


def test_the_example_of_settings_asks_for_the_second_factor_that_the_page_asks_for() -> None:
    (asked,) = re.findall(r"`(BANCHENG_SECOND_FACTOR_ROLES=[\w,]+)` at least", PAGE)
    assert asked in (ROOT / "deploy/example.env").read_text(encoding="utf-8").splitlines()
