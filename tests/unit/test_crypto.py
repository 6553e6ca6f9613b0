"""Sealing: what was sealed opens for its purpose only, also after a rotation of keys."""

import base64
import json
import os
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.codes import CODE_ALPHABET, hash_code, hash_token, new_code, new_token
from models.crypto import (
    CaseKey,
    Keyring,
    KeysNotRead,
    UnsealError,
    byte_start,
    generate_key,
    key_id_of,
    token_starts,
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
    with pytest.raises(UnsealError, match="not in the keyring"):
        Keyring.parse(NEW).open(token, "phone")


def test_new_tokens_are_made_with_the_first_key() -> None:
    token = AFTER.seal(b"13800130001", "phone")
    assert Keyring.parse(NEW).open(token, "phone") == b"13800130001"
    with pytest.raises(UnsealError, match="not in the keyring"):
        BEFORE.open(token, "phone")


def test_a_value_indexed_before_a_rotation_is_still_found() -> None:
    stored = BEFORE.blind_index("phone", "13800130001")
    assert stored in AFTER.blind_indexes("phone", "13800130001")
    assert AFTER.blind_index("phone", "13800130001") == AFTER.blind_indexes("phone", "13800130001")[0]
    assert AFTER.blind_index("phone", "13800130001") != stored


def learnt(entries: str, index: bytes = b"i" * 32, **retired: str) -> Keyring:
    """A ring that has read what the database keeps."""
    ring = Keyring.parse(entries)
    ring.learn(index, {key_id: base64.b64decode(key) for key_id, key in retired.items()})
    return ring


def test_the_index_of_the_house_stays_when_keys_rotate() -> None:
    before, after = learnt(OLD), learnt(NEW)
    assert before.blind_index("phone", "13800130001") == after.blind_index("phone", "13800130001")
    assert before.blind_index("phone", "13800130001") != BEFORE.blind_index("phone", "13800130001")


def test_rows_from_before_the_index_had_a_key_of_its_own_are_found() -> None:
    stored = BEFORE.blind_index("phone", "13800130001")
    assert stored in learnt(f"{NEW},{OLD}").blind_indexes("phone", "13800130001")


def test_the_first_index_is_that_of_the_first_key() -> None:
    """So an installation that has rows already needs none of them changed."""
    wrapped = BEFORE.wrap_index()
    ring = Keyring.parse(f"{NEW},{OLD}")
    ring.learn(ring.unwrap_key(None, wrapped), {})
    assert ring.blind_index("phone", "13800130001") == BEFORE.blind_index("phone", "13800130001")


def test_a_retired_key_opens_and_never_seals() -> None:
    wrapped = AFTER.wrap_key("2025")
    ring = Keyring.parse(NEW)
    token = BEFORE.seal_text("张三", "x")
    with pytest.raises(UnsealError, match="not in the keyring"):
        ring.open_text(token, "x")
    ring.learn(b"i" * 32, {"2025": ring.unwrap_key("2025", wrapped)})
    assert ring.open_text(token, "x") == "张三"
    assert (ring.key_ids, ring.retired) == (("2026",), ("2025",))
    assert key_id_of(ring.seal_text("张三", "x")) == "2026"
    assert secret(OLD) not in ring.written()


def test_a_wrapped_key_is_of_its_name_alone() -> None:
    wrapped = AFTER.wrap_key("2025")
    for other in ("2024", None):
        with pytest.raises(UnsealError):
            AFTER.unwrap_key(other, wrapped)


def test_before_the_database_was_read_nothing_is_indexed_and_no_foreign_token_opened() -> None:
    """A digest under another key would never be found again: better to answer 503."""
    ring = Keyring.parse(NEW)
    ring.waits = True
    with pytest.raises(KeysNotRead):
        ring.blind_index("phone", "13800130001")
    with pytest.raises(KeysNotRead):
        ring.open_text(BEFORE.seal_text("x", "x"), "x")
    assert ring.open_text(ring.seal_text("x", "x"), "x") == "x"
    ring.learn(b"i" * 32, {})
    assert ring.blind_index("phone", "13800130001")
    with pytest.raises(UnsealError):
        ring.open_text(BEFORE.seal_text("x", "x"), "x")


def test_replaced_keys_keep_what_the_database_keeps() -> None:
    ring = learnt(OLD, **{"2024": secret(OLD)})
    index = ring.blind_index("phone", "13800130001")
    ring.replace(Keyring.parse(NEW).joined(Keyring.parse(OLD)))
    assert ring.key_ids == ("2026", "2025")
    assert ring.open(BEFORE.seal(b"x", "x"), "x") == b"x"
    ring.replace(Keyring.parse(NEW))
    assert (ring.key_ids, ring.retired) == (("2026",), ("2024",))
    assert ring.blind_index("phone", "13800130001") == index


def test_keys_are_written_as_they_were_read() -> None:
    assert Keyring.parse(f"{NEW},{OLD}").written() == f"{NEW},{OLD}"
    assert Keyring.parse(f"{NEW},{OLD}").written("2025") == OLD


@pytest.mark.parametrize("content", ["", "张三", "x" * 500])
def test_what_is_sealed_anew_is_the_same_under_the_first_key(content: str) -> None:
    fresh = AFTER.text_sealed_anew(BEFORE.seal_text(content, "x"), "x")
    assert Keyring.parse(NEW).open_text(fresh, "x") == content
    raw = AFTER.sealed_anew(BEFORE.seal(b"\xff\x00", "x"), "x")
    assert Keyring.parse(NEW).open(raw, "x") == b"\xff\x00"
    with pytest.raises(UnsealError):
        AFTER.text_sealed_anew(BEFORE.seal_text(content, "x"), "y")


@given(st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True), st.binary())
def test_a_database_can_tell_whose_a_token_is(key_id: str, content: bytes) -> None:
    ring = Keyring({key_id: b"k" * 32})
    starts = token_starts(key_id)
    token = ring.seal(content, "x")
    text = ring.seal_text(content.hex(), "x")
    assert text[: len(starts[0])] in starts and len(set(map(len, starts))) == 1
    assert token.startswith(byte_start(key_id))
    assert key_id_of(text) == key_id_of(token) == key_id
    for other in ("k1", "k2", "k11", key_id[:-1] or "_", f"{key_id[:31]}x"):
        if other != key_id:
            assert text[: len(token_starts(other)[0])] not in token_starts(other)
            assert not token.startswith(byte_start(other))


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
