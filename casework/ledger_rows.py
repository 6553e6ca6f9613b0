"""Rows of the ledger as verifying reads them: their JSON is parsed once, for its hash and nothing else."""

import hashlib
from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from models.case import LedgerEvent
from models.chain import EVENT_CHAIN, parsed, parsed_bytes

_JSON = frozenset({"actor", "data", "changes", "fired"})


def _column(name: str) -> Any:
    """A column of the ledger; JSON as it stands there: it is read by us, once, for its hash."""
    column = col(getattr(LedgerEvent, name))
    if name not in _JSON:
        return column
    return _AsText(column).label(name)


class _AsText(FunctionElement[str]):
    """JSON as text: a cast on PostgreSQL, nothing on SQLite, which keeps it as text."""

    type = Text()
    inherit_cache = True
    name = "as_text"


@compiles(_AsText, "postgresql")
def _cast(element: _AsText, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS TEXT)"


@compiles(_AsText, "sqlite")
def _as_it_is(element: _AsText, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


_COVERED = EVENT_CHAIN.fields
COLUMNS: Any = [_column(name) for name in (*_COVERED, "prev_hash", "hash")]


def hash_of(row: Any, prev_hash: str) -> str:
    """Return what `EVENT_CHAIN.hash` does, of a row whose JSON is still text; no JSON has no hash."""
    try:
        fields = {
            name: parsed(value) if name in _JSON else value
            for name, value in zip(_COVERED, row, strict=False)
        }
    except ValueError:
        return ""
    fields["prev_hash"] = prev_hash
    return hashlib.sha256(parsed_bytes(fields)).hexdigest()
