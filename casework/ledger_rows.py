"""Rows of chains as verifying reads them: their JSON is parsed once, for its hash and nothing else."""

import hashlib
from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from models.act import Act
from models.base import Base
from models.case import LedgerEvent
from models.chain import ACT_CHAIN, EVENT_CHAIN, Chain, parsed, parsed_bytes

_JSON = frozenset({"actor", "data", "changes", "fired"})


def _column(table: type[Base], name: str) -> Any:
    """A column of a table; JSON as it stands there: it is read by us, once, for its hash."""
    column = col(getattr(table, name))
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


class ChainRows:
    """How the rows of a chain are read: `columns` to select, and the hash of such a row."""

    def __init__(self, table: type[Base], chain: Chain) -> None:
        self._covered = chain.fields
        self.columns: Any = [_column(table, name) for name in (*chain.fields, "prev_hash", "hash")]

    def hash_of(self, row: Any, prev_hash: str) -> str:
        """Return what `Chain.hash` does, of a row whose JSON is still text; no JSON has no hash."""
        try:
            fields = {
                name: parsed(value) if name in _JSON else value
                for name, value in zip(self._covered, row, strict=False)
            }
        except ValueError:
            return ""
        fields["prev_hash"] = prev_hash
        return hashlib.sha256(parsed_bytes(fields)).hexdigest()


EVENT_ROWS = ChainRows(LedgerEvent, EVENT_CHAIN)
ACT_ROWS = ChainRows(Act, ACT_CHAIN)
