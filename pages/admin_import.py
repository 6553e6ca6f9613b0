"""`/admin/contacts/import`: the contact table out of an Excel file: looked at first, then imported."""

import asyncio
import binascii
from base64 import b64decode, b64encode
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.contact_import import LARGEST, import_as_seen, look_at
from casework.contact_table import LineChange
from casework.contact_template import write_template
from casework.spreadsheet import BadTable
from pages.admin_contacts import PARTS, PEOPLE
from pages.admin_parts import Admin, show, typed, uploaded
from pages.admin_words import field
from pages.frame import SIGNED_IN
from routes.dependencies import Given

router = APIRouter(dependencies=SIGNED_IN)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEMPLATE = "业务联系表.xlsx"
_TOO_LARGE = f"文件超过 {LARGEST // 1000} KB;更大的表请用命令行导入"


@router.get("/admin/contacts/import")
async def form(request: Request, viewer: Admin) -> Response:
    """Show the form."""
    return _page(request)


@router.post("/admin/contacts/import")
async def take(request: Request, given: Given, viewer: Admin) -> Response:
    """Look at a file that was chosen, or import the one that was looked at."""
    file = await uploaded(request, "file", LARGEST)
    sent = await typed(request, "content", "digest", "act")
    content = _decoded(sent["content"]) if sent["act"] == "import" else file
    if content is None:
        return _page(request, 422, faults=["请选择一个 Excel 文件"])
    if len(content) > LARGEST:
        return _page(request, 422, faults=[_TOO_LARGE])
    try:
        stale = sent["act"] == "import"
        if stale and (imported := await import_as_seen(given, viewer, content, sent["digest"])):
            return _page(request, imported=imported.done)
        looked = await look_at(given, viewer, content)
    except BadTable as refusal:
        return _page(request, 422, faults=[str(fault) for fault in refusal.faults])
    changes = [(change, differences(change)) for change in looked.done.changes]
    seen = {"looked": looked, "changes": changes, "content": b64encode(content).decode()}
    return _page(request, 409 if stale else 200, stale=stale, **seen)


@router.get("/admin/contacts/template.xlsx")
async def template(viewer: Admin) -> Response:
    """Return an empty table to fill in."""
    content = await asyncio.to_thread(_template)
    named = f"attachment; filename*=UTF-8''{quote(TEMPLATE)}"
    return Response(content, media_type=XLSX, headers={"Content-Disposition": named})


def differences(change: LineChange) -> list[tuple[str, str, str]]:
    """Return what differs in a line: what it is called, the old text, the new one."""
    before, after = _flat(change.before), _flat(change.after)
    return [
        (field(part) if part != "name" else "单位名称", old, new)
        for part, new in after.items()
        if (old := before.get(part, "")) != new
    ]


def _flat(people: Any) -> dict[str, str]:
    if people is None:
        return {}
    flat = {"name": people["name"]}
    for person in PEOPLE:
        flat |= {f"{person}.{part}": (people[person] or {}).get(part) or "" for part in PARTS}
    return flat


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _template() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        write_template(path)
        return path.read_bytes()


def _page(request: Request, status: int = 200, **values: Any) -> Response:
    nothing: dict[str, Any] = {
        "faults": [],
        "looked": None,
        "changes": [],
        "content": "",
        "imported": None,
        "stale": False,
    }
    return show(request, "import.html", status=status, **{**nothing, **values})
