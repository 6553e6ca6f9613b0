"""Backup and restore: everything comes back on either database, or nothing is touched."""

import asyncio
import json
import shutil
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect
from sqlmodel import select

from casework import restoring
from casework.archive import ArchiveReader, BadArchive
from casework.backup import back_up
from casework.heads import take_now
from casework.histories import export_ended
from casework.house_keys import read_house_keys
from casework.restoring import NewerBackup, NotEmpty, WrongKeys, bad_files, restore
from casework.services import Services
from models.access import AccessToken
from models.access_log import append
from models.attachment import Attachment
from models.crypto import Keyring, generate_key
from models.directory import Hall
from models.filing import CaseSecret
from models.house_key import KnownEngine
from models.migrate import migration_engine, upgrade
from tests.integration.test_attachments import upload
from tests.support.house import House
from tests.support.office import services_at
from tests.support.recovering import elsewhere, rows_of


@dataclass
class Taken:
    """A backup, what it is of, and an empty place on another kind of database."""

    path: Path
    source: Services
    target: Services
    url: str


@pytest.fixture
def other_url(house: House, request: pytest.FixtureRequest) -> str:
    """An empty database of the other kind than the house's."""
    sqlite = house.services.database.dialect == "sqlite"
    url: str = request.getfixturevalue("postgres_url" if sqlite else "sqlite_url")
    return url


async def test_a_house_comes_back_on_the_other_kind_of_database(
    house: House, other_url: str, tmp_path: Path
) -> None:
    services = house.services
    case = await house.handled()
    assert (await upload(house, case, by="guilin.market.contact")).status_code == 201
    closed = await house.closed()
    await house.act(closed, "archive", "guilin.lead")
    await read_house_keys(services)
    async with asyncio.timeout(30):
        while not await export_ended(services):
            await asyncio.sleep(0.1)
    await take_now(services)
    manifest = await back_up(services, tmp_path / "backup")
    assert not manifest.missing
    assert sorted(file.path.partition("/")[0] for file in manifest.files) == [
        "attachments", "heads", "histories",
    ]  # fmt: skip
    before = await rows_of(services)
    target = elsewhere(services, other_url, tmp_path / "restored")
    try:
        done = await restore(target, other_url, tmp_path / "backup")
        assert done.ok and done.ledger.cases == 2 and done.ledger.heads == 1
        assert await rows_of(target) == before
        async with target.database.read() as session:
            assert (await session.exec(select(AccessToken))).first() is None, "everybody signs in again"
            assert await session.get(KnownEngine, 1) is None, "no engine is known"
        async with target.database.begin() as session:  # numbers go on behind those that were loaded
            await append(session, at=await target.wall.now(), action="sign_in", username="x", address=None)
        async with target.database.read() as session:
            [row] = (await session.exec(select(Attachment))).all()
        (target.attachments / row.case_id / row.sha256).write_bytes(b"x")
        assert await bad_files(target) == [f"attachments/{row.case_id}/{row.sha256}"]
    finally:
        await target.database.close()


@pytest.fixture
async def taken(furnished_sqlite_url: str, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Taken]:
    """A small backup on SQLite, without any case."""
    source = services_at(furnished_sqlite_url, tmp_path / "source")
    await read_house_keys(source)
    path = tmp_path / "backup"
    await back_up(source, path)
    url = f"sqlite+aiosqlite:///{tmp_path / 'target' / 'empty.db'}"
    target = elsewhere(source, url, tmp_path / "target")
    yield Taken(path, source, target, url)
    await target.database.close()
    await source.database.close()


async def halls(taken: Taken) -> int:
    """How many halls stand in the target."""
    if taken.target.database.is_missing:
        return 0
    await upgrade(taken.url)
    async with taken.target.database.read() as session:
        return len((await session.exec(select(Hall))).all())


async def test_only_an_empty_system_is_restored_into(taken: Taken) -> None:
    assert (await restore(taken.target, taken.url, taken.path)).ok
    assert await halls(taken) == 3
    with pytest.raises(NotEmpty) as caught:
        await restore(taken.target, taken.url, taken.path)
    assert caught.value.what == "table halls"


async def test_tables_without_rows_are_empty(taken: Taken) -> None:
    await upgrade(taken.url)
    assert (await restore(taken.target, taken.url, taken.path)).ok


async def test_files_of_another_installation_keep_a_restore_out(taken: Taken) -> None:
    stranger = taken.target.attachments / "case" / "digest"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"x")
    with pytest.raises(NotEmpty):
        await restore(taken.target, taken.url, taken.path)
    assert stranger.read_bytes() == b"x" and await halls(taken) == 0


