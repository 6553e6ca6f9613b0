"""What a file is, judged by its content: names and declared types say nothing.

A small look of our own into the directory of a ZIP: libraries that were tried take any archive
with a folder `word/` for a document, or miss one whose entries stand in another order.
"""

import io
import re
import zipfile
import zlib

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = f"{_OFFICE}wordprocessingml.document"
XLSX = f"{_OFFICE}spreadsheetml.sheet"

SUFFIXES = {
    PDF: (".pdf",),
    JPEG: (".jpg", ".jpeg"),
    PNG: (".png",),
    DOCX: (".docx",),
    XLSX: (".xlsx",),
}
"""The types that are taken, each with the endings that fit it; the first one is usual."""

_HEADS = ((b"%PDF-", PDF), (b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG))
_ZIP = b"PK\x03\x04"
_MAIN_PARTS = ((f"{DOCX}.main+xml", DOCX), (f"{XLSX}.main+xml", XLSX))
_CONTENT_TYPES = "[Content_Types].xml"
_LARGEST_LIST = 1024 * 1024  # bytes, unpacked: a list of parts is some kilobytes, a bomb is not
_OVERRIDE = re.compile(rb"""ContentType\s*=\s*["']([^"']+)["']""")


def media_type_of(content: bytes) -> str | None:
    """Return the type of a file, None where it is none of those that are taken.

    A document with macros is none of them.
    """
    for head, media_type in _HEADS:
        if content.startswith(head):
            return media_type
    return _office_type(content) if content.startswith(_ZIP) else None


def _office_type(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                return None
            if archive.getinfo(_CONTENT_TYPES).file_size > _LARGEST_LIST:
                return None
            with archive.open(_CONTENT_TYPES) as part:
                listed = part.read(_LARGEST_LIST)
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError, RuntimeError, ValueError):
        return None
    types = {found.decode("ascii", "replace") for found in _OVERRIDE.findall(listed)}
    return next((media_type for main, media_type in _MAIN_PARTS if main in types), None)
