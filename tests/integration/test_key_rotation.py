"""Rotating keys: everything moves, nothing is lost on the way, and an old key goes only when it may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from activities.facts import person_key
from casework import house_keys, key_rotation
from casework.acts import SYSTEM, append, opened_texts
from casework.facts_filling import fill_facts
from casework.generated_keys import rotate_generated
from casework.house_keys import ALIVE, holders, holding_keys, read_house_keys, read_keys
from casework.kept_forms import keep_form, kept_form
from casework.key_rotation import (
    ACTS,
    FIRST,
    OPENS,
    RETIRED,
    RUNS,
    KeyStatus,
    NoSuchKey,
    NotReady,
    StillNeeded,
    forget,
    key_status,
    rotate,
)
from casework.sealed_columns import CASE_KEYS, COLUMNS, SealedColumn, reseal
from casework.searching import is_of_person
from casework.second_factor import opened as totp_secret
from casework.services import Services
from casework.verifying import verify_ledger
from casework.viewer import Viewer
from models.act import BULLETIN, Act, NewAct
from models.crypto import KeysNotRead, UnsealError, generate_key
from models.directory import User
from models.facts import CASE_FACTS
from models.filing import CaseSecret
from models.house_key import PAYLOAD, HouseKey, KeyHolder
from models.imported import Import, ImportRow
from models.outside import DeliveryChoice
from models.petitioner import PHONE_INDEX
from models.report import Report, ReportFile
from models.report import sealing as report_sealing
from rules.case.vocabulary import Role
from tests.support.house import KEYRING, PHONE, House, form
from tests.support.keys import NEW, OLD, with_keys
from tests.support.office import Office, SetClock

CLERK = Viewer("guilin.clerk", "周小演", Role.CLERK, "guilin")
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
FILED = 3


def unheard(column: SealedColumn, count: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Kept:
    """What of each kind was sealed before the rotation."""

    case_id: str
    form_id: str

    async def check(self, services: Services) -> None:
        """Open all of it."""
        async with services.database.read() as session:
            user = await session.get_one(User, "guilin.clerk")
            assert totp_secret(services, user) == "JBSWY3DPEHPK3PXP"
            file = await session.get_one(ReportFile, ("r1", "pdf"))
            assert services.keyring.open(file.content, report_sealing("r1", "pdf")) == b"\xff%PDF"
            row = await session.get_one(ImportRow, ("i1", 2))
            assert services.keyring.open_text(str(row.form), "import:i1:2") == "{}"
            choice = await session.get_one(DeliveryChoice, "guilin.clerk")
            assert "clerk@" in services.keyring.open_text(str(choice.addresses), "addresses:guilin.clerk")
            act = (await session.exec(select(Act))).one()
            assert opened_texts(act, None, services.keyring) == {"text": "说明"}
            assert await is_of_person(session, PHONE, services.keyring)
            assert await is_of_person(session, "周小明", services.keyring)
        assert await kept_form(services, CLERK, self.form_id) == ("/counter", [("problem", "写到一半")])


Place = House | Office


async def filed(place: Place, key: str | None = None) -> str:
    """File a case; in an office, where no engine is, it waits for its number. Return its id."""
    if isinstance(place, House):
        answer = await place.post("cases", form(), key=key)
    else:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await place.call("POST", "cases", "guilin.clerk", json=form(), headers=headers)
    assert answer.status_code in (201, 202), answer.text
    return str(answer.json()["id"])


async def sealed_things(place: Place) -> Kept:
    """Something in every column that the keyring seals."""
    services = place.services
    cases = [await filed(place) for _ in range(FILED - 1)]
    await filed(place, "once")
    form_id = await keep_form(services, "guilin.clerk", "/counter", [("problem", "写到一半")])
    assert form_id is not None
    async with services.database.begin() as session:
        user = await session.get_one(User, "guilin.clerk")
        user.totp_secret = KEYRING.seal_text("JBSWY3DPEHPK3PXP", f"totp:{user.username}")
        named = {"kind": "hall_weekly", "hall": "guilin", "category": "周报", "digest": "0" * 64}
        times = {"covers_from": AT, "covers_to": AT, "due_at": AT, "made_at": AT}
        session.add(Report(id="r1", **named, **times))
        await session.flush()
        content = KEYRING.seal(b"\xff%PDF", report_sealing("r1", "pdf"))
        about = {"name": "周报.pdf", "media_type": "application/pdf", "size": 5, "sha256": "0" * 64}
        session.add(ReportFile(report_id="r1", format="pdf", content=content, **about))
        came = {"form": "cases", "username": "guilin.clerk", "name": "周小演", "sha256": "0" * 64}
        session.add(Import(id="i1", hall="guilin", at=AT, rows=1, **came))
        await session.flush()
        row = KEYRING.seal_text("{}", "import:i1:2")
        session.add(ImportRow(import_id="i1", row=2, origin_key="k", form=row))
        mail = KEYRING.seal_text('{"mail": "clerk@example.test"}', "addresses:guilin.clerk")
        chosen = {"means": ["mail"], "digest": "none", "addresses": mail, "updated_at": AT}
        session.add(DeliveryChoice(username="guilin.clerk", own=True, **chosen))
        await append(session, KEYRING, NewAct(BULLETIN, 1, "erased", AT, "note", SYSTEM), {"text": "说明"})
    await read_house_keys(services)
    return Kept(cases[0], form_id)


def used(status: KeyStatus, key_id: str) -> dict[str, int | None]:
    """What stands under a key, zeros left out."""
    [use] = [use for use in status.keys if use.key_id == key_id]
    return {name: count for name, count in use.counts.items() if count != 0}


async def test_everything_moves_under_the_new_key_and_the_old_one_may_go(house: House) -> None:
    kept = await sealed_things(house)
    both = await with_keys(house.services, NEW, OLD)
    before = await key_status(both)
    every = {column.name for column in COLUMNS}
    assert every <= set(used(before, "k1")) and not every & set(used(before, "k2"))
    assert used(before, "k1")[CASE_KEYS.name] == FILED
    moved: dict[str, int] = {}
    status = await rotate(both, lambda column, count: moved.update({column.name: count}))
    assert set(moved) == every and moved[CASE_KEYS.name] == FILED
    assert used(status, "k1") == {ACTS: 1, RUNS: FILED}
    assert used(status, "k2")[CASE_KEYS.name] == FILED
    await kept.check(both)
    alone = await with_keys(house.services, NEW)
    assert alone.keyring.retired == ("k1",)
    await kept.check(alone)
    found = (await verify_ledger(alone)).findings
    assert {finding.what for finding in found} == {"acts_of_nothing"}  # ours, of no bulletin
    with pytest.raises(UnsealError):
        await with_keys(house.services, OLD)  # nobody may start with the old key alone any more
    with house.changed(keyring=alone.keyring):
        again = await house.post("cases", form(), key="once")
        assert again.status_code == 200 and again.json()["query_code"]
        case = (await house.get(f"cases/{kept.case_id}")).json()
        assert case["petitioner"]["name"] == "周*" and case["problem"] == form()["problem"]
        assert (await house.get("cases", q=PHONE)).json()["total"] == FILED


async def test_a_person_is_the_same_before_and_after(sqlite_house: House) -> None:
    """The mark of a repeat report compares index values: they must not change with the keys."""
    await sqlite_house.file()
    await fill_facts(sqlite_house.services)
    await rotate(await with_keys(sqlite_house.services, NEW, OLD), unheard)
    alone = await with_keys(sqlite_house.services, NEW)
    async with alone.database.read() as session:
        [stored] = (await (await session.connection()).execute(select(CASE_FACTS.c.person_key))).scalars()
    assert stored == person_key(alone.keyring.blind_index(PHONE_INDEX, PHONE))


async def test_doing_it_again_moves_nothing(sqlite_office: Office) -> None:
    await sealed_things(sqlite_office)
    both = await with_keys(sqlite_office.services, NEW, OLD)
    await rotate(both, unheard)
    moved: list[int] = []
    await rotate(both, lambda column, count: moved.append(count))
    # The old key itself lies wrapped in the table by now, under the first.
    assert moved == []


async def test_what_an_erasure_takes_meanwhile_stays_taken(office: Office) -> None:
    """A row that changed since it was read is not written back."""
    kept = await sealed_things(office)
    both = await with_keys(office.services, NEW, OLD)
    database = both.database
    real = database.write

    async def erased_first(work: object) -> object:
        def erase(session: Session) -> None:
            if row := session.get(CaseSecret, kept.case_id):
                session.delete(row)

        await real(erase)
        return await real(work)  # type: ignore[arg-type]

    database.write = erased_first  # type: ignore[method-assign, assignment]
    assert await reseal(database, both.keyring, CASE_KEYS, lambda count: None) == FILED - 1
    del database.write
    async with database.read() as session:
        assert await session.get(CaseSecret, kept.case_id) is None


async def test_a_rotation_that_is_broken_off_goes_on_where_it_was(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await sealed_things(sqlite_office)
    both = await with_keys(sqlite_office.services, NEW, OLD)
    small = [replace(column, batch=1) for column in COLUMNS]
    monkeypatch.setattr(key_rotation, "COLUMNS", small)

    def die(column: SealedColumn, count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotate(both, die)
    status = await key_status(both)
    assert used(status, "k2")[CASE_KEYS.name] == 1 and used(status, "k1")[CASE_KEYS.name] == FILED - 1
    await kept.check(both)
    await rotate(both, unheard)
    await kept.check(await with_keys(sqlite_office.services, NEW))


async def test_two_rotations_at_once_do_no_harm(office: Office) -> None:
    kept = await sealed_things(office)
    both = await with_keys(office.services, NEW, OLD)
    await asyncio.gather(rotate(both, unheard), rotate(both, unheard))
    await kept.check(await with_keys(office.services, NEW))


async def test_a_second_rotation_takes_the_retired_key_along(sqlite_office: Office) -> None:
    kept = await sealed_things(sqlite_office)
    await rotate(await with_keys(sqlite_office.services, NEW, OLD), unheard)
    newest = generate_key("k3")
    status = await rotate(await with_keys(sqlite_office.services, newest, NEW), unheard)
    roles = {use.key_id: use.role for use in status.keys}
    assert roles == {"k3": FIRST, "k2": OPENS, "k1": RETIRED}
    await kept.check(await with_keys(sqlite_office.services, newest))


@asynccontextmanager
async def process(services: Services, name: str) -> AsyncIterator[None]:
    """A process with these keys."""
    task = asyncio.create_task(holding_keys(services, name))
    try:
        async with asyncio.timeout(30):
            while not any(name in holder.process for holder in await holders(services)):
                await asyncio.sleep(0.02)
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_nothing_is_moved_while_a_process_could_not_open_it(sqlite_office: Office) -> None:
    kept = await sealed_things(sqlite_office)
    both = await with_keys(sqlite_office.services, NEW, OLD)
    async with process(await with_keys(sqlite_office.services, OLD), "behind"):
        with pytest.raises(NotReady, match="behind"):
            await rotate(both, unheard)
        assert used(await key_status(both), "k1")[CASE_KEYS.name] == FILED
    await rotate(both, unheard)  # it has gone
    await kept.check(both)


async def test_the_old_key_stays_while_a_process_seals_with_it(sqlite_office: Office) -> None:
    await sealed_things(sqlite_office)
    both = await with_keys(sqlite_office.services, NEW, OLD)
    async with process(await with_keys(sqlite_office.services, OLD, NEW), "late"):
        status = await rotate(both, unheard)
        assert [holder.process.partition(" ")[0] for holder in status.behind] == ["late"]
        await filed(sqlite_office)
        assert (await with_keys(sqlite_office.services, NEW)).keyring.retired == ()
    status = await rotate(both, unheard)
    assert not status.behind and not status.keys[1].in_columns
    assert (await with_keys(sqlite_office.services, NEW)).keyring.retired == ("k1",)


async def test_who_says_nothing_any_more_is_gone(sqlite_office: Office) -> None:
    services = await with_keys(sqlite_office.services, OLD)
    row = KeyHolder(id="x", process="killed", sealing="k1", opening="k1", seen_at=datetime.now(UTC))
    await services.database.write(lambda session: session.add(row))
    assert [holder.process for holder in await holders(services)] == ["killed"]
    clock = SetClock()
    clock.ahead = ALIVE + timedelta(seconds=1)
    assert await holders(replace(services, wall=clock)) == []


async def test_a_retired_key_is_destroyed_only_when_nothing_needs_it(sqlite_house: House) -> None:
    await sealed_things(sqlite_house)
    both = await with_keys(sqlite_house.services, NEW, OLD)
    with pytest.raises(NoSuchKey):
        await forget(both, "k7")
    with pytest.raises(StillNeeded):
        await forget(both, "k1")
    await rotate(both, unheard)
    alone = await with_keys(sqlite_house.services, NEW)
    for key_id in ("k1", "k2"):
        with pytest.raises(StillNeeded):
            await forget(alone, key_id)

    await sqlite_house.services.database.write(_sealed_long_ago)
    with pytest.raises(StillNeeded) as caught:  # the record of an act is hashed as it is
        await forget(alone, "k1")
    assert {name for name, count in caught.value.use.counts.items() if count} == {ACTS}


async def test_a_key_that_nothing_needs_is_destroyed_for_good(sqlite_house: House) -> None:
    await filed(sqlite_house)
    await rotate(await with_keys(sqlite_house.services, NEW, OLD), unheard)
    alone = await with_keys(sqlite_house.services, NEW)
    await alone.database.write(_sealed_long_ago)
    await forget(alone, "k1")
    assert (await with_keys(sqlite_house.services, NEW)).keyring.retired == ()


async def test_without_an_engine_a_key_is_held_to_be_needed(sqlite_office: Office) -> None:
    await rotate(await with_keys(sqlite_office.services, NEW, OLD), unheard)
    alone = await with_keys(sqlite_office.services, NEW)
    await alone.database.write(_sealed_long_ago)
    with pytest.raises(StillNeeded) as caught:
        await forget(alone, "k1")
    assert caught.value.use.counts[RUNS] is None


def _sealed_long_ago(session: Session) -> None:
    row = session.get_one(HouseKey, PAYLOAD + "k1")
    row.sealed_at = AT
    session.add(row)


async def test_processes_that_start_at_once_have_one_index(office: Office) -> None:
    started = await asyncio.gather(*(with_keys(office.services, OLD) for _ in range(4)))
    assert len({services.keyring.blind_index("x", "y") for services in started}) == 1


async def test_a_process_that_starts_in_an_outage_indexes_nothing(sqlite_office: Office) -> None:
    services = await with_keys(sqlite_office.services, OLD)
    services.keyring.waits = True
    with pytest.raises(KeysNotRead):
        services.keyring.blind_index("x", "y")
    async with process(services, "api"):
        assert not services.keyring.waits


@pytest.fixture
async def generated(sqlite_office: Office, tmp_path: Path) -> Services:
    """A house whose keys we generated."""
    path = tmp_path / "payload_keys"
    path.write_text(OLD + "\n")
    return replace(await with_keys(sqlite_office.services, OLD), keys_file=path)


async def test_generated_keys_are_rotated_under_a_running_house(
    generated: Services, sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_keys, "LOOK", timedelta(seconds=0.05))
    kept = await sealed_things(sqlite_office)
    running = replace(await with_keys(generated, OLD), keys_file=generated.keys_file)
    async with process(running, "serve"):
        for expected in ("k2", "k3"):
            before = await is_found(running)
            status = await rotate_generated(generated, unheard)
            assert generated.keys_file is not None
            assert read_keys(generated.keys_file).key_ids == (expected,)
            assert status.keys[0].key_id == expected and not status.behind
            async with asyncio.timeout(30):
                while running.keyring.key_ids != (expected,):
                    await asyncio.sleep(0.02)
            assert before and await is_found(running)
            await kept.check(running)
    assert set(running.keyring.retired) == {"k1", "k2"}


async def is_found(services: Services) -> bool:
    async with services.database.read() as session:
        return await is_of_person(session, PHONE, services.keyring)


@pytest.mark.parametrize("stands", ["k1", "k1,k2", "k2,k1", "k2"])
async def test_a_rotation_of_generated_keys_goes_on_from_any_step(
    generated: Services, sqlite_office: Office, stands: str
) -> None:
    """Killed after the file was written: the file says what is to be done next."""
    kept = await sealed_things(sqlite_office)
    entries = {"k1": OLD, "k2": NEW}
    assert generated.keys_file is not None
    if stands == "k2":
        await rotate(await with_keys(generated, NEW, OLD), unheard)
    generated.keys_file.write_text(",".join(entries[each] for each in stands.split(",")))
    started = replace(
        await with_keys(generated, generated.keys_file.read_text()), keys_file=generated.keys_file
    )
    await rotate_generated(started, unheard)
    [key_id] = read_keys(generated.keys_file).key_ids
    assert key_id == ("k3" if stands == "k2" else "k2")
    assert "," not in stands or read_keys(generated.keys_file).written() == NEW
    assert generated.keys_file.stat().st_mode & 0o777 == 0o600 or stands == "k1,k2"
    await kept.check(await with_keys(generated, generated.keys_file.read_text()))


async def test_a_running_process_that_does_not_follow_stops_the_rotation(
    generated: Services, sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "ALIVE", timedelta(seconds=0.1))
    monkeypatch.setattr("casework.generated_keys.until_all", _at_once)
    async with process(await with_keys(generated, OLD), "stuck"):
        with pytest.raises(NotReady, match="stuck"):
            await rotate_generated(generated, unheard)
    assert generated.keys_file is not None
    assert set(read_keys(generated.keys_file).key_ids) == {"k1", "k2"}
    await rotate_generated(generated, unheard)
    assert read_keys(generated.keys_file).key_ids == ("k2",)


async def _at_once(services: Services, holds: object) -> None:
    await key_rotation.until_all(services, holds, timedelta())  # type: ignore[arg-type]
