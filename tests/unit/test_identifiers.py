"""Check digits of identifiers. The valid ones are the standards' own examples, or public registers'."""

import pytest

from rules.identifiers import id_number_fault, plain_identifier, uscc_fault

ID_NUMBERS = [
    ("11010519491231002X", None, "GB 11643, annex"),
    ("440524188001010014", None, "GB 11643, annex"),
    ("11010519491231002x", None, "a small x is typed often"),
    ("110105194912310021", "bad_check_digit", "the last digit is wrong"),
    ("11010519491231003X", "bad_check_digit", "one digit is wrong"),
    ("11010519490229002X", "bad_date", "1949 was no leap year"),
    ("11010519491331002X", "bad_date", "there is no month 13"),
    ("01010519491231002X", "bad_format", "no province begins with 0"),
    ("1101051949123100", "bad_format", "too short"),
    ("11010519491231002XX", "bad_format", "too long"),
    ("110105491231002", "bad_format", "15 digits: given up in 2013"),
    ("１１０１０５19491231002X", "bad_format", "digits of full width"),
    ("1101051949123100２X", "bad_format", "one digit of full width"),
    ("11010519491231002X\n", "bad_format", "a line break at the end"),
    ("", "bad_format", "nothing"),
]
USCCS = [
    ("91350100M000100Y43", None, "GB 32100, example"),
    ("91350100m000100y43", None, "small letters"),
    ("91110000802100433B", None, "an enterprise"),
    ("12100000400000624D", None, "a public institution"),
    ("91350100M000100Y44", "bad_check_digit", "the last digit is wrong"),
    ("91350100M000010Y43", "bad_check_digit", "two digits are exchanged"),
    ("91350100I000100Y43", "bad_format", "I is not used"),
    ("91350100O000100Y43", "bad_format", "O is not used"),
    ("9135010XM000100Y43", "bad_format", "a letter in the region"),
    ("91350100M000100Y4", "bad_format", "too short"),
    ("", "bad_format", "nothing"),
]


@pytest.mark.parametrize(("number", "fault", "why"), ID_NUMBERS, ids=[row[2] for row in ID_NUMBERS])
def test_id_numbers(number: str, fault: str | None, why: str) -> None:
    assert id_number_fault(number) == fault, why


@pytest.mark.parametrize(("code", "fault", "why"), USCCS, ids=[row[2] for row in USCCS])
def test_usccs(code: str, fault: str | None, why: str) -> None:
    assert uscc_fault(code) == fault, why


def test_every_change_of_one_digit_of_an_id_number_shows() -> None:
    right = "440524188001010014"
    for place in range(17):
        for digit in set("0123456789") - {right[place]}:
            assert id_number_fault(right[:place] + digit + right[place + 1 :]), (place, digit)


def test_every_change_of_one_letter_of_a_uscc_shows() -> None:
    right = "91350100M000100Y43"
    for place in range(17):
        for letter in set("0123456789ABCDEFGHJKLMNPQRTUWXY") - {right[place]}:
            assert uscc_fault(right[:place] + letter + right[place + 1 :]), (place, letter)


def test_an_identifier_is_stored_in_capitals() -> None:
    assert plain_identifier("11010519491231002x") == "11010519491231002X"
