"""What is wrong with the text of a policy, in Chinese; the rules name their faults in English."""

import re
from collections.abc import Iterable

from casework.policy_draft import LARGEST
from pages.policy_words import POLICY

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"too large", f"文件超过 {LARGEST // 1000} KB"),
        (r"not utf-8", "文件不是 UTF-8 编码的文本"),
        (r"no TOML: (.*)", r"不是可以读取的 TOML:\1"),
        (r"missing: (.*)", r"缺少:\1"),
        (r"unknown: (.*)", r"没有这样的值:\1"),
        (r"given twice: (.*)", r"写了两次:\1"),
        (r"(\w+): not a text", r"\1:须为文字,不能为空"),
        (r"(\w+): has no unit and source", r"\1:须写成含 value、unit、source 的表"),
        (r"(\w+): not a table of value, unit and source", r"\1:须写成只含 value、unit、source 的表"),
        (r"(\w+): (.*) is none of (.*)", r"\1:\2 不在可选值之内(\3)"),
        (r"(\w+): (.*) is no whole number from (\d+) to (\d+)", r"\1:\2 不是 \3 到 \4 的整数"),
        (r"(\w+): the unit is ([\w ]+), not (.*)", r"\1:单位须为 \2,不能是 \3"),
        (r"(\w+): no source", r"\1:须写明来源 source"),
        (r"(\w+): more days than (\w+)", r"\1:天数不能多于 \2 的次数"),
    )
)
_CALLED = {"id": "标识", "version": "版本", "title": "名称", **POLICY}
_NAMED = re.compile(r"\b[a-z][a-z0-9_]*\b")
LONGEST = 4_000  # characters of one fault: a value may be as long as the file


def policy_faults_in_words(faults: Iterable[str]) -> list[str]:
    """Return each fault in words; values of a policy are named as people know them, too."""
    return [_in_words(fault[:LONGEST]) for fault in faults]


def _in_words(fault: str) -> str:
    for pattern, words in _WORDS:
        if found := pattern.fullmatch(fault):
            said = found.expand(words)
            name = fault.partition(":")[0]
            if name in ("missing", "unknown", "given twice"):
                return _NAMED.sub(_named, said.replace(", ", "、"))
            return f"{_called(name)}{said[len(name) :]}" if name in _CALLED else said
    return fault


def _named(found: re.Match[str]) -> str:
    return _called(found[0])


def _called(name: str) -> str:
    return f"{_CALLED[name]}({name})" if name in _CALLED else name
