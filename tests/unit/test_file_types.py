"""What a file is, by its content."""

import io
import zipfile
from collections.abc import Mapping

import pytest
import xlsxwriter

from casework.file_types import DOCX, JPEG, PDF, PNG, XLSX, media_type_of

WORD_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"


def zipped(parts: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def content_types(main: str) -> bytes:
    return (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    ).encode()


def docx(main: str = WORD_MAIN, **more: bytes) -> bytes:
    parts = {"[Content_Types].xml": content_types(main), "word/document.xml": b"<w/>"}
    return zipped(parts | {name.replace("__", "/"): content for name, content in more.items()})


def xlsx() -> bytes:
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        book.add_worksheet().write(0, 0, "台账")
    return packed.getvalue()


def reordered(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return zipped({name: archive.read(name) for name in sorted(archive.namelist(), reverse=True)})


BOMB = zipped({"[Content_Types].xml": b" " * 50_000_000})

FILES = [
    (b"%PDF-1.7\n...", PDF, "a PDF"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG, "a JPEG"),
    (b"\x89PNG\r\n\x1a\n....", PNG, "a PNG"),
    (docx(), DOCX, "a DOCX"),
    (reordered(docx()), DOCX, "a DOCX packed again in another order"),
    (xlsx(), XLSX, "an XLSX"),
    (reordered(xlsx()), XLSX, "an XLSX packed again in another order"),
    (docx(MACROS), None, "a DOCM: its type says so"),
    (docx(**{"word__vbaProject.bin": b"x"}), None, "macros inside"),
    (docx(SLIDES), None, "slides"),
    (zipped({"word/evil.exe": b"MZ"}), None, "an archive with a folder word/"),
    (zipped({"a.txt": b"x"}), None, "an archive"),
    (BOMB, None, "a bomb"),
    (docx()[:200], None, "half a DOCX"),
    (b"PK\x03\x04", None, "the head of an archive"),
    (b"<html><script>alert(1)</script>", None, "HTML"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, "SVG"),
    (b"MZ\x90\x00", None, "a program"),
    (b"GIF89a", None, "a GIF"),
    (b"\n%PDF-1.7", None, "a PDF that does not begin as one"),
    (b"\x89PNG\n\x1a\n", None, "a PNG whose line break was changed"),
    (b"", None, "nothing"),
]


@pytest.mark.parametrize(("content", "media_type", "what"), FILES, ids=[row[2] for row in FILES])
def test_a_file_is_judged_by_its_content(content: bytes, media_type: str | None, what: str) -> None:
    assert media_type_of(content) == media_type, what
