"""Signatures: only the key that signed verifies, only over the very bytes; no key shows in a message."""

import pytest

from models.signing import PublicKey, PublicKeys, SigningKey, generate_signing_key

SIGNER, OTHER = (SigningKey.parse(generate_signing_key()) for _ in range(2))


def test_a_signature_holds_for_its_key_and_its_bytes_alone() -> None:
    signature = SIGNER.sign(b"root")
    assert SIGNER.public.verifies(signature, b"root")
    assert not SIGNER.public.verifies(signature, b"boot")
    assert not OTHER.public.verifies(signature, b"root")


@pytest.mark.parametrize("signature", ["", "nonsense", "AAAA", "数字", "A" * 88])
def test_what_is_no_signature_does_not_hold(signature: str) -> None:
    assert not SIGNER.public.verifies(signature, b"root")


def test_a_key_survives_being_written_and_read() -> None:
    text = generate_signing_key()
    one, again = SigningKey.parse(text), SigningKey.parse(f" {text}\n")
    assert one.public.text == again.public.text
    assert PublicKey.parse(one.public.text).key_id == one.public.key_id != OTHER.public.key_id


def test_after_a_rotation_the_older_key_still_verifies() -> None:
    old = SIGNER.sign(b"root")
    keys = PublicKeys.parse(f"{SIGNER.public.text}, ") | OTHER.public
    assert keys.verifies(SIGNER.public.key_id, old, b"root")
    assert not keys.verifies(OTHER.public.key_id, old, b"root")
    assert not (PublicKeys.parse("") | OTHER.public).knows(SIGNER.public.key_id)


@pytest.mark.parametrize("text", ["", "x", "c2hvcnQ=", "not base64 at all", "c2VjcmV0" * 20])
def test_a_bad_key_is_refused_without_being_shown(text: str) -> None:
    for parse in (SigningKey.parse, PublicKey.parse):
        with pytest.raises(ValueError, match="key") as refused:
            parse(text)
        assert not text or text not in str(refused.value)


def test_a_signing_key_has_no_secret_in_its_repr() -> None:
    text = generate_signing_key()
    assert text not in repr(SigningKey.parse(text))
