"""Every fault that the rules find in a policy is said in Chinese, with the value's name."""

import re

import pytest

from casework.policy_draft import LARGEST, BadPolicy, read_policy_draft
from models.policies import policy_texts
from pages.policy_faults import policy_faults_in_words

TEXT = policy_texts(None)["guilin"]
SIMPLE = re.search(r"^simple = .*$", TEXT, re.MULTILINE)


def faults(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadPolicy) as refused:
        read_policy_draft(content)
    return policy_faults_in_words(refused.value.faults)


def changed(line: str) -> str:
    assert SIMPLE
    return TEXT.replace(SIMPLE[0], line)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed("# none"), "缺少:即办件办结(simple)"),
        (TEXT + '\n[more]\nodd = { value = 1, unit = "days", source = "x" }\n', "没有这样的值:odd"),
        (
            TEXT + '\n[more]\nsimple = { value = 1, unit = "days", source = "x" }\n',
            "写了两次:即办件办结(simple)",
        ),
        (TEXT.replace('version = "1"', "version = 1"), "版本(version):须为文字,不能为空"),
        ("simple = 3\n" + changed("# none"), "即办件办结(simple):须写成含 value、unit、source 的表"),
        (changed("simple = 3"), "即办件办结(simple):须写成只含 value、unit、source 的表"),
        (
            changed('simple = { value = 401, unit = "working days", source = "x" }'),
            "即办件办结(simple):401 不是 1 到 400 的整数",
        ),
        (
            changed('simple = { value = 3, unit = "days", source = "x" }'),
            "即办件办结(simple):单位须为 working days,不能是 'days'",
        ),
        (
            changed('simple = { value = 3, unit = "working days", source = " " }'),
            "即办件办结(simple):须写明来源 source",
        ),
        (
            TEXT.replace('value = "told"', 'value = "asked"'),
            "按时与否的判定(judged_by):'asked' 不在可选值之内(told, reply)",
        ),
        (
            re.sub(r"(revisit_attempt_days = \{ value = )\d+", r"\g<1>9", TEXT),
            "回访分布天数(revisit_attempt_days):天数不能多于 revisit_attempts 的次数",
        ),
        ("x" * (LARGEST + 1), "文件超过 64 KB"),
        (b"\xff\xfe", "文件不是 UTF-8 编码的文本"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "text",
)
def test_a_fault_is_said_in_chinese(text: str | bytes, words: str) -> None:
    assert words in faults(text)


@pytest.mark.parametrize("text", ["[[[", "a = " + "[" * 60_000, "a = " + "9" * 5_000])
def test_what_is_no_toml_is_said_so(text: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith("不是可以读取的 TOML:")


def test_a_policy_with_a_mark_of_its_encoding_and_windows_line_ends_is_read() -> None:
    assert read_policy_draft(("\ufeff" + TEXT.replace("\n", "\r\n")).encode()).id == "guilin"
