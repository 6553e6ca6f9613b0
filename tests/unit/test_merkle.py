"""The tree over a head's leaves: any change shows, and each leaf has a proof that no other has."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.merkle import EMPTY, Leaf, leads_to, proof_of, tree_of

NAMES = st.text("abc", min_size=1, max_size=4)
HASHES = st.integers(0, 2**32).map(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
LEAVES = st.lists(
    st.builds(Leaf, kind=st.just("case"), key=NAMES, seq=st.integers(1, 9), hash=HASHES),
    min_size=1,
    max_size=40,
    unique_by=lambda leaf: leaf.key,
)


def leaf(number: int) -> Leaf:
    return Leaf("case", f"case-{number}", number, hashlib.sha256(bytes([number])).hexdigest())


def test_nothing_has_a_tree_of_its_own() -> None:
    assert tree_of([]) == EMPTY != tree_of([leaf(1)])


@given(LEAVES)
def test_the_order_does_not_matter(leaves: list[Leaf]) -> None:
    assert tree_of(leaves) == tree_of(leaves[::-1])


@given(LEAVES)
def test_every_leaf_is_proved(leaves: list[Leaf]) -> None:
    tree = tree_of(leaves)
    assert all(leads_to(each, proof_of(leaves, each), tree) for each in leaves)


@given(LEAVES, st.data())
def test_a_changed_leaf_is_not_proved(leaves: list[Leaf], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(leaves))
    proof, tree = proof_of(leaves, one), tree_of(leaves)
    changed = data.draw(
        st.sampled_from(
            [{"seq": one.seq + 1}, {"key": one.key + "x"}, {"kind": "history"}, {"hash": "0" * 64}]
        )
    )
    other = replace(one, **changed)
    assert not leads_to(other, proof, tree)
    assert tree_of([other if each == one else each for each in leaves]) != tree


@pytest.mark.parametrize("count", range(1, 10))
def test_a_missing_leaf_or_a_doubled_one_changes_the_tree(count: int) -> None:
    leaves = [leaf(number) for number in range(count)]
    assert tree_of(leaves) != tree_of(leaves[:-1])
    assert tree_of(leaves) != tree_of([*leaves, leaves[-1]])


@pytest.mark.parametrize("proof", [[("left",)], [("left", "zz")], [(1, 2)], [None], ["ab"]])
def test_a_malformed_proof_leads_nowhere(proof: list[object]) -> None:
    assert not leads_to(leaf(1), proof, tree_of([leaf(1)]))  # type: ignore[arg-type]


def test_what_is_not_there_has_no_proof() -> None:
    with pytest.raises(ValueError, match="not in list"):
        proof_of([leaf(1)], leaf(2))
