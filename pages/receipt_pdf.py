"""The receipt as a PDF: documents/receipt.typ, filled with data that Typst never reads as markup."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import noto_cjk_sans_otc  # type: ignore[import-untyped]
import typst

import documents

SOURCE = Path(documents.__file__).parent / "receipt.typ"
FONTS = Path(noto_cjk_sans_otc.__file__).parent


async def receipt_pdf(values: Mapping[str, Any]) -> bytes:
    """Return the PDF; in a thread, since setting it takes a while."""
    return await asyncio.to_thread(_compile, json.dumps(values, ensure_ascii=False))


def _compile(data: str) -> bytes:
    made: bytes = typst.compile(
        SOURCE,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        format="pdf",
    )
    return made
