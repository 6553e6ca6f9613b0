"""Repeat reports, and what may not stand in a published text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.anonymity import identity_fault
from rules.repeats import matter_key, plain_matter

PUNCTUATION = " 　\t。，、·《》()（）-—“”!?：;…"


@pytest.mark.parametrize(
    ("matter", "other", "same"),
    [
        ("个体户注销", "个体户注销", True),
        ("个体户注销", " 个体户 注销。", True),
        ("《个体户》(注销)", "个体户——注销", True),
        ("ＡＢＣ证", "abc证", True),
        ("个体户注销", "个体户注册", False),
        ("个体户注销", "个体户注销二", False),
        ("个体户注销", None, False),
    ],
)
def test_a_matter_is_the_same_but_for_width_case_spaces_and_punctuation(
    matter: str, other: str | None, same: bool
) -> None:
    assert (plain_matter(matter) == plain_matter(other)) is same
    assert (matter_key(matter) == matter_key(other)) is same


@pytest.mark.parametrize("matter", [None, "", " ", "……", "（）"])
def test_what_says_nothing_is_no_matter(matter: str | None) -> None:
    assert (plain_matter(matter), matter_key(matter)) == ("", None)


def test_a_matter_is_compared_as_it_reads() -> None:
    assert plain_matter("《Ａｂ》 证(一)") == "ab证一"


@given(st.text("个体户注销证abcXYZ019", min_size=1), st.data())
def test_the_key_follows_the_matter_however_it_is_written(matter: str, data: st.DataObject) -> None:
    written = "".join(
        data.draw(st.sampled_from((each, each.upper(), each.lower(), _wide(each))))
        + data.draw(st.text(PUNCTUATION, max_size=2))
        for each in matter
    )
    key = matter_key(written)
    assert key == matter_key(matter) != matter_key(written + "二")
    assert key is not None and -(2**63) <= key < 2**63


def _wide(character: str) -> str:
    """The letter or digit in the width of a Chinese character."""
    return chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character


NAME, PHONE, ID = "周小明", "0773-2800000", "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("某市民办理个体户注销。", None),
        ("周小明办理个体户注销。", "names_petitioner"),
        ("周 小 明来到窗口。", "names_petitioner"),
        ("周先生来到窗口。", None),
        ("请拨 0773-2800000。", "numbers_petitioner"),
        ("请拨 ０７７３２８０００００。", "numbers_petitioner"),
        ("请拨 0773 280 0000。", "numbers_petitioner"),
        ("证号 11010519491231002x", "numbers_petitioner"),
        ("证号 110105 19491231 002X", "numbers_petitioner"),
        ("电话 13800139999", "numbers_somebody"),
        ("电话 138-0013-9999", "numbers_somebody"),
        ("电话 138—0013—9999", "numbers_somebody"),
        ("证号 450305199001010016", "numbers_somebody"),
        ("咨询 12345,共 3 个工作日,编号 20261126", None),
    ],
)
def test_a_text_gives_nobody_away(text: str, expected: str | None) -> None:
    assert identity_fault(text, [NAME], [PHONE, ID, None]) == expected


def test_a_name_of_one_character_or_none_is_not_looked_for() -> None:
    assert identity_fault("周一上午", ["周", None, ""], [None, ""]) is None


def test_an_enterprise_is_found_by_its_name_and_its_code() -> None:
    names, numbers = ["桂林演示有限公司"], ["91350100M000100Y43"]
    assert identity_fault("为桂林演示有限公司办理", names, numbers) == "names_petitioner"
    assert identity_fault("代码 91350100m000100y43", names, numbers) == "numbers_petitioner"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("联系人陈建国当场核对。", "names_staff"),
        ("陈 建 国当场核对。", "names_staff"),
        ("周小明找到陈建国。", "names_petitioner"),
        ("陈科长当场核对。", None),
    ],
)
def test_nobody_who_handled_the_case_is_named(text: str, expected: str | None) -> None:
    assert identity_fault(text, [NAME], [PHONE], ["陈建国", None, "陈"]) == expected
