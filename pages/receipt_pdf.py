"""The receipt as a PDF: documents/receipt.typ, filled with data that Typst never reads as markup."""

import asyncio
from collections.abc import Mapping
from typing import Any

from documents.pdf import Form, set_document


async def receipt_pdf(values: Mapping[str, Any]) -> bytes:
    """Return the PDF; in a thread, since setting it takes a while."""
    return await asyncio.to_thread(set_receipt, values)


def set_receipt(values: Mapping[str, Any], form: Form = "pdf") -> bytes:
    """Return the receipt as set by Typst."""
    return set_document("receipt.typ", values, form)
