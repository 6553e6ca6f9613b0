"""One-time first passwords: shown once, stored only as a hash.

They follow from the key of the form that asked for them, so that a double click shows the same one
again instead of losing it. For rights that need two people each of the two gets one half (split
knowledge): neither can sign in as the person concerned.
"""

from casework.services import Services
from models.codes import CODE_ALPHABET

_PURPOSE = "first password"
_GROUP = 4  # characters
_HALF = 8  # characters, 5 bits each: 40 bits against guesses that a lock-out slows down


def whole_password(services: Services, key: str, username: str) -> str:
    """Return the password that an act of one person gives to a user."""
    return _written(services, f"whole:{key}:{username}", 2 * _HALF)


def first_half(services: Services, grant_id: str) -> str:
    """Return the half for whoever asks for a grant."""
    return _written(services, f"first:{grant_id}", _HALF)


def second_half(services: Services, grant_id: str) -> str:
    """Return the half for whoever approves it."""
    return _written(services, f"second:{grant_id}", _HALF)


def joined(services: Services, grant_id: str) -> str:
    """Return both halves as they are typed, one after the other."""
    return f"{first_half(services, grant_id)}-{second_half(services, grant_id)}"


def _written(services: Services, value: str, length: int) -> str:
    # A purpose of its own: no digest that stands in a column is ever one of these.
    number = int(services.keyring.blind_index(_PURPOSE, value), 16)
    letters = ""
    for _ in range(length):
        number, place = divmod(number, len(CODE_ALPHABET))
        letters += CODE_ALPHABET[place]
    return "-".join(letters[i : i + _GROUP] for i in range(0, length, _GROUP))
