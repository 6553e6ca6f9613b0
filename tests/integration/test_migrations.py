"""Migrations: up, down, at once from two processes, and no drift from the tables, on both dialects."""

import asyncio
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, insert, inspect, select, text

from models.case import Case
from models.database import DatabaseUnavailable
from models.migrate import SCRIPTS, alembic_config, downgrade, migration_engine, upgrade
from models.tables import metadata

ROOT = Path(__file__).resolve().parents[2]


async def examine(url: str, look: Any) -> Any:
    """Return what `look` makes of a connection to the database."""
    engine = migration_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def definitions(connection: Connection) -> set[str]:
    """Every index and constraint as the database itself writes it, conditions included."""
    if connection.dialect.name == "postgresql":
        queries = [
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
            "SELECT table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable"
            " || coalesce(character_maximum_length::text, '')"
            " FROM information_schema.columns WHERE table_schema = 'public'",
        ]
    else:
        queries = ["SELECT sql FROM sqlite_master WHERE type IN ('index', 'table') AND sql IS NOT NULL"]
    found = [row for query in queries for row in connection.execute(text(query)).scalars()]
    plain = (re.sub(r"\s+", " ", row).replace('"', "") for row in found)
    return {_sorted_parts(row) for row in plain if "alembic_version" not in row}


def _sorted_parts(definition: str) -> str:
    """SQLite keeps a table as it was typed: the order of its constraints says nothing."""
    if not definition.startswith("CREATE TABLE"):
        return definition
    head, _, body = definition.removesuffix(")").partition("(")
    return f"{head}({sorted(part.strip() for part in re.split(r',(?![^(]*[)])', body))}"


async def test_upgrade_makes_every_table(database_url: str) -> None:
    await upgrade(database_url)
    assert await examine(database_url, tables) == {*metadata.tables, "alembic_version"}


async def test_there_is_no_drift_between_migrations_and_tables(database_url: str) -> None:
    await upgrade(database_url)

    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    assert await examine(database_url, differences) == []


async def test_constraints_and_partial_indexes_are_those_of_the_tables(database_url: str) -> None:
    """Alembic's comparison overlooks the conditions of indexes, deferred keys and the like."""
    await upgrade(database_url)
    migrated = await examine(database_url, definitions)
    await downgrade(database_url)
    await examine(database_url, metadata.create_all)
    assert await examine(database_url, definitions) == migrated


async def test_downgrade_leaves_nothing(database_url: str) -> None:
    await upgrade(database_url)
    await downgrade(database_url)
    assert await examine(database_url, tables) == {"alembic_version"}
    if database_url.startswith("postgresql"):
        functions = text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        assert await examine(database_url, lambda c: c.execute(functions).scalar()) == 0


async def test_up_down_and_up_again(database_url: str) -> None:
    await upgrade(database_url)
    await downgrade(database_url)
    await upgrade(database_url)
    guarded = ["access_log", "acts", "events", "head_leaves", "history_exports", "ledger_heads"]
    assert await examine(database_url, guarded_tables) == guarded


def guarded_tables(connection: Connection) -> list[str]:
    query = (
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        if connection.dialect.name == "postgresql"
        else "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
    )
    return sorted(set(connection.execute(text(query)).scalars()))


async def test_an_older_case_says_since_when_its_citizen_is_owed_a_word(database_url: str) -> None:
    await upgrade(database_url, "0007")
    for id, status, since in (
        ("owed", "handling", ["2026-03-09T01:20:00.250000Z", "2026-03-10T01:00:00Z"]),
        ("told", "handling", []),
        ("over", "closed", ["2026-03-09T01:20:00Z"]),
    ):
        await examine(database_url, partial(_add_case, id=id, status=status, since=since))
    await upgrade(database_url)
    cases = Case.__table__  # type: ignore[attr-defined]
    wanted = select(cases.c.id, cases.c.response_since).order_by(cases.c.id)
    found = await examine(database_url, lambda c: [tuple(row) for row in c.execute(wanted)])
    at = datetime(2026, 3, 9, 1, 20, 0, 250_000, tzinfo=UTC)
    assert found == [("over", None), ("owed", at), ("told", None)]


async def test_a_case_that_was_erased_before_cases_knew_stays_erased(database_url: str) -> None:
    await upgrade(database_url, "0014")
    for id in ("gone", "here"):
        await examine(database_url, partial(_add_case, id=id, status="archived", since=[]))
    await examine(database_url, partial(_add_erasure, case_id="gone"))
    await upgrade(database_url)
    wanted = text("SELECT id, erased FROM cases ORDER BY id")
    found = await examine(database_url, lambda c: [(row.id, bool(row.erased)) for row in c.execute(wanted)])
    assert found == [("gone", True), ("here", False)]


