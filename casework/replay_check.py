"""What today's workflow code decides on a recorded history, held against the ledger event by event.

Three things must hold: what the history heard of the ledger is what stands there; what is decided in the
replay is what stands there; and every event of the ledger was heard by some run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from casework.findings import Finding
from models.chain import canonical_bytes
from models.messages import RecordRequest, StoredEvent, Values
from workflows.replaying import Heard, replay_case


@dataclass(frozen=True)
class Recorded:
    """An event of the ledger with its texts in clear; None once the case's key is gone."""

    seq: int
    command_id: str
    type: str
    at: datetime
    actor: Values
    data: Values
    changes: Values
    fired: Sequence[str]
    texts: Values | None


async def check_replays(
    case_id: str,
    events: Sequence[Recorded],
    histories: Iterable[tuple[str, WorkflowHistory]],
    converter: DataConverter,
    whole: bool = True,
) -> list[Finding]:
    """Replay the runs of a case; return what does not agree, the first of each run.

    ``whole``: the histories are all there are, so that an event that none of them heard is a finding.
    """
    by_seq = {event.seq: event for event in events}
    heard: set[int] = set()
    findings: list[Finding] = []
    for run_id, history in histories:
        try:
            seen = await replay_case(history, converter)
        except Exception as error:  # whatever it is that a changed history makes of the replay
            facts = {"run": run_id, "error": type(error).__name__}
            findings.append(Finding("not_deterministic", case_id, facts=facts))
            continue
        heard |= {row.seq for each in seen.heard for row in each.answer.rows}
        if (fault := first_difference(case_id, run_id, seen.heard, by_seq)) is not None:
            findings.append(fault)
    if whole and not findings and (unheard := by_seq.keys() - heard):
        findings.append(Finding("never_heard", case_id, min(unheard)))
    return findings


def first_difference(
    case_id: str, run_id: str, heard: Sequence[Heard], ledger: Mapping[int, Recorded]
) -> Finding | None:
    """Return the first event at which a run and the ledger disagree."""
    for each in heard:
        for row in each.answer.rows:
            if not _same_row(row, ledger.get(row.seq)):
                return Finding("heard_otherwise", case_id, row.seq, {"run": run_id})
        if each.request is not None:
            seq = _decided_otherwise(each.request, each.answer.rows, ledger)
            if seq is not None:
                return Finding("decided_otherwise", case_id, seq, {"run": run_id})
    return None


def _same_row(row: StoredEvent, stands: Recorded | None) -> bool:
    if stands is None:
        return False
    names = ("command_id", "type", "at", "changes")
    there = {name: getattr(stands, name) for name in names} | {"fired": list(stands.fired)}
    return canonical_bytes({n: getattr(row, n) for n in (*names, "fired")}) == canonical_bytes(there)


def _decided_otherwise(
    request: RecordRequest, rows: Sequence[StoredEvent], ledger: Mapping[int, Recorded]
) -> int | None:
    """Return the number of the first event that the code decides otherwise."""
    own = [row for row in rows if row.command_id == request.command_id]
    if not own or datetime.fromisoformat(request.events[0]["at"]) != own[0].at:
        # Rows of another command came first, or an attempt before a crash had written its own at
        # another instant: what this attempt decided was thrown away.
        return None
    if len(own) != len(request.events):
        return own[0].seq
    for row, decided in zip(own, request.events, strict=True):
        if not _same_event(decided, ledger[row.seq]):
            return row.seq
    return None


def _same_event(decided: Values, stands: Recorded) -> bool:
    names = ["type", "actor", "data", "changes", "fired"]
    if stands.texts is not None:
        names.append("texts")
    there = {name: getattr(stands, name) for name in names} | {"fired": list(stands.fired)}
    return canonical_bytes({name: decided[name] for name in names}) == canonical_bytes(there)
