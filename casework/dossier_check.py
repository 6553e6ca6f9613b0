"""Verifying a dossier as a stranger does: with the zip alone, and perhaps with a public key."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from casework.act_check import ActCheck
from casework.chain_check import ChainCheck, Held, Stands
from casework.dossier import ACTS, EVENTS, HEAD, HISTORY, MANIFEST, SIGNATURE, signature_file, zipped
from casework.findings import Finding, NotEvidence
from casework.replay_check import Recorded, check_replays
from models.act import item_key
from models.codec import JsonConverter
from models.heads import Head, HeadFile
from models.merkle import Leaf, leads_to
from models.signing import PublicKey, PublicKeys


@dataclass
class DossierReport:
    """What came of it. `key` signed the dossier; `trusted`: it is the one that was given.

    `head` is that over the case, `heads` are all that are in it: a 通报 may have been touched later.
    """

    number: str | None = None
    events: int = 0
    acts: int = 0
    runs: int = 0
    key: PublicKey | None = None
    trusted: bool = False
    head: Head | None = None
    heads: list[Head] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything in it holds."""
        return not self.findings


class _Unreadable(Exception):
    """A file is there and is not what it should be."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def read_key(text: str) -> PublicKey:
    """Return the public key that somebody typed. Raises NotEvidence."""
    try:
        return PublicKey.parse(text)
    except ValueError as error:
        raise NotEvidence("这不是签名公钥") from error


async def verify_dossier(content: bytes, key: PublicKey | None = None) -> DossierReport:
    """Verify a dossier: container, manifest, signature, chains, heads, and the replay of its history."""
    report = DossierReport()
    files = _unzipped(content, report)
    if files is None:
        return report
    try:
        if _manifest(files, key, report):
            events = _events(files, report)
            if ACTS in files:
                _acts(files, report)
            await _replays(files, events, report)
    except _Unreadable as error:
        report.findings.append(Finding("unreadable", facts={"file": error.name}))
    return report


def _unzipped(content: bytes, report: DossierReport) -> dict[str, bytes] | None:
    """Return the files; None where the zip itself is broken."""
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                try:
                    files[name] = archive.read(name)
                except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
                    report.findings.append(Finding("file_changed", facts={"file": name}))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError):
        report.findings.append(Finding("unreadable", facts={"file": "zip"}))
        return None
    if report.findings:
        return None
    if zipped(files) != content:
        report.findings.append(Finding("file_changed", facts={"file": "zip"}))
    return files


def _manifest(files: Mapping[str, bytes], key: PublicKey | None, report: DossierReport) -> bool:
    """Check manifest and signature, then each file; say whether it is worth looking further."""
    for name in (MANIFEST, SIGNATURE):
        if name not in files:
            report.findings.append(Finding("file_missing", facts={"file": name}))
            return False
    signature = _read(files, SIGNATURE)
    try:
        report.key = PublicKey.parse(signature["public_key"])
        signed = report.key.verifies(signature["signature"], files[MANIFEST])
        expected = signature_file(report.key, signature["signature"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _Unreadable(SIGNATURE) from None
    if files[SIGNATURE] != expected:
        report.findings.append(Finding("file_changed", facts={"file": SIGNATURE}))
    if not signed:
        report.findings.append(Finding("unsigned", facts={"file": MANIFEST}))
    report.trusted = key is not None and key.text == report.key.text
    if key is not None and not report.trusted:
        report.findings.append(Finding("key_unknown", facts={"key": report.key.key_id}))
    manifest = _read(files, MANIFEST)
    said = manifest.get("files")
    if not isinstance(said, dict):
        raise _Unreadable(MANIFEST)
    report.number = manifest.get("number")
    for name, about in said.items():
        if name not in files:
            report.findings.append(Finding("file_missing", facts={"file": name}))
        elif not isinstance(about, dict) or hashlib.sha256(files[name]).hexdigest() != about.get("sha256"):
            report.findings.append(Finding("file_changed", facts={"file": name}))
    for name in files.keys() - said.keys() - {MANIFEST, SIGNATURE}:
        report.findings.append(Finding("file_unknown", facts={"file": name}))
    needed = [EVENTS, HISTORY, HEAD]
    if manifest.get("format") != 1:  # those that were made before there were acts
        needed.append(ACTS)
    for name in needed:
        if name not in files and name not in said:
            report.findings.append(Finding("file_missing", facts={"file": name}))
    return all(name in files for name in needed)


def _events(files: Mapping[str, bytes], report: DossierReport) -> list[Any]:
    """Check the chain, also against its head; return the events as objects with the ledger's columns."""
    values, manifest = _read(files, EVENTS), _read(files, MANIFEST)
    head = _head(_read(files, HEAD), "case", manifest.get("case_id"), HEAD, report)
    report.head = head.head if head else None
    try:
        case_id = manifest["case_id"]
        events = _rows(values["events"])
        stands = Stands(manifest["events"], events[-1].hash if events else "")
        check = ChainCheck(case_id, stands, head.held if head else ())
        for event in events:
            check.event(event)
        fault = check.end()
        strange = [event.seq for event in events if event.case_id != case_id]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _Unreadable(EVENTS) from None
    if fault:
        report.findings.append(fault)
    elif strange:
        report.findings.append(Finding("event_changed", case_id, strange[0]))
    report.events = len(events)
    return events


