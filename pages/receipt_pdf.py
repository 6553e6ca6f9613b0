"""The receipt as a PDF: documents/receipt.typ."""

from collections.abc import Mapping
from typing import Any

from documents.pdf import Form, set_document, typeset

SOURCE = "receipt.typ"


async def receipt_pdf(values: Mapping[str, Any]) -> bytes:
    """Return the PDF."""
    return await typeset(SOURCE, values)


def set_receipt(values: Mapping[str, Any], form: Form = "pdf") -> bytes:
    """Return the receipt as set by Typst."""
    return set_document(SOURCE, values, form)
