"""What a text from outside may hold, wherever it comes from: API, pages, files, command line."""

import re

# NUL and the other control characters except tab and line breaks; the marks that turn the direction
# of writing, with which a text can show something else than it holds (contract.md, Lengths); and
# halves of surrogate pairs, which no database takes.
_UNCLEAN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_clean(text: str) -> bool:
    """Whether the text is free of control characters and of marks that turn its direction."""
    return _UNCLEAN.search(text) is None


def is_code(text: str) -> bool:
    """Whether the text may be the code of a hall, a unit or a user: nothing else is looked up."""
    return _CODE.fullmatch(text) is not None


def text_fault(text: str, longest: int, shortest: int = 1) -> str | None:
    """Return the slug of what is wrong with a text that is trimmed already, None if nothing is."""
    if not is_clean(text):
        return "control_characters"
    if len(text) < shortest:
        return "string_too_short"
    return "string_too_long" if len(text) > longest else None
