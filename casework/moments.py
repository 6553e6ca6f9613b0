"""Instants and the facts of events as readers get them: ISO 8601 on the clock of Shanghai."""

import re
from datetime import datetime
from typing import Any, overload

from rules.calendar import local

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@overload
def shown(at: datetime) -> str: ...
@overload
def shown(at: datetime | None) -> str | None: ...
def shown(at: datetime | None) -> str | None:
    """Return an instant with the offset of Shanghai; None stays None."""
    return None if at is None else local(at).isoformat()


def shown_facts(value: Any) -> Any:
    """Return JSON values with every instant in them on the clock of Shanghai.

    Only for facts: what a person typed is never touched, even where it looks like an instant.
    """
    if isinstance(value, dict):
        return {name: shown_facts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shown_facts(item) for item in value]
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return shown(datetime.fromisoformat(value))
    return value
