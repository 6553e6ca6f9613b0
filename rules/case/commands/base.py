"""What every command is; each registers itself by its name."""

import re
from dataclasses import dataclass
from typing import ClassVar

from rules.case.typed import Text

COMMANDS: dict[str, type["Command"]] = {}


@dataclass(frozen=True, kw_only=True)
class Command:
    """What every command may carry beside its own fields."""

    name: ClassVar[str] = ""
    note: Text | None = None

    def __init_subclass__(cls, name: str = "") -> None:
        """Register the command under `name`, or under the class's name in snake case."""
        cls.name = name or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        COMMANDS[cls.name] = cls
