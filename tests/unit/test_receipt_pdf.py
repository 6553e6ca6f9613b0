"""The receipt on paper: whatever people type is there, as text and to be seen."""

import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from documents.pdf import set_document
from pages.receipt_pdf import SOURCE

BOX = "\ue000"  # of private use: no font has it, so what is drawn is the box for a missing letter
ODD = '#set page("a1") $x$ *b* <script>alert(1)</script>\n=1+1 שלום السلام 𠮷😀👍🏽✅ ก @x \\ `c`'


def values(problem: str) -> dict[str, Any]:
    """What a receipt is made of, with only the problem on it."""
    return {
        "number": "guilin-20260309-0001",
        "code": None,
        "qr": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "site": "https://window.example.cn/public",
        "hall": "桂林",
        "facts": [["反映的问题", problem]],
        "promises": [],
        "notice": [],
        "answer": None,
        "attachments": [],
        "steps": [],
    }


def drawn(problem: str) -> set[str]:
    """The outlines of the letters on the receipt."""
    return set(re.findall(r'<path[^>]* d="([^"]+)"', set_document(SOURCE, values(problem), "svg").decode()))


@pytest.fixture(scope="module")
def box() -> set[str]:
    """The outline of a letter that is missing."""
    found = drawn(BOX) - drawn("")
    assert len(found) == 1
    return found


@pytest.mark.parametrize(
    "text",
    ["个体户注销", "𠮷", "שלום", "السلام", "😀", "👍🏽", "❤️", "🇨🇳", "✅", "☎", "ก", "Ж", "ñ", "→ √ ①"],
)
def test_no_letter_is_a_box(text: str, box: set[str]) -> None:
    outlines = drawn(text)
    assert outlines > drawn("") and not outlines & box


def test_what_was_typed_is_text_and_no_markup() -> None:
    reader = PdfReader(BytesIO(set_document(SOURCE, values(ODD))))
    assert len(reader.pages) == 1
    found = "".join(reader.pages[0].extract_text().split())
    for part in ('#setpage("a1")$x$*b*<script>alert(1)</script>', "=1+1", "𠮷", "😀", "@x\\`c`"):
        assert part in found, part
    # Whoever extracts text may turn it round, but every letter is there.
    assert set("שלוםالسم") <= set(found)
