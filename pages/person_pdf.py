"""What is held about one person, as a PDF: the words of the screen in the order of what happened."""

from collections.abc import Mapping, Sequence
from typing import Any

from documents.pdf import typeset
from pages.case_history import Entry, entries
from pages.labels import word
from pages.rendering import moment

Values = Mapping[str, Any]


async def person_pdf(values: Values) -> bytes:
    """Return the PDF of what `casework.person_export` gathered."""
    by = values["made_by"]
    made = f"{moment(values['made_at'])} 由 {by['name']}({word('role', by['role'])})制作"
    printed = {
        "made": f"{made}；理由：{values['reason']}",
        "scope": f"以下 {len(values['cases'])} 件中保存的全部个人信息。机器可读的副本见 person.json。",
        "cases": [_case(case) for case in values["cases"]],
    }
    return await typeset("person.typ", printed)


def _case(case: Values) -> dict[str, Any]:
    person = case["petitioner"]
    facts = [
        ("姓名或名称", person["name"]),
        ("联系电话", person["phone"]),
        ("身份证号", person["id_number"]),
        ("统一社会信用代码", person["uscc"]),
        ("来源", word("channel", case["channel"])),
        ("原编号", case.get("reference")),
        ("受理时间", moment(case["received_at"])),
        ("事项", case["matter"]),
        ("反映的问题", case["problem"]),
        ("状态", word("status", case["status"])),
        ("结果", word("outcome", case["outcome"])),
        ("办结时间", moment(case["closed_at"])),
    ]
    history = entries(tuple(each | {"hash": ""} for each in case["events"]), {}, {})
    return {
        "title": case["number"] or "尚未编号",
        "facts": [[label, value] for label, value in facts if value and value != "—"],
        "events": [_event(entry) for entry in history],
        "files": [[each["name"] or "—", each["file"], f"{each['size']:,} 字节"] for each in case["files"]],
        "seen": [
            [moment(each["at"]), word("access", each["action"]), each["reason"] or "—"]
            for each in case["seen_by_staff"]
        ],
    }


def _event(entry: Entry) -> Sequence[str]:
    said = "\n".join(f"{line.label}：{line.value}" for line in entry.lines)
    return [moment(entry.at), f"{entry.title}\n{entry.role}", said or "—"]
