"""Documents to print: Typst sources of documents/, filled with data that Typst never reads as markup."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import manimgx_fonts  # type: ignore[import-untyped]
import noto_cjk_sans_otc  # type: ignore[import-untyped]
import typst

import documents

Form = Literal["pdf", "svg"]
FOLDER = Path(documents.__file__).parent
# Chinese from the one; emoji and the scripts that it lacks from the other.
FONTS = [Path(package.__file__).parent for package in (noto_cjk_sans_otc, manimgx_fonts)]


async def typeset(source: str, values: Mapping[str, Any]) -> bytes:
    """Return the PDF of a source by its file name; in a thread, since setting it takes a while."""
    return await asyncio.to_thread(set_document, source, values)


def set_document(source: str, values: Mapping[str, Any], form: Form = "pdf") -> bytes:
    """Return a source as set by Typst."""
    made: bytes = typst.compile(
        FOLDER / source,
        font_paths=FONTS,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(values, ensure_ascii=False)},
        format=form,
    )
    return made
