"""A head: what a signature over the whole ledger covers, and how it is written and read as JSON."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from pydantic import TypeAdapter

from models.chain import GENESIS, canonical_bytes
from models.evidence import LedgerHead
from models.merkle import Leaf, tree_of
from models.signing import PublicKeys, SigningKey


@dataclass(frozen=True)
class Head:
    """One signed head; see `models.evidence.LedgerHead` for what its fields mean."""

    number: int
    day: date
    due_at: datetime
    taken_at: datetime
    cases: int
    events: int
    leaves: int
    tree: str
    prev_root: str
    root: str = ""
    key_id: str = ""
    signature: str = ""

    def hash(self) -> str:
        """Return what `root` must be."""
        # Instants as such, not as texts: the database hands them back in another zone.
        values = {**self.__dict__, "day": self.day.isoformat()}
        for name in ("root", "key_id", "signature"):
            del values[name]
        return hashlib.sha256(b"bancheng ledger head\n" + canonical_bytes(values)).hexdigest()

    def values(self) -> dict[str, Any]:
        """Return the head as JSON values."""
        return cast(dict[str, Any], _HEAD.dump_python(self, mode="json"))

    def signed(self, signer: SigningKey) -> "Head":
        """Return the head with its root and signature."""
        root = self.hash()
        named = {**self.__dict__, "root": root, "key_id": signer.public.key_id}
        return Head(**named | {"signature": signer.sign(root.encode())})

    def fault(self, keys: PublicKeys) -> str | None:
        """Return what is wrong with the head itself, None if it is whole and signed by a known key."""
        if self.root != self.hash():
            return "head_changed"
        if not keys.knows(self.key_id):
            return "head_key_unknown"
        return None if keys.verifies(self.key_id, self.signature, self.root.encode()) else "head_unsigned"


@dataclass(frozen=True)
class HeadFile:
    """A head as it is published, with the leaves that its tree stands for; a bare one has none."""

    head: Head
    leaves: tuple[Leaf, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the leaves are those of the tree."""
        return len(self.leaves) == self.head.leaves and tree_of(self.leaves) == self.head.tree

    def write(self) -> bytes:
        """Return the file's content."""
        values = {"head": self.head.values(), "leaves": [leaf.values() for leaf in self.leaves]}
        return json.dumps(values, ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, content: bytes) -> "HeadFile":
        """Return what `write` wrote. Raises ValueError where the content is something else."""
        return _FILE.validate_json(content)


_HEAD = TypeAdapter(Head)
_FILE = TypeAdapter(HeadFile)


def head_of(row: LedgerHead) -> Head:
    """Return the head that a row stores."""
    return Head(**{name: getattr(row, name) for name in Head.__dataclass_fields__})


def next_head(
    before: Head | None,
    leaves: Sequence[Leaf],
    *,
    due_at: datetime,
    day: date,
    taken_at: datetime,
    cases: int,
    events: int,
) -> Head:
    """Return the head after `before` (None: the first), not signed yet."""
    return Head(
        number=before.number + 1 if before else 1,
        day=day,
        due_at=due_at,
        taken_at=taken_at,
        cases=cases,
        events=events,
        leaves=len(leaves),
        tree=tree_of(leaves),
        prev_root=before.root if before else GENESIS,
    )
