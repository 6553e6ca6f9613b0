"""How documents say instants, people and answers; they get ISO 8601 and codes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

NOTHING = "—"
WEEKDAYS = "一二三四五六日"


def moment(at: str | None) -> str:
    """Return an instant to the minute: 2026-10-09 17:30."""
    return NOTHING if at is None else f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M}"


def day(at: str) -> str:
    """Return a date in full: 2026年10月9日(周五)."""
    on: date = datetime.fromisoformat(at).date()
    return f"{on.year}年{on.month}月{on.day}日(周{WEEKDAYS[on.weekday()]})"


def period(start: str, end: str) -> str:
    """Return what a report covers, both ends to the minute."""
    return f"{moment(start)} 之后至 {moment(end)}"


def term(words: Mapping[Any, str], value: Any) -> str:
    """Return the term for a value; one without a term as it is."""
    return NOTHING if value is None else words.get(value, str(value))


def person(one: Mapping[str, Any] | None) -> str:
    """Return somebody of the contact table: name, post, phone."""
    if not one:
        return NOTHING
    return "\n".join(str(one[part]) for part in ("name", "post", "phone") if one.get(part))


def numbered(lines: list[str]) -> str:
    """Return lines, numbered where there are several."""
    if len(lines) < 2:
        return "".join(lines) or NOTHING
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def in_pairs(lines: Sequence[tuple[str, int]]) -> list[list[str]]:
    """Return counts as rows of four cells: two words, each with its count."""
    cells = [cell for word, count in lines for cell in (word, str(count))]
    cells += [""] * (-len(cells) % 4)
    return [cells[start : start + 4] for start in range(0, len(cells), 4)]
