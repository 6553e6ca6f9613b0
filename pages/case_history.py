"""Events of the ledger as people read them: who did what when, in the words of the screen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.acts import Record, ShownAct
from casework.bulletins import number_of
from models.case import Bulletin
from pages import labels
from pages.command_words import LABELS, YES_NO
from pages.rendering import moment
from rules.calendar import local

Names = Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """A fact of an event, or a text as somebody typed it."""

    label: str
    value: str
    typed: bool = False


@dataclass(frozen=True)
class Entry:
    """One event. ``due`` is its new due date and ``previous`` the old one, where it moved.

    One of a 通报 about the case has a ``path``, and no number: it stands in a record of its own.
    Of an alarm, ``was_due`` and ``fired`` say to the second when it should have fired and when it did.
    """

    seq: int
    type: str
    at: str
    title: str
    by: str
    role: str
    is_alarm: bool
    was_due: str | None
    fired: str | None
    due: str | None
    previous: str | None
    status: str | None
    level: str | None
    light: str | None
    lines: tuple[Line, ...]
    hash: str
    path: str | None = None


# Shown in their own place, or of no use to people.
_APART = frozenset(
    {"case_id", "number", "calendar", "key", "changes", "due_at", "previous_due_at", "was_due_at"}
    | {"received_at", "registered_at", "into_hall", "into_received_at", "into_open"}
    | {"attachment", "media_type", "sha256", "filed_by"}
)
_LABELS = {
    "order_due_at": "督办单时限",
    "file_name": "文件",
    "size": "大小(字节)",
    "merged_into": "并入",
    "orders": "督办单",
    "round": "轮次",
    "imported_at": "导入时间",
    "source": "来源系统",
    "reference": "原编号",
}
_WORDS = {
    "kind": "kind",
    "cause": "cause",
    "means": "means",
    "channel": "channel",
    "level": "level",
    "rating": "rating",
    "outcome": "outcome",
}
_MOMENTS = frozenset({"at", "order_due_at", "imported_at"})


def entries(events: tuple[Mapping[str, Any], ...], units: Names, halls: Names) -> list[Entry]:
    """Return the history of a case, oldest first; names of units and halls by their codes."""
    return [_entry(event, units, halls) for event in events]


def with_bulletins(history: list[Entry], bulletins: Sequence[tuple[Bulletin, Record]]) -> list[Entry]:
    """Return the history with what became of the bulletins about the case, by time."""
    acts = [_of_bulletin(bulletin, act, named=True) for bulletin, record in bulletins for act in record.acts]
    return sorted([*history, *acts], key=lambda each: datetime.fromisoformat(each.at))


def bulletin_entries(bulletin: Bulletin, record: Record) -> list[Entry]:
    """Return what was done to a bulletin, oldest first, for where it is told which one that is."""
    return [_of_bulletin(bulletin, act, named=False) for act in record.acts]


def _of_bulletin(bulletin: Bulletin, act: ShownAct, *, named: bool) -> Entry:
    role = labels.word("role", act.actor["role"])
    number = number_of(bulletin)
    told = [Line("情形", labels.word("ground", bulletin.ground))] if named else []
    if act.type == "issued" and number:
        told.append(Line("发文字号", number))
    if because := act.data.get("because"):
        told.append(Line("移送理由", labels.word("serious", because)))
    return Entry(
        seq=0,
        type=f"bulletin_{act.type}",
        at=act.at.isoformat(),
        title=f"通报 · {labels.word('bulletin_act', act.type)}",
        by=act.actor.get("name") or role,
        role=role,
        is_alarm=False,
        was_due=None,
        fired=None,
        due=None,
        previous=None,
        status=None,
        level=None,
        light=None,
        lines=(*told, *([Line("内容", act.text, typed=True)] if act.text else [])),
        hash=act.hash,
        path=f"/bulletins/{bulletin.id}",
    )


def _entry(event: Mapping[str, Any], units: Names, halls: Names) -> Entry:
    data, actor = event["data"], event["data"].get("filed_by") or event["actor"]
    changes = data.get("changes", {})
    moved = data.get("due_at") if data.get("due_at") != data.get("previous_due_at") else None
    is_alarm = data.get("was_due_at") is not None
    role = labels.word("role", actor["role"])
    unit = actor.get("unit")
    return Entry(
        seq=event["seq"],
        type=event["type"],
        at=event["at"],
        title=labels.word("event", event["type"]),
        by=actor.get("name") or role,
        role=f"{units.get(unit, unit)} {role}" if unit else role,
        is_alarm=is_alarm,
        was_due=_second(data["was_due_at"]) if is_alarm else None,
        fired=_second(event["at"]) if is_alarm else None,
        due=moved,
        previous=data.get("previous_due_at") if moved else None,
        status=changes.get("status"),
        level=changes.get("level") if event["seq"] > 1 else None,
        light=changes.get("light") if event["seq"] > 1 else None,
        lines=tuple(_lines(event["type"], data, {"unit": units, "hall": halls, "co_units": units})),
        hash=event["hash"],
    )


def _lines(type_: str, data: Mapping[str, Any], names: Mapping[str, Names]) -> Iterator[Line]:
    for field, value in data.items():
        if field in _APART or value is None or value == []:
            continue
        label = LABELS.get((type_, field)) or _LABELS.get(field) or labels.word("field", field)
        if isinstance(value, dict):
            for part, words in value.items():
                yield Line(f"{label}·{_label(field, part)}", str(words), typed=True)
        elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
            for each in value:
                yield Line(label, _attempt(each), typed=True)
        else:
            yield _line(type_, field, label, value, names)


def _line(type_: str, field: str, label: str, value: Any, names: Mapping[str, Names]) -> Line:
    if isinstance(value, bool):
        yes, no = YES_NO.get((type_, field), ("是", "否"))
        return Line(label, yes if value else no)
    if field in _MOMENTS:
        return Line(label, moment(value))
    if field in _WORDS:
        return Line(label, labels.word(_WORDS[field], value))
    if field in names:
        codes = value if isinstance(value, list) else [value]
        return Line(label, "、".join(names[field].get(code, code) for code in codes))
    if field == "to" and type_ == "coordinate":
        return Line(label, labels.word("level", value))
    return Line(label, str(value), typed=isinstance(value, str))


def _second(at: str) -> str:
    return f"{local(datetime.fromisoformat(at)):%Y-%m-%d %H:%M:%S}"


def _label(group: str, part: str) -> str:
    return LABELS.get((group, part)) or labels.word("field", part)


def _attempt(told: Mapping[str, Any]) -> str:
    """Return an earlier attempt of the citizen in one line."""
    return ",".join(str(told[part]) for part in ("on", "channel", "where", "said") if told.get(part))
