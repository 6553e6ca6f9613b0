"""`/readyz` says what is wrong, part by part, and what to do about it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlmodel import text
from temporalio.client import Client

from casework.engine import Engine
from casework.readiness import Part, polled, readiness
from casework.watch import THIS_MACHINE
from casework.watching import disk_samples
from models.crypto import Keyring, generate_key
from models.migrate import newest_revision
from tests.support.house import House
from tests.support.office import Office, open_office, services_at
from tests.support.temporal import TemporalServer


async def parts(services: Any) -> dict[str, Part]:
    return {part.name: part for part in await readiness(services)}


async def test_a_whole_house_is_ready_in_every_part(house: House) -> None:
    answer = await house.request("GET", "/readyz", by=None)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["database"], body["engine"]) == ("ok", "ok")
    assert [part["name"] for part in body["parts"]] == [
        *("database", "engine", "schema", "keys", "retention", "namespace"),
        *("workers", "notifications_workers", "reporting_workers", "disk"),
    ]
    assert all(part["detail"] for part in body["parts"])
    assert {part["name"] for part in body["parts"] if part["required"]} == {
        *("database", "engine", "schema", "keys", "namespace"),
    }


async def test_a_schema_that_is_behind_says_what_to_run(office: Office) -> None:
    async with office.services.database.begin() as session:
        await session.exec(text("UPDATE alembic_version SET version_num = '0001'"))
    part = (await parts(office.services))["schema"]
    assert not part.ok and part.required
    assert "0001" in part.detail and newest_revision() in part.detail and "bancheng migrate" in part.detail


async def test_a_database_without_tables_is_not_ready(tmp_path: Path) -> None:
    async with open_office(services_at(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)) as office:
        office.services.watch.operators = THIS_MACHINE
        found = await parts(office.services)
        assert found["database"].ok and not found["schema"].ok and not found["keys"].ok
        assert (await office.call("GET", "/readyz")).status_code == 503


async def test_a_key_that_old_cases_need_and_nobody_gave_is_named(sqlite_house: House) -> None:
    await sqlite_house.file()
    other = Keyring.parse(generate_key())
    assert (await parts(sqlite_house.services))["keys"].ok
    part = (await parts(replace(sqlite_house.services, keyring=other)))["keys"]
    assert not part.ok and part.required
    assert "BANCHENG_PAYLOAD_KEYS" in part.detail


async def test_a_namespace_that_is_not_there_is_named(
    sqlite_office: Office, temporal_server: TemporalServer
) -> None:
    async def connect() -> Client:
        return await temporal_server.client(namespace="nowhere")

    found = await parts(replace(sqlite_office.services, engine=Engine(connect)))
    assert found["engine"].ok
    assert not found["namespace"].ok and "nowhere" in found["namespace"].detail
    # What hangs on it cannot be looked at, and is not called sound.
    assert not found["workers"].ok


async def test_a_queue_that_nobody_polls_is_told_and_takes_nothing_out_of_service(
    sqlite_house: House,
) -> None:
    part = await polled("a-queue-of-nobody")(sqlite_house.services)
    assert not part.ok and not part.required
    assert "bancheng worker" in part.detail


async def test_without_an_engine_its_parts_are_not_guessed(sqlite_office: Office) -> None:
    found = await parts(sqlite_office.services)
    assert not found["engine"].ok
    assert "namespace" not in found and "workers" not in found
    assert found["database"].ok and found["schema"].ok and found["keys"].ok


async def test_the_disk_is_the_one_that_data_dir_lies_on_even_before_there_is_a_folder(
    sqlite_office: Office,
) -> None:
    services = replace(sqlite_office.services, attachments=Path("/dev/shm/not-there/attachments"))
    watched = {sample.name: sample.value for sample in disk_samples(services)}
    total, _, _ = shutil.disk_usage("/dev/shm")
    assert watched["bancheng_disk_size_bytes"] == total
    assert 0 <= watched["bancheng_disk_free_bytes"] <= total
