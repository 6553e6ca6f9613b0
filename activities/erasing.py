"""Erasure: what of an archived case is personal leaves its tables, and the key of its sealed texts with it.

The ledger's rows stay as they are: they hold ciphertext that nothing opens any more, and their chain and
the signed heads go on holding. Source: design.md, Personal data.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, delete, select, update

from activities.tables import CASES, FACTS, FILINGS, PETITIONERS, SECRETS
from models.attachment import Attachment
from models.base import Base
from models.codes import hash_code, new_code
from models.command import SentCommand
from models.crypto import Keyring
from models.report import ReportCase, ReportFile, sealing
from models.typical import TypicalCase

GONE = "（已清除）"
"""Stands for a title that may not be empty."""


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


ATTACHMENTS, COMMANDS, TYPICAL = _table(Attachment), _table(SentCommand), _table(TypicalCase)
REPORT_CASES, REPORT_FILES = _table(ReportCase), _table(ReportFile)

_BLANKED: Mapping[Table, tuple[str, ...]] = {
    CASES: ("matter", "problem", "reply_text", "lesson", "reference"),
    PETITIONERS: ("name", "phone", "id_number", "uscc", "name_index", "phone_index"),
    FACTS: ("person_key", "matter_key"),
    ATTACHMENTS: ("name",),
}
"""Columns by table that become empty; of `cases` the row's own id is the case's."""


def erase_rows(connection: Connection, keyring: Keyring, case_id: str, at: datetime) -> bool:
    """Erase a case in the caller's transaction; False where its key was destroyed before.

    Idempotent: a second time finds no key. The caller has locked the case and judged that it may go.
    """
    overwrite_what_goes(connection)
    gone = connection.execute(delete(SECRETS).where(SECRETS.c.case_id == case_id)).rowcount > 0
    for table, columns in _BLANKED.items():
        blank: dict[str, Any] = dict.fromkeys(columns)
        if table is CASES:
            mine, values = table.c.id == case_id, {**blank, "erased": True}
        else:
            mine, values = table.c.case_id == case_id, blank
        connection.execute(update(table).where(mine).values(values))
    connection.execute(update(FILINGS).where(FILINGS.c.case_id == case_id).values(_blank_filing()))
    connection.execute(delete(COMMANDS).where(COMMANDS.c.case_id == case_id))
    _write_ups(connection, case_id)
    _reports(connection, keyring, case_id, at)
    return gone


def overwrite_what_goes(connection: Connection) -> None:
    """Have what is deleted or blanked from now on overwritten, too: SQLite's freed pages would keep it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def _blank_filing() -> dict[str, Any]:
    """The digest of the form goes too: a phone could be guessed by it. No receipt opens anything any more."""
    blank = dict.fromkeys(("form", "reference", "origin_key", "idempotency_key"))
    return {**blank, "body_hash": "", "query_code_hash": hash_code(new_code())}


def _write_ups(connection: Connection, case_id: str) -> None:
    """Blank the write-ups that nobody published; published ones were reviewed to be about nobody."""
    unpublished = TYPICAL.c.case_id == case_id, TYPICAL.c.status != "published"
    blank = {"title": GONE, "problem": "", "done": "", "lesson": "", "matter": None}
    connection.execute(update(TYPICAL).where(*unpublished).values(blank))


def _reports(connection: Connection, keyring: Keyring, case_id: str, at: datetime) -> None:
    """Empty the files of the reports that told of the case; what is left of it can be made again by hand."""
    told_of = select(REPORT_CASES.c.report_id).where(REPORT_CASES.c.case_id == case_id)
    key = REPORT_FILES.c.report_id, REPORT_FILES.c.format
    standing = REPORT_FILES.c.report_id.in_(told_of), REPORT_FILES.c.erased_at.is_(None)
    for report_id, ending in connection.execute(select(*key).where(*standing)).all():
        # A token still: whatever moves tokens from key to key must find one in each row.
        nothing = keyring.seal(b"", sealing(report_id, ending))
        mine = key[0] == report_id, key[1] == ending
        connection.execute(update(REPORT_FILES).where(*mine).values(content=nothing, erased_at=at))
