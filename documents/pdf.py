"""Typst sources into PDF. Data reaches a source as JSON, never as markup; the fonts come with wheels."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import manimgx_fonts  # type: ignore[import-untyped]
import noto_cjk_sans_otc  # type: ignore[import-untyped]
import typst

Form = Literal["pdf", "svg"]
FOLDER = Path(__file__).parent
# Chinese from the one; emoji and the scripts that it lacks from the other.
FONTS = [Path(package.__file__).parent for package in (noto_cjk_sans_otc, manimgx_fonts)]


async def typeset(source: str, values: Mapping[str, Any]) -> bytes:
    """Return the PDF of a source of this folder; in a thread, since setting it takes a while."""
    return await asyncio.to_thread(set_document, source, values)


def set_document(source: str, values: Mapping[str, Any], form: Form = "pdf") -> bytes:
    """Return a source of this folder as set by Typst; the same values give the same bytes."""
    made: bytes = typst.compile(
        FOLDER / source,
        font_paths=FONTS,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(values, ensure_ascii=False)},
        format=form,
    )
    return made
