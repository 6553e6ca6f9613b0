"""A backup's file: whole or refused, and what is wrong is named. Keys have a file of their own."""

import json
import stat
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from casework.archive import ArchiveReader, ArchiveWriter, BadArchive, Manifest
from casework.key_files import BadKeyFile, read_key_file, write_key_file

ROWS = [b'["a",1]\n', '["张三",null]\n'.encode()]
FILE = "attachments/case/digest"
SECRETS = {"PAYLOAD_KEYS": "k1:AAAA", "SIGNING_KEY": "BBBB=", "SECRET_KEY": "c=d", "WEBHOOK_SECRET": "e" * 16}


async def lines() -> AsyncIterator[bytes]:
    for row in ROWS:
        yield row


def manifest(archive: ArchiveWriter) -> Manifest:
    return Manifest("2026-03-02T01:00:00+00:00", "0009", "sqlite", "t", "k", archive.tables, archive.files)


@pytest.fixture
async def whole(tmp_path: Path) -> Path:
    """A backup of one table and one file."""
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_bytes(b"sealed" * 1000)
    path = tmp_path / "backup"
    with ArchiveWriter(path) as archive:
        await archive.add_table("halls", [("name", "text"), ("n", "int")], lines())
        archive.add_file(tmp_path, FILE)
        archive.close(manifest(archive))
    return path


def test_what_was_written_is_read_again(whole: Path) -> None:
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600
    with ArchiveReader(whole) as archive:
        archive.verify()
        [table], [file] = archive.manifest.tables, archive.manifest.files
        assert (table.name, table.rows, list(archive.lines(table))) == ("halls", 2, ROWS)
        assert (file.path, b"".join(archive.chunks(file))) == (FILE, b"sealed" * 1000)


async def test_a_failed_backup_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ArchiveWriter(tmp_path / "backup") as archive:
        await archive.add_table("halls", [], lines())
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_gone_spoils_nothing(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "backup") as archive:
        with pytest.raises(FileNotFoundError):
            archive.add_file(tmp_path, FILE)
        archive.close(manifest(archive))
    with ArchiveReader(tmp_path / "backup") as read:
        read.verify()


def test_a_backup_is_never_written_over_another_file(whole: Path) -> None:
    with pytest.raises(FileExistsError):
        ArchiveWriter(whole)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_a_backup_that_is_cut_short_is_refused(whole: Path, share: float) -> None:
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * share)])
    assert _fault(whole) == ("cut_short", "")


def test_a_changed_byte_is_found_and_its_member_named(whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[content.index(b"sealedsealed") + 3] ^= 1
    whole.write_bytes(content)
    assert _fault(whole) == ("damaged", FILE)


def _edit(**changed: Any) -> Callable[[dict[str, bytes]], None]:
    def edit(members: dict[str, bytes]) -> None:
        read = json.loads(members["manifest.json"])
        for name, value in changed.items():
            (read["tables"][0] if name in ("rows", "sha256") else read)[name] = value
        members["manifest.json"] = json.dumps(read).encode()

    return edit


def _outside(name: str) -> Callable[[dict[str, bytes]], None]:
    def edit(members: dict[str, bytes]) -> None:
        read = json.loads(members["manifest.json"])
        read["files"][0]["path"] = name
        members["manifest.json"] = json.dumps(read).encode()
        members[name] = members.pop(FILE)

    return edit


@pytest.mark.parametrize(
    ("edit", "reason", "member"),
    [
        (lambda members: members.pop("manifest.json"), "no_manifest", ""),
        (lambda members: members.pop(FILE), "missing", FILE),
        (lambda members: members.update({"attachments/more": b""}), "not_named", "attachments/more"),
        (lambda members: members.update({FILE: b"another"}), "differs", FILE),
        (lambda members: members.update({"tables/halls.jsonl": ROWS[0]}), "differs", "tables/halls.jsonl"),
        (lambda members: members.update({"manifest.json": b"{"}), "unreadable", "manifest.json"),
        (lambda members: members.update({"manifest.json": b"[]"}), "unreadable", "manifest.json"),
        (_edit(format=2), "other_format", "manifest.json"),
        (_edit(tables=[{"name": "halls"}]), "unreadable", "manifest.json"),
        (_edit(rows=3), "differs", "tables/halls.jsonl"),
        (_outside("../../etc/passwd"), "bad_name", "../../etc/passwd"),
        (_outside("attachments/../../x"), "bad_name", "attachments/../../x"),
        (_outside("/attachments/x"), "bad_name", "/attachments/x"),
        (_outside("attachments/.draft"), "bad_name", "attachments/.draft"),
        (_outside("payload_keys"), "bad_name", "payload_keys"),
    ],
)
def test_what_was_tampered_with_is_named(
    whole: Path, edit: Callable[[dict[str, bytes]], Any], reason: str, member: str
) -> None:
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    edit(members)
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert _fault(whole) == (reason, member)


def _fault(path: Path) -> tuple[str, str]:
    with pytest.raises(BadArchive) as caught, ArchiveReader(path) as archive:
        archive.verify()
    return caught.value.reason, caught.value.member


@pytest.mark.parametrize("passphrase", [None, "一句很长的口令，不写下来"])
def test_keys_are_read_as_they_were_written(tmp_path: Path, passphrase: str | None) -> None:
    path = tmp_path / "keys"
    write_key_file(path, SECRETS, passphrase)
    assert read_key_file(path, passphrase) == SECRETS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (b"k1:AAAA" in path.read_bytes()) is (passphrase is None)
    with pytest.raises(FileExistsError):
        write_key_file(path, SECRETS, passphrase)


@pytest.mark.parametrize("passphrase", [None, "another one"])
def test_sealed_keys_open_with_their_passphrase_only(tmp_path: Path, passphrase: str | None) -> None:
    write_key_file(tmp_path / "keys", SECRETS, "the right one")
    with pytest.raises(BadKeyFile, match="passphrase"):
        read_key_file(tmp_path / "keys", passphrase)


@pytest.mark.parametrize(
    "content",
    [b"", b"BANCHENG_SECRET_KEY=x\n", b"BANCHENG_PAYLOAD_KEYS=x\nBANCHENG_PORT=1\n", b"{}", b"\xff"],
)
def test_what_holds_no_keys_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(BadKeyFile):
        read_key_file(tmp_path / "keys", "x")
