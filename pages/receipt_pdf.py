"""The receipt as a PDF: documents/receipt.typ."""

from collections.abc import Mapping
from typing import Any

from documents.pdf import typeset

SOURCE = "receipt.typ"


async def receipt_pdf(values: Mapping[str, Any]) -> bytes:
    """Return the PDF."""
    return await typeset(SOURCE, values)
