"""README.md leads to every page: what nobody finds is not documented."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINKS = set(re.findall(r"\]\((docs/[^)#\s]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("docs", "docs/how-to", "docs/reference")
    for path in (ROOT / folder).glob("*.md")
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_reached_from_the_readme(page: str) -> None:
    assert page in LINKS
