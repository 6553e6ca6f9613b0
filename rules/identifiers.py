"""Check digits of identifiers: a citizen's ID number and an organisation's USCC.

Both are given by people at a counter, so a wrong one is named by what is wrong with it. A result
of None means that nothing is. Source: GB 11643-1999 (公民身份号码), GB 32100-2015 (统一社会信用代码).
"""

import re
from datetime import date

_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
# Weights and check characters of ISO 7064 MOD 11-2, as GB 11643 tabulates them.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"

# No I, O, S, V, Z: they look like digits or like each other.
_USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(rf"[{_USCC_LETTERS}]{{2}}[0-9]{{6}}[{_USCC_LETTERS}]{{10}}")


def plain_identifier(text: str) -> str:
    """Return an identifier as it is stored: letters in upper case."""
    return text.upper()


def id_number_fault(text: str) -> str | None:
    """Return what is wrong with a citizen's ID number of 18 characters (`x` counts as `X`)."""
    number = plain_identifier(text)
    if not _ID.fullmatch(number):
        return "bad_format"
    if not _is_date(number[6:14]):
        return "bad_date"
    total = sum(w * int(digit) for w, digit in zip(_ID_WEIGHTS, number, strict=False))
    return None if _ID_CHECKS[total % 11] == number[17] else "bad_check_digit"


def uscc_fault(text: str) -> str | None:
    """Return what is wrong with a unified social credit code of 18 characters."""
    code = plain_identifier(text)
    if not _USCC.fullmatch(code):
        return "bad_format"
    # Weight i is 3 to the power of i, modulo 31.
    total = sum(_USCC_LETTERS.index(letter) * pow(3, i, 31) for i, letter in enumerate(code[:17]))
    check = _USCC_LETTERS[-total % 31]
    return None if check == code[17] else "bad_check_digit"


def _is_date(digits: str) -> bool:
    try:
        date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    except ValueError:
        return False
    return True
