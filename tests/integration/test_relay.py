"""The relay finishes what an outage or a crash left open; doing it twice is doing it once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from activities.inbox import Inbox
from activities.ledger import LedgerActivities
from activities.writing import LedgerWriter
from casework import import_work, relay
from casework.engine import EngineUnavailable
from casework.facts_filling import AT_REST, fill_facts, fill_facts_at_rest
from casework.filing_once import file_once
from casework.finding import find_case
from casework.import_work import work_off
from casework.relay import forget_old, relay_once
from casework.sent import body_hash
from casework.viewer import Viewer
from models.access import Attempt
from models.command import SentCommand
from models.messages import RecordRequest, encode_event
from rules.case.commands import Archive, Command, Progress
from rules.case.decide import decide
from rules.case.errors import Refusal
from rules.case.vocabulary import Role
from tests.integration.test_imports import before, brought, row
from tests.support import cases
from tests.support.books import person
from tests.support.house import House, form, triage
from tests.support.office import SetClock

AUDITOR = Viewer("auditor", "auditor", Role.AUDITOR)
DONE = Progress(text="已办")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open is nobody else's business any more."""
    monkeypatch.setattr(relay, "PATIENCE", timedelta())


async def rows(house: House) -> list[SentCommand]:
    async with house.services.database.read() as session:
        return list((await session.exec(select(SentCommand))).all())


async def test_filings_kept_during_an_outage_are_registered_once(house: House) -> None:
    async with house.down():
        kept = [(await house.post("cases", form())).json() for _ in range(3)]
        assert await relay_once(house.services) == 0, "the engine is away"
        assert (await house.get(f"cases/{kept[0]['id']}")).json()["number"] is None
    assert await relay_once(house.services) == 3
    assert await relay_once(house.services) == 0
    numbers = set()
    for filing in kept:
        case = (await house.get(f"cases/{filing['id']}")).json()
        assert case["received_at"] == filing["received_at"] < case["registered_at"]
        numbers.add(case["number"])
        events = (await house.get(f"cases/{filing['id']}/events")).json()["items"]
        assert [event["type"] for event in events] == ["registered"]
        pair = {"query_code": filing["query_code"], "phone_tail": "0001"}
        assert (await house.post("public/track", pair, by=None)).json()["number"] == case["number"]
    assert len(numbers) == 3


async def test_two_relays_and_a_client_register_a_filing_once(house: House) -> None:
    async with house.down():
        kept = (await house.post("cases", form(), key="k")).json()
    again, *_ = await asyncio.gather(
        house.post("cases", form(), key="k"), relay_once(house.services), relay_once(house.services)
    )
    assert again.json()["id"] == kept["id"] and again.json()["number"].endswith("-0001")
    events = (await house.get(f"cases/{kept['id']}/events")).json()["items"]
    assert len(events) == 1


