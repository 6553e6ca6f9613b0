"""Making a report: from the tables to rows that are ready to be stored. The activity stores them."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from activities.archiving import newest_head
from activities.reporting import Made, report_id_of
from casework.moments import shown
from casework.report_cases import told_again, told_cases
from casework.report_content import Content, Heading, content_of
from casework.report_files import CATEGORY, File, files_of
from models.crypto import Keyring
from models.database import Database
from models.heads import Head
from models.report import Report, ReportFile, sealing
from rules.reporting import Due, ReportKind


@dataclass(frozen=True)
class ReportMaker:
    """Makes reports; what the reporting activity is given (`activities.reporting.Maker`)."""

    database: Database
    keyring: Keyring
    templates: Path | None = None

    async def make(self, hall: str, due: Due, made_at: datetime) -> Made:
        """Return a report of this period, with the cases as they stood at its end. Stores nothing."""
        async with self.database.read() as session:
            head = _printed(await session.run_sync(cast(Callable[..., Head | None], newest_head)))
            heading = Heading(report_id_of(hall, due), hall, due, made_at, head)
            content = await content_of(
                session, self.keyring, heading, told_cases(session, self.keyring, hall, due)
            )
        files = await asyncio.to_thread(files_of, content.values, self.templates)
        return Made(self._report(heading, content), self._rows(heading.report_id, files), content.cases)

    async def again(self, report: Report) -> tuple[Content, list[File]]:
        """Return a stored report made anew from the ledger, as it was made the first time."""
        kind = ReportKind(report.kind)
        due = Due(kind, report.due_at, report.covers_from, report.covers_to, report.provisional)
        heading = Heading(report.id, report.hall, due, report.made_at, report.facts.get("head"))
        async with self.database.read() as session:
            content = await content_of(
                session, self.keyring, heading, told_again(session, self.keyring, report)
            )
        return content, await asyncio.to_thread(files_of, content.values, self.templates)

    def _report(self, heading: Heading, content: Content) -> Report:
        due = heading.due
        return Report(
            id=heading.report_id,
            kind=due.kind,
            hall=heading.hall,
            category=CATEGORY[due.kind],
            covers_from=due.start,
            covers_to=due.end,
            due_at=due.at,
            made_at=heading.made_at,
            provisional=due.provisional,
            facts={"figures": content.values["figures"], "head": heading.head, "cases": len(content.cases)},
            digest=content.digest,
        )

    def _rows(self, report_id: str, files: Sequence[File]) -> list[ReportFile]:
        return [
            ReportFile(
                report_id=report_id,
                format=file.format,
                name=file.name,
                media_type=file.media_type,
                size=len(file.content),
                sha256=hashlib.sha256(file.content).hexdigest(),
                content=self.keyring.seal(file.content, sealing(report_id, file.format)),
            )
            for file in files
        ]


def _printed(head: Head | None) -> dict[str, Any] | None:
    """Return a signed head over all chains as it is printed; None while there is none."""
    if head is None:
        return None
    return {"number": head.number, "hash": head.root, "at": shown(head.taken_at), "key": head.key_id}