def _acts(files: Mapping[str, bytes], report: DossierReport) -> None:
    """Check what was done to each bulletin and typical case, also against its head."""
    values, manifest = _read(files, ACTS), _read(files, MANIFEST)
    try:
        counts = dict(manifest["acts"])
        for record in values["items"]:
            kind, item = record["kind"], record["item"]
            key = item_key(kind, item)
            head = _head(record["head"], "act", key, ACTS, report)
            acts = _rows(record["acts"])
            stands = Stands(counts.pop(key), acts[-1].hash if acts else "")
            check = ActCheck(kind, item, manifest["case_id"], stands, head.held if head else ())
            for act in acts:
                check.act(act)
            fault = check.end()
            strange = [act.seq for act in acts if (act.kind, act.item) != (kind, item)]
            if fault is None and strange:
                fault = Finding("act_changed", manifest["case_id"], strange[0], {"item": key})
            report.findings += [fault] if fault else []
            report.acts += len(acts)
        for key in counts:
            report.findings.append(Finding("act_missing", manifest["case_id"], 1, {"item": key}))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _Unreadable(ACTS) from None


def _rows(values: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return rows of a chain as objects. Raises what a malformed one raises."""
    return [SimpleNamespace(**dict(row) | {"at": datetime.fromisoformat(row["at"])}) for row in values]


@dataclass(frozen=True)
class _Over:
    """A head over a chain, and what it holds of it: nothing, where it does not lead there."""

    head: Head
    held: tuple[Held, ...]


def _head(values: Any, kind: str, key: str | None, name: str, report: DossierReport) -> _Over | None:
    """Check a head and that it leads to a chain; what is younger than any head has none."""
    if values is None:
        return None
    try:
        head = HeadFile.read(json.dumps({"head": values["head"]}).encode()).head
        leaf = Leaf(**values["leaf"])
        covers = leads_to(leaf, values["proof"], head.tree)
        held = Held(head.number, head.day.isoformat(), int(leaf.seq), leaf.hash)
    except (KeyError, TypeError, ValueError):
        raise _Unreadable(name) from None
    if head not in report.heads:
        report.heads.append(head)
    facts = {"head": head.number, "day": head.day.isoformat()}
    assert report.key is not None
    fault = head.fault(PublicKeys([report.key]))
    # After a rotation a head bears an older key than the dossier: that key must be held against ours.
    if fault is not None and fault != "head_key_unknown":
        report.findings.append(Finding(fault, facts=facts))
    if covers and (leaf.kind, leaf.key) == (kind, key):
        return _Over(head, (held,))
    report.findings.append(Finding("head_leaves", facts=facts))
    return _Over(head, ())


async def _replays(files: Mapping[str, bytes], events: list[Any], report: DossierReport) -> None:
    """Replay the runs that are in it; what was lost before it was exported is reported."""
    values = _read(files, HISTORY)
    try:
        histories = [
            (run["run_id"], WorkflowHistory.from_json(values["workflow_id"], run["history"]))
            for run in values["runs"]
            if run["history"] is not None
        ]
        report.lost = [run["run_id"] for run in values["runs"] if run["history"] is None]
        names = Recorded.__dataclass_fields__
        recorded = [Recorded(**{name: getattr(event, name) for name in names}) for event in events]
    except Exception:  # the SDK raises what it likes over a malformed history
        raise _Unreadable(HISTORY) from None
    report.runs = len(histories)
    case_id = events[0].case_id if events else ""
    converter = DataConverter(payload_converter_class=JsonConverter)
    whole = bool(histories) and not report.lost
    report.findings += await check_replays(case_id, recorded, histories, converter, whole)


def _read(files: Mapping[str, bytes], name: str) -> Any:
    try:
        return json.loads(files[name])
    except ValueError:
        raise _Unreadable(name) from None
