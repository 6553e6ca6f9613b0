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


def test_both_catalogues_are_there_as_a_whole() -> None:
    chapters = {re.match(r"V\d+", line[0])[0] for line in lines("OWASP ASVS")}  # type: ignore[index]
    assert chapters == {f"V{number}" for number in range(1, 15)}
    groups = {line[0].split()[0][:5] for line in lines("等保 2.0")}
    assert {f"8.1.{number}" for number in range(1, 7)} <= {group[:5] for group in groups}
