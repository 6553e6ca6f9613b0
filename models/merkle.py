"""A Merkle tree over the leaves of a head: one hash for all, and a short proof for each.

A dossier shows with such a proof that a published head covers its case, and tells nothing of other
cases. Leaves and inner nodes are hashed under marks of their own, so that neither passes for the other.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.chain import canonical_bytes

_LEAF, _NODE = b"\0", b"\1"
EMPTY = hashlib.sha256(b"").hexdigest()  # the tree of a head under which nothing moved

Proof = list[tuple[str, str]]


@dataclass(frozen=True, order=True)
class Leaf:
    """What a head holds on to: `hash` of the newest of `seq` things.

    kind `case`: key is the case, `hash` that of event `seq`. kind `act`: key is the bulletin or typical
    case (``bulletin/3``), `hash` that of act `seq` of its record. kind `history`: key is the run, `hash` the
    SHA-256 of its export, `seq` its number of history events. kind `access`: `hash` that of row `seq` of
    the access log, key empty.
    """

    kind: str
    key: str
    seq: int
    hash: str

    @property
    def digest(self) -> bytes:
        """Return the hash of the leaf itself."""
        return hashlib.sha256(_LEAF + canonical_bytes(self.values())).digest()

    def values(self) -> dict[str, Any]:
        """Return the leaf as JSON values."""
        return {"kind": self.kind, "key": self.key, "seq": self.seq, "hash": self.hash}


def tree_of(leaves: Sequence[Leaf]) -> str:
    """Return the root over the leaves, whatever order they come in."""
    level = [leaf.digest for leaf in sorted(leaves)]
    if not level:
        return EMPTY
    while len(level) > 1:
        level = _above(level)
    return level[0].hex()


def proof_of(leaves: Sequence[Leaf], leaf: Leaf) -> Proof:
    """Return what has to be hashed with a leaf, step by step: side (`left`, `right`) and hash.

    Raises ValueError where the leaf is not among them.
    """
    ordered = sorted(leaves)
    at = ordered.index(leaf)
    level = [each.digest for each in ordered]
    steps: Proof = []
    while len(level) > 1:
        other = at ^ 1
        if other < len(level):
            steps.append(("left" if other < at else "right", level[other].hex()))
        level, at = _above(level), at // 2
    return steps


def leads_to(leaf: Leaf, steps: Sequence[Sequence[str]], tree: str) -> bool:
    """Whether a proof leads from the leaf to the root. A malformed proof leads nowhere."""
    node = leaf.digest
    try:
        for side, other in steps:
            sibling = bytes.fromhex(other)
            node = _node(sibling, node) if side == "left" else _node(node, sibling)
    except (TypeError, ValueError):
        return False
    return node.hex() == tree


def _above(level: Sequence[bytes]) -> list[bytes]:
    # A node without a neighbour goes up as it is: doubling it would let two sets share a root.
    return [_node(*level[i : i + 2]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
