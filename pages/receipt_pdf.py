"""The receipt as a PDF: documents/receipt.typ, filled with data that Typst never reads as markup."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import manimgx_fonts  # type: ignore[import-untyped]
import noto_cjk_sans_otc  # type: ignore[import-untyped]
import typst

import documents

SOURCE = Path(documents.__file__).parent / "receipt.typ"
# Chinese from the one; emoji and the scripts that it lacks from the other.
FONTS = [Path(package.__file__).parent for package in (noto_cjk_sans_otc, manimgx_fonts)]


async def receipt_pdf(values: Mapping[str, Any]) -> bytes:
    """Return the PDF; in a thread, since setting it takes a while."""
    return await asyncio.to_thread(set_receipt, values)


def set_receipt(values: Mapping[str, Any], form: Literal["pdf", "svg"] = "pdf") -> bytes:
    """Return the receipt as set by Typst."""
    made: bytes = typst.compile(
        SOURCE,
        font_paths=FONTS,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(values, ensure_ascii=False)},
        format=form,
    )
    return made
