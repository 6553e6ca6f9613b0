"""Sealing: what was sealed opens for its purpose only, also after a rotation of keys."""

import base64
import json
import os
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crypto import (
    CODE_ALPHABET,
    CaseKey,
    Keyring,
    UnsealError,
    generate_key,
    hash_code,
    hash_token,
    new_code,
    new_token,
)
from models.petitioner import PHONE_INDEX, PetitionerDetails, open_petitioner, seal_petitioner

# Fixed ones: the names of tests must not differ from one process to the next.
OLD, NEW = (f"{year}:{base64.b64encode(bytes([year % 100] * 32)).decode()}" for year in (2025, 2026))
BEFORE, AFTER = Keyring.parse(OLD), Keyring.parse(f"{NEW},{OLD}")


def secret(entry: str) -> str:
    return entry.partition(":")[2]


@given(st.text(), st.text())
def test_what_was_sealed_opens_for_its_purpose(text: str, purpose: str) -> None:
    assert BEFORE.open_text(BEFORE.seal_text(text, purpose), purpose) == text


def test_old_tokens_open_under_the_new_ring() -> None:
    token = BEFORE.seal(b"13800130001", "phone")
    assert AFTER.open(token, "phone") == b"13800130001"
    assert not AFTER.is_current(token)


def test_new_tokens_are_made_with_the_first_key() -> None:
    token = AFTER.seal(b"13800130001", "phone")
    assert AFTER.is_current(token)
    assert Keyring.parse(NEW).open(token, "phone") == b"13800130001"
    with pytest.raises(UnsealError, match="not in the keyring"):
        BEFORE.open(token, "phone")


def test_a_value_indexed_before_a_rotation_is_still_found() -> None:
    stored = BEFORE.blind_index("phone", "13800130001")
    assert stored in AFTER.blind_indexes("phone", "13800130001")
    assert AFTER.blind_index("phone", "13800130001") == AFTER.blind_indexes("phone", "13800130001")[0]
    assert AFTER.blind_index("phone", "13800130001") != stored


def test_a_token_with_any_byte_changed_is_refused() -> None:
    token = BEFORE.seal("张三".encode(), "name")
    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 1
        with pytest.raises(UnsealError):
            BEFORE.open(bytes(changed), "name")


def test_a_token_with_any_letter_changed_is_refused() -> None:
    token = BEFORE.seal_text("张三", "name")
    for place, letter in enumerate(token):
        for other in {"A", "B", "_", "=", "张"} - {letter}:
            with pytest.raises(UnsealError):
                BEFORE.open_text(token[:place] + other + token[place + 1 :], "name")


@given(st.binary(max_size=60))
def test_what_is_no_token_is_refused(data: bytes) -> None:
    with pytest.raises(UnsealError):
        BEFORE.open(data, "name")


@pytest.mark.parametrize("cut", [0, 1, 2, 6, 17, 18, 33])
def test_a_token_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(UnsealError):
        BEFORE.open(BEFORE.seal(b"", "name")[:cut], "name")


def test_a_token_moved_to_another_column_is_refused() -> None:
    with pytest.raises(UnsealError, match="another purpose"):
        BEFORE.open_text(BEFORE.seal_text("张三", "name"), "phone")