async def test_a_damaged_backup_touches_nothing(taken: Taken) -> None:
    content = bytearray(taken.path.read_bytes())
    with zipfile.ZipFile(taken.path) as archive:
        offset = archive.getinfo("tables/users.jsonl").header_offset
    content[offset + 100] ^= 0xFF
    taken.path.write_bytes(content)
    with pytest.raises(BadArchive) as caught:
        await restore(taken.target, taken.url, taken.path)
    assert caught.value.member == "tables/users.jsonl"
    assert taken.target.database.is_missing


async def test_other_keys_are_told_before_anything_is_done(taken: Taken) -> None:
    others = Keyring.parse(generate_key("k1"))
    with pytest.raises(WrongKeys):
        await restore(replace(taken.target, keyring=others), taken.url, taken.path)
    assert taken.target.database.is_missing


def edited(taken: Taken, **changed: Any) -> None:
    """Change the manifest of a backup."""
    with zipfile.ZipFile(taken.path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | changed).encode()
    with zipfile.ZipFile(taken.path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


async def test_a_backup_of_a_newer_schema_is_refused(taken: Taken) -> None:
    edited(taken, revision="9999")
    with pytest.raises(NewerBackup, match="9999"):
        await restore(taken.target, taken.url, taken.path)
    assert taken.target.database.is_missing


async def test_a_restore_that_breaks_off_leaves_it_empty_and_can_be_repeated(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = restoring.load_rows

    async def break_off(connection: Any, name: str, *rest: Any) -> int:
        if name == "units":
            raise KeyboardInterrupt
        return await real(connection, name, *rest)

    monkeypatch.setattr(restoring, "load_rows", break_off)
    with pytest.raises(KeyboardInterrupt):
        await restore(taken.target, taken.url, taken.path)
    assert await halls(taken) == 0
    assert not list(taken.target.attachments.parent.rglob("heads/*"))
    monkeypatch.undo()
    assert (await restore(taken.target, taken.url, taken.path)).ok
    assert await halls(taken) == 3


async def test_files_that_a_killed_restore_left_are_its_own(taken: Taken) -> None:
    await take_now(taken.source)
    taken.path.unlink()
    await back_up(taken.source, taken.path)
    shutil.copytree(taken.source.evidence.heads, taken.target.evidence.heads)
    assert (await restore(taken.target, taken.url, taken.path)).ok


def _columns(connection: Connection) -> dict[str, set[str]]:
    inspected = inspect(connection)
    return {
        name: {each["name"] for each in inspected.get_columns(name)} for name in inspected.get_table_names()
    }


async def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    furnished_sqlite_url: str, taken: Taken
) -> None:
    """Made by hand: the tables and columns that the schema had then."""
    old_url = taken.url.replace("empty.db", "old.db")
    await upgrade(old_url, "0007")
    engine = migration_engine(old_url)
    async with engine.connect() as connection:
        columns = await connection.run_sync(_columns)
    await engine.dispose()
    with ArchiveReader(taken.path) as archive:
        tables = [table for table in archive.manifest.tables if table.name in columns]
        gone = {table.member for table in archive.manifest.tables if table.name not in columns}
    older = []
    for table in tables:
        kept = [column for column in table.columns if column[0] in columns[table.name]]
        # Rows that lack nothing at their end: only tables without rows had columns added here.
        assert len(kept) == len(table.columns) or not table.rows
        older.append(vars(table) | {"columns": kept})
    assert gone and any(
        len(new["columns"]) < len(table.columns) for new, table in zip(older, tables, strict=True)
    )
    with zipfile.ZipFile(taken.path) as archive_file:
        members = {name: archive_file.read(name) for name in archive_file.namelist()}
    members = {name: content for name, content in members.items() if name not in gone}
    members["manifest.json"] = json.dumps(
        json.loads(members["manifest.json"]) | {"revision": "0007", "tables": older}
    ).encode()
    with zipfile.ZipFile(taken.path, "w") as archive_file:
        for name, content in members.items():
            archive_file.writestr(name, content)
    assert (await restore(taken.target, taken.url, taken.path)).ok
    assert await halls(taken) == 3
    async with taken.target.database.read() as session:
        assert await session.get(KnownEngine, 1) is None


async def test_an_erased_case_is_backed_up_without_its_files(sqlite_house: House, tmp_path: Path) -> None:
    case = await sqlite_house.handled()
    assert (await upload(sqlite_house, case, by="guilin.market.contact")).status_code == 201
    services = sqlite_house.services
    await read_house_keys(services)
    [file] = [path for path in services.attachments.rglob("*") if path.is_file()]
    kept = file.read_bytes()
    file.unlink()
    manifest = await back_up(services, tmp_path / "lost")
    assert manifest.missing == [f"attachments/{case['id']}/{file.name}"] and not manifest.files
    file.write_bytes(kept)
    async with services.database.begin() as session:
        await session.delete(await session.get_one(CaseSecret, case["id"]))
    manifest = await back_up(services, tmp_path / "erased")
    assert not manifest.missing and not manifest.files
