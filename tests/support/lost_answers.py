"""An engine that carries a command out, and whose answer gets lost on the way back."""

from typing import Any

import pytest

from casework.engine import Engine


def lose_answers(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """Have every command fail after it was carried out."""
    carry_out = Engine.command

    async def lost(engine: Engine, *given: Any, **more: Any) -> int:
        await carry_out(engine, *given, **more)
        raise failure

    monkeypatch.setattr(Engine, "command", lost)
