"""The registration form (附件2) between a browser and the model that the API checks filings by.

Fields are named as their faults are (`petitioner.phone`, `attempts.0.on`), so that each fault finds
its field by itself.
"""

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from pages import labels
from routes.wording import fault_words
from rules.case.vocabulary import Cause, Channel

PETITIONER = ("kind", "name", "phone", "id_number", "uscc")
ATTEMPT = ("channel", "on", "where", "said")
PLAIN = ("channel", "matter", "problem", "cause")
ROWS, MOST_ROWS = 2, 50
EMPTY: Mapping[str, str] = {"petitioner.kind": "person", "channel": "counter"}

HOW = (("线下", "线下(窗口)"), ("线上", "线上"), ("电话", "电话"))
KINDS = tuple(labels.PETITIONER.items())
CHANNELS = tuple((each.value, labels.CHANNEL[each]) for each in Channel)
CAUSES = tuple((each.value, labels.CAUSE[each]) for each in Cause)

_LABELS = {
    "petitioner.kind": "反映人类别",
    "petitioner.name": "姓名或名称",
    "petitioner.phone": "联系电话",
    "matter": "政务服务事项",
    "hall": "大厅",
}
_ATTEMPT_LABELS = {"channel": "方式", "on": "日期", "where": "地点或平台", "said": "答复情况"}
_WORDS = {
    ("petitioner.phone", "string_pattern_mismatch"): "应为 11 位手机号，或带区号的固定电话(0773-2800000)",
    ("petitioner.id_number", "bad_format"): "应为 18 位身份证号",
    ("petitioner.uscc", "bad_format"): "应为 18 位统一社会信用代码",
}


def typed(form: FormData) -> dict[str, str]:
    """Return what was typed, by field; empty rows of earlier attempts are closed up."""
    fields = {name: _text(form, name) for name in PLAIN}
    fields |= {f"petitioner.{name}": _text(form, f"petitioner.{name}") for name in PETITIONER}
    row = 0
    for number in range(MOST_ROWS):
        cells = {name: _text(form, f"attempts.{number}.{name}") for name in ATTEMPT}
        if any(cell.strip() for cell in cells.values()):
            fields |= {f"attempts.{row}.{name}": cell for name, cell in cells.items()}
            row += 1
    return fields


def rows_of(fields: Mapping[str, str]) -> int:
    """Return how many rows of earlier attempts to show: those filled in and one more, two at least."""
    filled = sum(name.endswith(".on") for name in fields)
    return min(max(ROWS, filled + 1), MOST_ROWS)


def body_of(fields: Mapping[str, str], hall: str | None) -> bytes:
    """Return the body of a filing as `routes.filing_body` reads it; what is blank is left out."""
    given = {name: text for name, text in fields.items() if text.strip()}
    body: dict[str, Any] = {"hall": hall} | {name: given[name] for name in PLAIN if name in given}
    body["petitioner"] = {
        name: given[f"petitioner.{name}"] for name in PETITIONER if f"petitioner.{name}" in given
    }
    attempts: list[dict[str, str]] = []
    while any(f"attempts.{len(attempts)}.{name}" in given for name in ATTEMPT):
        row = f"attempts.{len(attempts)}"
        attempts.append({name: given[f"{row}.{name}"] for name in ATTEMPT if f"{row}.{name}" in given})
    if attempts:
        body["attempts"] = attempts
    return json.dumps(body).encode()


def shown_faults(faults: Mapping[str, str]) -> dict[str, str]:
    """Return the faults in words, in the order of the form."""
    order = {name: place for place, name in enumerate(_in_order())}
    ordered = sorted(faults, key=lambda name: order.get(name, len(order)))
    return {name: _WORDS.get((name, faults[name])) or fault_words(faults[name]) for name in ordered}


def label_of(field: str) -> str:
    """Return what a field is called on the form."""
    if field.startswith("attempts."):
        _, row, name = field.split(".", 2)
        return f"此前经历 {int(row) + 1} 的{_ATTEMPT_LABELS[name]}"
    return _LABELS.get(field) or labels.word("field", field.rpartition(".")[2])


def attempt_label(name: str) -> str:
    """Return what a cell of an earlier attempt is called."""
    return _ATTEMPT_LABELS[name]


def _in_order() -> list[str]:
    people = [f"petitioner.{name}" for name in PETITIONER]
    rows = [f"attempts.{row}.{name}" for row in range(MOST_ROWS) for name in ATTEMPT]
    return [*people, "matter", "problem", *rows, "cause", "channel"]


def _text(form: FormData, name: str) -> str:
    """Return a text as it was typed: browsers send its line breaks as two characters."""
    value = form.get(name)
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""
