"""Reading an uploaded file off the wire: as far as it may go, and never onto the disk in clear."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from casework.errors import BadInput, TooLarge
from routes.bodies import limited
from routes.fields import cleaned
from rules.case.typed import Typed

FRAME = 64 * 1024  # bytes of a multipart body beside the file
MULTIPART = "multipart/form-data"
FIELD = "file"
_NAME = Typed(1, 100)

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                    "required": [FIELD],
                    "additionalProperties": False,
                }
            }
        },
    }
}
"""What the OpenAPI document says of it."""


@dataclass(frozen=True, repr=False)
class Upload:
    """A file as it was sent: its name without folders, and its content."""

    name: str
    content: bytes


class _InMemory(MultiPartParser):
    """Keeps the file in memory: what is spooled to the disk would lie there in clear."""

    spool_max_size = 64 * 1024 * 1024


async def read_upload(request: Request, largest: int) -> Upload:
    """Return the one file of a multipart body. Raises `BadInput`, and `TooLarge` while it streams."""
    form = await read_multipart(request, largest)
    try:
        return await one_file(form, largest)
    finally:
        await form.close()


async def read_multipart(request: Request, largest: int) -> FormData:
    """Return a form with a file, held in memory; the caller closes it. Raises as `read_upload`."""
    if not request.headers.get("content-type", "").lower().startswith(MULTIPART):
        raise BadInput({FIELD: "missing"})
    return await _parse(request, limited(request.stream(), largest + FRAME))


async def _parse(request: Request, stream: AsyncIterator[bytes]) -> FormData:
    # Whatever a client calls a field, the parser must not fall over it.
    parser = _InMemory(request.headers, stream, max_files=1, max_fields=20)  # type: ignore[arg-type]
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise BadInput({"body": "unreadable"}) from error


async def one_file(form: FormData, largest: int, beside: Collection[str] = ()) -> Upload:
    """Return the file of a form that has the fields `beside` it and no others. Raises `BadInput`."""
    faults = {name: "extra_forbidden" for name in form if name != FIELD and name not in beside}
    file = form.get(FIELD)
    if not isinstance(file, UploadFile):
        raise BadInput({**faults, FIELD: "missing"})
    if faults:
        raise BadInput(faults)
    if (file.size or 0) > largest:
        raise TooLarge(largest)
    return Upload(_base_name(file.filename or ""), await file.read())


def _base_name(sent: str) -> str:
    """Return the name without the folders that some browsers send along."""
    try:
        return cleaned(sent.replace("\\", "/").rsplit("/", 1)[-1], _NAME)
    except ValueError as error:
        raise BadInput({FIELD: getattr(error, "type", "string_type")}) from error