def test_two_tokens_of_one_text_differ() -> None:
    assert BEFORE.seal_text("张三", "name") != BEFORE.seal_text("张三", "name")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no key given"),
        (" , ", "no key given"),
        (secret(OLD), "id:base64key"),
        (f"a key:{secret(OLD)}", "id:base64key"),
        (f":{secret(OLD)}", "id:base64key"),
        ("k1:", "id:base64key"),
        ("k1:not base64!", "k1 is not base64"),
        ("k1:" + base64.b64encode(bytes(16)).decode(), "k1 has 16 bytes instead of 32"),
        (f"{OLD},{OLD}", "2025 stands twice"),
    ],
)
def test_faulty_keys_are_refused_without_showing_them(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as refused:
        Keyring.parse(text)
    assert secret(OLD) not in str(refused.value)


def test_a_generated_key_is_new_and_fits_the_settings() -> None:
    entry = generate_key("2027")
    assert Keyring.parse(entry).key_ids == ("2027",)
    assert entry != generate_key("2027")


def test_keys_may_be_written_in_either_alphabet_of_base64() -> None:
    key = b"\xfb\xff" * 16
    for encoded in (base64.b64encode(key), base64.urlsafe_b64encode(key).rstrip(b"=")):
        ring = Keyring.parse(f" k1:{encoded.decode()} ,")
        assert ring.open(Keyring({"k1": key}).seal(b"x", "p"), "p") == b"x"


def test_a_keyring_prints_no_keys() -> None:
    assert repr(AFTER) == "Keyring(key_ids=('2026', '2025'))"


@pytest.mark.parametrize(
    ("one", "other"),
    [("0773-2800000", "07732800000"), ("1380013 0001", "１３８００１３０００１"), ("Li Lei", "LI LEI")],
)
def test_width_case_and_separators_do_not_hide_a_value(one: str, other: str) -> None:
    assert BEFORE.blind_index("p", one) == BEFORE.blind_index("p", other)


def test_an_index_says_nothing_without_its_purpose() -> None:
    assert BEFORE.blind_index("name", "张三") != BEFORE.blind_index("phone", "张三")


def test_a_case_key_opens_for_its_case_only() -> None:
    key = CaseKey.create()
    wrapped = key.wrap(BEFORE, "case-1")
    token = key.seal_text("材料不齐", "event:3")
    assert CaseKey.unwrap(AFTER, "case-1", wrapped).open_text(token, "event:3") == "材料不齐"
    with pytest.raises(UnsealError):
        CaseKey.unwrap(BEFORE, "case-2", wrapped)
    with pytest.raises(UnsealError):
        CaseKey.create().open_text(token, "event:3")
    with pytest.raises(UnsealError, match="not in the keyring"):
        BEFORE.open(key.seal(b"", "event:3"), "event:3")


def test_a_case_key_seals_a_whole_attachment() -> None:
    key, content = CaseKey.create(), os.urandom(1_000_000)
    assert key.open(key.seal(content, "attachment:1"), "attachment:1") == content


DETAILS = PetitionerDetails("person", "张三", "13800130001", id_number="11010519491231002X")


def test_a_petitioner_is_stored_without_a_clear_word() -> None:
    row = seal_petitioner(DETAILS, "case-1", CaseKey.create(), BEFORE)
    stored = json.dumps(row.model_dump(), ensure_ascii=False)
    for value in ("张三", "13800130001", "0001", "11010519491231002X"):
        assert value not in stored


def test_a_petitioner_opens_again_and_is_found_by_phone() -> None:
    key = CaseKey.create()
    row = seal_petitioner(DETAILS, "case-1", key, BEFORE)
    assert open_petitioner(row, key) == DETAILS
    assert row.phone_index in AFTER.blind_indexes(PHONE_INDEX, "138 0013 0001")


def test_a_petitioner_put_into_another_case_does_not_open() -> None:
    key = CaseKey.create()
    row = seal_petitioner(DETAILS, "case-1", key, BEFORE)
    row.case_id = "case-2"
    with pytest.raises(UnsealError):
        open_petitioner(row, key)


def test_an_erased_petitioner_opens_as_none() -> None:
    row = seal_petitioner(DETAILS, "case-1", CaseKey.create(), BEFORE)
    row.name = row.phone = row.id_number = None
    assert open_petitioner(row, CaseKey.create()) is None


def test_a_petitioner_in_clear_prints_nothing() -> None:
    assert "张三" not in repr(DETAILS)
    assert asdict(DETAILS)["name"] == "张三"


def test_a_query_code_has_80_bits_in_groups() -> None:
    code = new_code()
    groups = code.split("-")
    assert [len(group) for group in groups] == [4, 4, 4, 4]
    assert len(CODE_ALPHABET) == 32  # 5 bits a letter, 16 letters
    assert set("".join(groups)) <= set(CODE_ALPHABET)
    assert len({new_code() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "typed",
    ["7Q2M-0V1K-ABCD-XYZ9", "7q2m0v1kabcdxyz9", " 7Q2M OVIK ABCD XYZ9 ", "７Ｑ２Ｍ－ovlk—abcd·xyz9"],
)
def test_a_query_code_is_known_however_it_is_typed(typed: str) -> None:
    assert hash_code(typed) == hash_code("7Q2M-0V1K-ABCD-XYZ9")


def test_another_query_code_has_another_hash() -> None:
    assert hash_code("7Q2M-0V1K-ABCD-XYZ9") != hash_code("7Q2M-0V1K-ABCD-XYZ8")


def test_a_token_is_stored_as_its_hash_only() -> None:
    token = new_token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert token not in hash_token(token)
    assert hash_token(token) == hash_token(token) != hash_token(new_token())
