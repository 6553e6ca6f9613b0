"""What one cell of a workbook takes: the guard of everything that writes one. Imports nothing of ours."""

LONGEST = 32_000  # characters of a cell; Excel takes 32,767, and the writer drops what is longer
CUT = "…(内容过长，全文见系统)"


def fitting(text: str) -> str:
    """Return a text as it fits into a cell: one that is too long is cut, and says so at its end."""
    return text if len(text) <= LONGEST else text[: LONGEST - len(CUT)] + CUT
