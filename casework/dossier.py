"""The dossier (卷宗): one zip from which a stranger can verify a case without our database.

It holds the events with the columns that their hashes cover, what was done to the bulletins and typical
cases about the case, the workflow's history opened, so that who has no key of ours can replay it, the
newest signed head over each chain with the proof that leads from it to the root, a PDF for people, and a
manifest with the SHA-256 of each file, signed.

The zip is written so that the same files always make the same bytes: a changed byte anywhere shows, in
what a zip keeps about its files too.
"""

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory

from casework.case_acts import ItemRecord
from casework.case_file import CaseFile, open_file
from casework.case_verifying import CaseEvidence, CaseReport, gather_evidence, verify_evidence
from casework.errors import NotFound
from casework.histories import RunHistory
from casework.services import Services
from casework.viewer import Viewer
from models.access_log import append
from models.chain import ACT_CHAIN, EVENT_CHAIN, Chain
from models.codec import ENCODING, SealingCodec
from models.crypto import Keyring
from models.merkle import proof_of
from models.signing import PublicKey
from rules.case.vocabulary import Role

MAY_TAKE = frozenset({Role.SUPERVISOR, Role.AUDITOR})
FORMAT = 2  # 1 had no acts
PDF, EVENTS, ACTS, HISTORY, HEAD = "dossier.pdf", "events.json", "acts.json", "history.json", "head.json"
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # what a zip says of a time that it does not know


@dataclass(frozen=True)
class Printable:
    """What the PDF tells people."""

    file: CaseFile
    report: CaseReport
    made_at: datetime
    made_by: Viewer


@dataclass(frozen=True)
class Gathered:
    """A case with all that speaks for it, verified, to be printed and packed."""

    printable: Printable
    evidence: CaseEvidence


async def gather(services: Services, viewer: Viewer, ref: str) -> Gathered:
    """Return what a dossier holds. Raises `NotFound`, EngineUnavailable."""
    file = await open_file(services, viewer, ref)
    if file.case["number"] is None:
        raise NotFound("case")
    evidence = await gather_evidence(services, file.case["id"])
    report = await verify_evidence(services, evidence)
    return Gathered(Printable(file, report, await services.clock.now(), viewer), evidence)


async def pack(services: Services, gathered: Gathered, pdf: bytes, address: str | None) -> tuple[str, bytes]:
    """Return the name and the content of the zip; who took it is on the access log first."""
    case = gathered.evidence.case
    made = await asyncio.to_thread(_packed, services, gathered, pdf)
    async with services.database.begin() as session:
        await append(
            session,
            at=await services.wall.now(),
            action="dossier",
            username=gathered.printable.made_by.username,
            case_id=case.id,
            reason=f"sha256 {hashlib.sha256(made).hexdigest()}",
            address=address,
        )
    return f"{case.number}.zip", made


def _packed(services: Services, gathered: Gathered, pdf: bytes) -> bytes:
    evidence = gathered.evidence
    files = {
        PDF: pdf,
        EVENTS: _json(_events(evidence)),
        ACTS: _json({"items": [_record(evidence, record) for record in evidence.records]}),
        HISTORY: _json(_histories(services.keyring, evidence)),
        HEAD: _json(_head(evidence, "case", evidence.case.id)),
    }
    signer = services.evidence.signer
    manifest = {
        "format": FORMAT,
        "case_id": evidence.case.id,
        "number": evidence.case.number,
        "events": len(evidence.rows),
        "acts": {record.key: len(record.rows) for record in evidence.records},
        "made_at": gathered.printable.made_at.isoformat(),
        "files": {name: _said_of(content) for name, content in files.items()},
    }
    files[MANIFEST] = _json(manifest)
    files[SIGNATURE] = signature_file(signer.public, signer.sign(files[MANIFEST]))
    return zipped(files)


def signature_file(public: PublicKey, signature: str) -> bytes:
    """Return the one form of the file that no other file vouches for."""
    return _json(
        {
            "algorithm": "ed25519",
            "key_id": public.key_id,
            "public_key": public.text,
            "signature": signature,
        }
    )


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return the one zip of these files: no times, no attributes, nothing packed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return made.getvalue()


def _json(values: Any) -> bytes:
    return json.dumps(values, ensure_ascii=False, indent=1, default=str).encode() + b"\n"


def _said_of(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _events(evidence: CaseEvidence) -> dict[str, Any]:
    """Return the ledger as it stands, with what people typed in clear beside the ciphertext."""
    return {
        "case_id": evidence.case.id,
        "erased": evidence.erased,
        "events": [
            _linked(row, EVENT_CHAIN) | {"texts": None if evidence.erased else texts}
            for row, texts in evidence.rows
        ],
    }


def _record(evidence: CaseEvidence, record: ItemRecord) -> dict[str, Any]:
    """Return what was done to one item as it stands, and the newest head over it."""
    return {
        "kind": record.kind,
        "item": record.item,
        "acts": [_linked(row, ACT_CHAIN) | {"texts": dict(texts)} for row, texts in record.rows],
        "head": _head(evidence, "act", record.key),
    }


def _linked(row: Any, chain: Chain) -> dict[str, Any]:
    """Return the columns that the hash of a row covers, and the hashes."""
    covered = {name: getattr(row, name) for name in chain.fields}
    return {**covered, "at": row.at.isoformat(), "prev_hash": row.prev_hash, "hash": row.hash}


def _histories(keyring: Keyring, evidence: CaseEvidence) -> dict[str, Any]:
    return {"workflow_id": f"case-{evidence.case.id}", "runs": [_run(keyring, run) for run in evidence.runs]}


def _run(keyring: Keyring, run: RunHistory) -> dict[str, Any]:
    """Return a run; `sealed_sha256` is the hash of its export, which a head covers."""
    opened = opened_history(run.history, keyring) if run.history else None
    return {
        "run_id": run.run_id,
        "fault": run.fault,
        "reason": run.reason,
        "sealed_sha256": run.sha256,
        "history": json.loads(opened.to_json()) if opened else None,
    }


def opened_history(history: WorkflowHistory, keyring: Keyring) -> WorkflowHistory:
    """Return the history with its payloads in clear. Raises `crypto.UnsealError`."""
    copy = History(events=history.events)
    codec = SealingCodec(keyring)
    for event in copy.events:
        _open_payloads(event, codec)
    return WorkflowHistory(history.workflow_id, copy.events)


def _open_payloads(message: Message, codec: SealingCodec) -> None:
    if isinstance(message, Payload):
        if message.metadata.get("encoding") == ENCODING:
            message.CopyFrom(codec.opened(message))
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for part in _parts(descriptor, value):
            _open_payloads(part, codec)


def _parts(descriptor: Any, value: Any) -> Sequence[Message]:
    if not descriptor.is_repeated:
        return [value]
    if descriptor.message_type.GetOptions().map_entry:
        return [each for each in value.values() if isinstance(each, Message)]
    return list(value)


def _head(evidence: CaseEvidence, kind: str, key: str) -> dict[str, Any] | None:
    """Return the newest head over a chain, its leaf and the proof; None before the first."""
    over = evidence.over(kind, key)
    if not over:
        return None
    file, leaf = over[-1]
    return {"head": file.head.values(), "leaf": leaf.values(), "proof": proof_of(file.leaves, leaf)}