def _add_erasure(connection: Connection, case_id: str) -> None:
    table = Table("erasures", MetaData(), autoload_with=connection)
    values = {column.name: _filler(column) for column in table.columns if not column.nullable}
    connection.execute(insert(table), values | {"case_id": case_id})


def _add_case(connection: Connection, id: str, status: str, since: list[str]) -> None:
    table = Table("cases", MetaData(), autoload_with=connection)
    values = {column.name: _filler(column) for column in table.columns if not column.nullable}
    state = {"response_since": since}
    values |= {"id": id, "status": status, "state": state}
    connection.execute(insert(table), values)


def _filler(column: Column[Any]) -> Any:
    kind = column.type.python_type
    if kind is datetime:
        return datetime(2026, 3, 9, tzinfo=UTC)
    return kind() if kind in (str, int, bool) else []


async def test_rows_that_were_imported_forget_their_number_elsewhere(database_url: str) -> None:
    await upgrade(database_url, "0015")
    await examine(database_url, _add_import)
    await upgrade(database_url)
    wanted = text("SELECT origin_key FROM import_rows ORDER BY row")
    assert await examine(database_url, lambda c: list(c.execute(wanted).scalars())) == [
        "",
        "",
        "guilin/import/3",
    ]


def _add_import(connection: Connection) -> None:
    for table, rows in (
        ("imports", [{"id": "i"}]),
        (
            "import_rows",
            [
                {"import_id": "i", "row": row, "origin_key": f"guilin/import/{row}", "outcome": outcome}
                for row, outcome in ((1, "filed"), (2, "refused"), (3, None))
            ],
        ),
    ):
        there = Table(table, MetaData(), autoload_with=connection)
        values = {column.name: _filler(column) for column in there.columns if not column.nullable}
        connection.execute(insert(there), [values | row for row in rows])


async def test_a_second_upgrade_finds_nothing_to_do(database_url: str) -> None:
    await upgrade(database_url)
    await upgrade(database_url)


async def test_two_processes_may_upgrade_at_once(database_url: str) -> None:
    code = f"import asyncio; from models.migrate import upgrade; asyncio.run(upgrade({database_url!r}))"
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT) for _ in range(2)]
    await asyncio.gather(upgrade(database_url), upgrade(database_url))
    assert [await process.wait() for process in started] == [0, 0]
    assert await examine(database_url, tables) == {*metadata.tables, "alembic_version"}


async def test_a_failed_migration_leaves_nothing_behind(database_url: str) -> None:
    """The last table to be made is there already: the ones before it must not stay."""
    await examine(database_url, lambda c: c.execute(text("CREATE TABLE deliveries (id INTEGER)")))
    with pytest.raises(Exception, match="deliveries"):
        await upgrade(database_url)
    assert await examine(database_url, tables) == {"deliveries"}


async def test_an_unreachable_database_is_an_outage(unused_tcp_port: int) -> None:
    with pytest.raises(DatabaseUnavailable):
        await upgrade(f"postgresql://postgres@127.0.0.1:{unused_tcp_port}/none")


async def test_a_sqlite_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new 100%" / "data" / "bancheng.db"
    await upgrade(f"sqlite:///{file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_there_is_one_line_of_revisions() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("sqlite:///x.db"))
    revisions = list(scripts.walk_revisions())
    assert len(scripts.get_heads()) == 1
    assert [revision.revision for revision in revisions][::-1] == [
        f"{n + 1:04}" for n in range(len(revisions))
    ]


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql://db/x"])
def test_the_sql_can_be_printed_for_who_must_read_it_first(url: str, tmp_path: Path) -> None:
    printed = alembic("-x", f"url={url}", "upgrade", "head", "--sql", cwd=tmp_path)
    assert all(f"CREATE TABLE {table} (" in printed for table in metadata.tables)
    assert printed.count("CREATE TRIGGER") == (18 if url.startswith("sqlite") else 6)
    assert list(tmp_path.iterdir()) == []


def test_alembic_takes_the_database_of_the_settings(tmp_path: Path) -> None:
    alembic("upgrade", "head", cwd=tmp_path, BANCHENG_DATA_DIR=str(tmp_path / "data"))
    assert (tmp_path / "data" / "bancheng.db").exists()


def alembic(*arguments: str, cwd: Path, **environment: str) -> str:
    """Run alembic as a developer does; the ini file is found from any folder."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", SCRIPTS / "alembic.ini", *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