@pytest.mark.parametrize("failure", [EngineUnavailable("stuck"), KeyError("no such policy")])
async def test_a_filing_that_cannot_be_registered_holds_up_no_other(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    house = sqlite_house
    async with house.down():
        stuck = (await house.post("cases", form())).json()
        other = (await house.post("cases", form())).json()
    real = house.services.engine.start

    async def start(case_id: str, terms: Any) -> str:
        if case_id == stuck["id"]:
            raise failure
        return await real(case_id, terms)

    monkeypatch.setattr(house.services.engine, "start", start)
    assert await relay_once(house.services) == 1
    assert (await house.get(f"cases/{other['id']}")).json()["number"]
    assert (await house.get(f"cases/{stuck['id']}")).json()["number"] is None


async def test_a_filing_of_a_hall_whose_policy_is_missing_is_kept(sqlite_house: House) -> None:
    with sqlite_house.changed(policies={}):
        answer = await sqlite_house.post("cases", form())
        assert (answer.status_code, answer.json()["number"]) == (202, None)
        assert await relay_once(sqlite_house.services) == 0
    assert await relay_once(sqlite_house.services) == 1


async def test_an_imported_filing_is_left_alone_as_long_as_any_other(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its T0 lies months back; it came just now."""
    monkeypatch.setattr(relay, "PATIENCE", timedelta(seconds=15))
    async with sqlite_house.down():
        import_id = await brought(sqlite_house.services, row("A-1", received_at=before(days=90)))
        await work_off(sqlite_house.services, import_id)
    assert await relay_once(sqlite_house.services) == 0
    with sqlite_house.changed(clock=SetClock(datetime.now(UTC) + timedelta(seconds=16))):
        assert await relay_once(sqlite_house.services) == 1


async def test_what_an_import_has_in_hand_is_left_alone_until_its_lease_is_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was brought a while ago, its last row is filed now; and who files it may be killed."""

    class Killed(BaseException):
        pass

    async def dies(*given: Any) -> Any:
        await file_once(*given)
        raise Killed

    import_id = await brought(house.services, row("A-1", received_at=before(days=90)))
    monkeypatch.setattr(import_work, "file_once", dies)
    async with house.down():
        with pytest.raises(Killed):
            await work_off(house.services, import_id)
    assert await relay_once(house.services) == 0
    with house.changed(wall=SetClock(datetime.now(UTC) + import_work.LEASE)):
        assert await relay_once(house.services) == 1


async def _write_behind_its_back(
    house: House, case_id: str, command_id: str, command: Command = DONE, by: str = "guilin.market.contact"
) -> None:
    """Write an event as a worker does that dies right after the commit."""
    found = await find_case(house.services, AUDITOR, case_id)
    now = await house.services.clock.now()
    pinned = found.pinned
    events = decide(found.state, command, now, person(by), pinned.policy, pinned.calendar)
    request = RecordRequest(case_id, found.case.seq, command_id, [encode_event(e) for e in events], None)
    await _ledger(house).record(request)


def _ledger(house: House) -> LedgerActivities:
    writer = LedgerWriter(house.services.keyring, Inbox())
    return LedgerActivities(house.services.database, writer)


async def _seq_in_engine(house: House, case_id: str) -> int:
    client = await house.services.engine.client()
    return int(await client.get_workflow_handle(f"case-{case_id}").query("seq"))


async def _sent(
    house: House,
    case: dict[str, Any],
    command_id: str,
    *,
    name: str = "progress",
    by: str = "guilin.market.contact",
    key: str | None = "k",
) -> None:
    """Keep a command as the API does before it hands it to the engine."""
    body = {"text": "已办"} if name == "progress" else {}
    async with house.services.database.begin() as session:
        session.add(
            SentCommand(
                command_id=command_id,
                username=by,
                scope=case["id"],
                key=key,
                case_id=case["id"],
                body_hash=body_hash(name, body),
                sent_at=await house.services.wall.now(),
            )
        )


async def _heard(house: House, case: dict[str, Any], seq: int) -> None:
    """Wait until the workflow has heard of an event."""
    async with asyncio.timeout(30):
        while await _seq_in_engine(house, case["id"]) != seq:
            await asyncio.sleep(0.05)


async def test_a_workflow_hears_of_an_event_that_it_missed(house: House) -> None:
    case = await house.handled()
    for command_id, key in (("lost-1", "k"), ("lost-2", None), ("never", None)):
        await _sent(house, case, command_id, key=key)
    await _write_behind_its_back(house, case["id"], "lost-1")
    assert await _seq_in_engine(house, case["id"]) == 3
    assert await relay_once(house.services) == 1
    await _heard(house, case, 4)
    assert {row.command_id: row.answered for row in await rows(house)} == {
        "lost-1": True,
        "lost-2": False,
        "never": False,
    }
    again = await house.post(
        f"cases/{case['id']}/progress", {"text": "已办"}, by="guilin.market.contact", key="k"
    )
    assert again.status_code == 200
    ledger = (await house.get(f"cases/{case['id']}/events")).json()
    assert [event["type"] for event in ledger["items"]].count("progress") == 1
    assert ledger["verified"] is True
    await house.act(case, "progress", "guilin.market.contact", text="继续")


async def test_a_client_that_repeats_has_the_workflow_hear_of_the_event(house: House) -> None:
    """Its answer settles the command, so the relay never looks at it: the alarms would be those of before."""
    case = await house.handled()
    await _sent(house, case, "lost")
    await _write_behind_its_back(house, case["id"], "lost")
    path, body = f"cases/{case['id']}/progress", {"text": "已办"}
    async with house.down():
        early = await house.post(path, body, by="guilin.market.contact", key="k")
        assert (early.status_code, early.json()["type"]) == (503, "engine-unavailable")
    again = await house.post(path, body, by="guilin.market.contact", key="k")
    assert again.status_code == 200
    await _heard(house, case, 4)
    assert await relay_once(house.services) == 0
    ledger = (await house.get(f"cases/{case['id']}/events")).json()
    assert [event["type"] for event in ledger["items"]].count("progress") == 1


@pytest.mark.parametrize("asked_again", [True, False], ids=["by its client", "by the relay"])
async def test_a_workflow_hears_of_the_last_event_of_its_case_too(house: House, asked_again: bool) -> None:
    """Its ledger says archived, and it would wait for alarms that are over."""
    case = await house.closed()
    await _sent(house, case, "lost", name="archive", by="guilin.lead")
    await _write_behind_its_back(house, case["id"], "lost", Archive(), "guilin.lead")
    if asked_again:
        again = await house.post(f"cases/{case['id']}/archive", by="guilin.lead", key="k")
        assert (again.status_code, again.json()["status"]) == (200, "archived")
    else:
        assert await relay_once(house.services) == 1
    client = await house.services.engine.client()
    async with asyncio.timeout(30):
        await client.get_workflow_handle(f"case-{case['id']}").result()


async def test_an_act_that_follows_one_which_the_workflow_missed_is_not_refused(house: House) -> None:
    """The contact sees the case as dispatched; the workflow, left behind, knows of no unit yet."""
    case = await house.file()
    sent = cases.triage("simple", "market")
    await _write_behind_its_back(house, case["id"], "lost", sent, "guilin.clerk")
    assert await _seq_in_engine(house, case["id"]) == 1
    signed = await house.act(case, "sign", "guilin.market.contact")
    assert signed["status"] == "handling"
    again = await house.post(f"cases/{case['id']}/sign", by="guilin.market.contact")
    assert (again.status_code, again.json()["case_status"]) == (409, "handling")
    assert await _seq_in_engine(house, case["id"]) == 3


async def test_a_refusal_of_a_case_that_has_caught_up_since_is_asked_for_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused for what the case was; by the time somebody looks, the workflow knows better."""
    case = await house.file()
    await _write_behind_its_back(house, case["id"], "lost", cases.triage("simple", "market"), "guilin.clerk")
    engine = house.services.engine
    ask = engine.command

    async def command(case_id: str, *args: Any, **more: Any) -> int:
        try:
            return await ask(case_id, *args, **more)
        except Refusal:
            await engine.catch_up(case_id)
            async with asyncio.timeout(30):
                while await engine.heard(case_id) < 2:
                    await asyncio.sleep(0.05)
            raise

    monkeypatch.setattr(engine, "command", command)
    assert (await house.act(case, "sign", "guilin.market.contact"))["status"] == "handling"


async def test_a_workflow_that_is_gone_is_started_from_its_ledger(house: House) -> None:
    case = await house.file()
    await house.act(case, "triage", "guilin.clerk", **triage())
    await _sent(house, case, "register", name="register", by="guilin.clerk", key=None)
    client = await house.services.engine.client()
    await client.get_workflow_handle(f"case-{case['id']}").terminate()
    assert await relay_once(house.services) == 1
    assert await _seq_in_engine(house, case["id"]) == 2


async def test_facts_are_written_once_nothing_has_happened_to_a_case_for_a_while(house: House) -> None:
    await house.handled()
    assert await fill_facts_at_rest(house.services) == 0
    with house.changed(clock=SetClock(datetime.now(UTC) + AT_REST + timedelta(seconds=1))):
        assert await fill_facts_at_rest(house.services) == 1
    assert await fill_facts(house.services) == 0


async def test_old_answers_and_attempts_are_forgotten(sqlite_house: House) -> None:
    services = sqlite_house.services
    await sqlite_house.post("cases", form(), key="new")
    now = await services.wall.now()
    async with services.database.begin() as session:
        for age in (timedelta(days=8), timedelta(days=40)):
            values = (await session.exec(select(SentCommand))).first()
            assert values is not None
            copy = values.model_dump() | {"command_id": f"old-{age.days}", "key": f"old-{age.days}"}
            session.add(SentCommand(**copy | {"sent_at": now - age}))
            session.add(Attempt(key="query:x", at=now - age))
        session.add(Attempt(key="query:x", at=now))
    await forget_old(services)
    kept = {row.key for row in await rows(sqlite_house)}
    assert kept == {"new", "old-8"}, "kept for 7 days at least"
    async with services.database.read() as session:
        assert len((await session.exec(select(Attempt))).all()) == 1


async def test_the_relay_works_until_it_is_stopped(sqlite_house: House) -> None:
    async with sqlite_house.down():
        kept = (await sqlite_house.post("cases", form())).json()
    running = asyncio.create_task(relay.relay(sqlite_house.services, timedelta(milliseconds=10)))
    async with asyncio.timeout(30):
        while (await sqlite_house.get(f"cases/{kept['id']}")).json()["number"] is None:
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
