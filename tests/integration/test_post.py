"""The post: what inboxes hold goes out once, in time, together where it may, and is on the record."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import insert
from sqlmodel import col, select, update

from activities.projection import columns_of
from casework import laying_out
from casework.delivering import post, send_due
from casework.delivery_choices import Wanted, choose, choose_default
from casework.delivery_record import unsent_to_people
from casework.laying_out import Seen, lay_out
from casework.outbox import AT_ONCE, CLAIMED, ROUNDS, SURE, give_back, let_go, take
from casework.services import Services
from casework.sms import SmsChannel
from casework.viewer import Viewer
from models.case import Case
from models.crypto import Keyring, generate_key
from models.directory import User
from models.inbox import Notification
from models.messages import encode_state
from models.outside import DeliveryChoice, DeliveryProgress, PersonalDelivery
from rules.case.vocabulary import Role
from rules.delivering import MOST_ATTEMPTS, Means
from tests.support.cases import handled, t
from tests.support.house import KEYRING
from tests.support.office import Office, ahead, freeze, services_at
from tests.support.posting import gateway_at
from tests.support.receivers import Receiver, http_receiver

ROOT = Path(__file__).parents[2]
CONTACT, LEADER = "guilin.market.contact", "guilin.market.leader"
PHONE = "13800130001"
MONDAY = t("03-09 10:00")
EVENING = t("03-09 20:00")
MORNING = t("03-10 09:00")


class Desk:
    """Services with short messages on offer, a clock that can be moved, and a gateway that answers."""

    def __init__(self, services: Services, receiver: Receiver, client: httpx.AsyncClient) -> None:
        self.services = replace(services, means=(Means.SMS,), public_url="https://hall.example")
        self.receiver = receiver
        self.channel = SmsChannel(gateway_at(receiver.url), client)
        self.seen = Seen()

    async def choose(self, username: str = CONTACT, **changed: Any) -> None:
        wanted: dict[str, Any] = {"own": True, "means": ["sms"], "digest": "none", "quiet": True}
        wanted |= {"addresses": {"sms": PHONE}} | changed
        await choose(
            self.services, Viewer(username, "某", Role.CONTACT, "guilin", "market"), Wanted(**wanted), None
        )

    async def tell(self, *kinds: str, username: str = CONTACT, case_id: str | None = None) -> None:
        at = await self.services.clock.now()
        async with self.services.database.begin() as session:
            for kind in kinds:
                who = {"username": username, "case_id": case_id or str(uuid4()), "seq": 1}
                session.add(Notification(**who, number=NUMBER, kind=kind, text=f"{NUMBER} {kind}", at=at))

    async def go_round(self) -> list[str]:
        """Lay out and send once; return the texts that the gateway got."""
        await lay_out(self.services, self.seen)
        before = len(self.receiver.asked)
        await send_due(self.services, self.channel)
        return [json.loads(asked.body)["text"] for asked in self.receiver.asked[before:]]

    async def rows(self) -> Sequence[PersonalDelivery]:
        async with self.services.database.read() as session:
            wanted = select(PersonalDelivery).order_by(col(PersonalDelivery.id))
            return (await session.exec(wanted)).all()

    async def row(self) -> PersonalDelivery:
        [row] = await self.rows()
        return row

    async def statuses(self) -> list[str]:
        return [row.status for row in await self.rows()]

    def ids(self) -> list[str]:
        return [json.loads(asked.body)["id"] for asked in self.receiver.asked]


NUMBER = "guilin-20260309-0001"


@pytest.fixture
async def desk(office: Office, receiver: Receiver) -> AsyncIterator[Desk]:
    """On both databases; it is Monday, ten o'clock, and what was in the inboxes before is past."""
    async with opened(office, receiver) as desk:
        yield desk


@pytest.fixture
async def sqlite_desk(sqlite_office: Office, receiver: Receiver) -> AsyncIterator[Desk]:
    """The same on SQLite alone, for what has nothing to do with the dialect."""
    async with opened(sqlite_office, receiver) as desk:
        yield desk


@asynccontextmanager
async def opened(office: Office, receiver: Receiver) -> AsyncIterator[Desk]:
    async with httpx.AsyncClient(timeout=5.0) as client:
        desk = Desk(office.services, receiver, client)
        freeze(desk.services.clock, MONDAY)
        await desk.tell("before")
        await lay_out(desk.services, desk.seen)
        await desk.choose()
        yield desk


async def test_a_line_of_an_inbox_goes_out_once_and_is_on_the_record(desk: Desk) -> None:
    await desk.tell("triage")
    assert await desk.go_round() == [f"{NUMBER} triage"]
    assert await desk.go_round() == []
    row = await desk.row()
    assert (row.username, row.means, row.status, row.attempts) == (CONTACT, "sms", "sent", 1)
    assert (row.due_at, row.sent_at, row.last_error) == (MONDAY, MONDAY, None)


async def test_neither_text_nor_address_is_in_the_record(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await desk.tell("triage")
    await desk.go_round()
    async with desk.services.database.read() as session:
        [choice] = (await session.exec(select(DeliveryChoice))).all()
    shown = repr((await desk.row()).model_dump()) + repr(choice.model_dump())
    assert PHONE not in shown and "triage" not in shown


async def test_who_chose_nothing_is_not_written_to(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await desk.tell("triage", username=LEADER)
    assert await desk.go_round() == []
    assert await desk.rows() == []


async def test_the_default_reaches_those_who_left_an_address(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    admin = Viewer("admin", "管理员", Role.ADMIN)
    await desk.choose(LEADER, own=False, means=[])
    await desk.tell("triage", username=LEADER)
    assert await desk.go_round() == []
    await choose_default(desk.services, admin, Wanted(True, ["sms"], "none", True), None)
    await desk.tell("triage", username=LEADER)
    assert await desk.go_round() == [f"{NUMBER} triage"]


async def test_at_night_a_message_waits_for_the_opening_whoever_is_restarted(desk: Desk) -> None:
    freeze(desk.services.clock, EVENING)
    await desk.tell("triage", "remind")
    assert await desk.go_round() == []
    assert {row.due_at for row in await desk.rows()} == {MORNING}
    desk.seen = Seen()  # another process
    freeze(desk.services.clock, MORNING - timedelta(seconds=1))
    assert await desk.go_round() == []
    freeze(desk.services.clock, MORNING)
    [text] = await desk.go_round()
    assert text.startswith("2 条消息")
    assert await desk.statuses() == ["sent", "sent"]


async def test_a_text_about_an_overdue_case_goes_out_at_night(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    freeze(desk.services.clock, EVENING)
    await desk.choose(digest="daily")
    await desk.tell("overdue_1")
    assert await desk.go_round() == [f"{NUMBER} overdue_1"]


async def test_whatever_is_told_of_a_red_case_goes_out_at_night(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    freeze(desk.services.clock, EVENING)
    await _red_case(desk.services, "red-one")
    await desk.tell("remind", case_id="red-one")
    await desk.tell("remind", case_id="another")
    assert await desk.go_round() == [f"{NUMBER} remind"]
    assert await desk.statuses() == ["sent", "waiting"]


async def _red_case(services: Services, case_id: str) -> None:
    """A case of last week that nobody answered, as the projection shows it."""
    state = handled("03-02 09:20", "simple").until("03-06 10:00").state
    assert state is not None and state.light == "red"
    row = {"id": case_id, "seq": 1, "last_hash": "0" * 64, "state": encode_state(state), "updated_at": MONDAY}
    async with services.database.begin() as session:
        await session.exec(insert(Case).values(**columns_of(state), **row))


async def test_a_digest_bundles_what_its_window_brought(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await desk.choose(digest="hourly")
    for minutes, kind in ((1, "triage"), (20, "remind"), (59, "order")):
        freeze(desk.services.clock, MONDAY + timedelta(minutes=minutes))
        await desk.tell(kind)
        assert await desk.go_round() == []
    freeze(desk.services.clock, MONDAY + timedelta(hours=1))
    assert await desk.go_round() == [f"3 条消息，最近一条：{NUMBER} order"]
    assert len({row.bundle for row in await desk.rows()}) == 1


async def test_a_failed_message_is_tried_later_with_the_same_id_and_content(desk: Desk) -> None:
    desk.receiver.status = 500
    await desk.tell("triage")
    await desk.go_round()
    row = await desk.row()
    assert (row.status, row.attempts, row.due_at - MONDAY) == ("waiting", 1, timedelta(seconds=30))
    assert row.last_error == "the gateway answered 500"
    await desk.tell("remind")
    assert await desk.go_round() == [f"{NUMBER} remind"], "what is new does not wait for what failed"
    desk.receiver.status = 200
    freeze(desk.services.clock, MONDAY + timedelta(seconds=30))
    await desk.go_round()
    ids = desk.ids()
    assert len(ids) == 4 and ids[0] in ids[2:] and len(set(ids)) == 2
    assert await desk.statuses() == ["sent", "sent"]


async def test_what_fails_for_a_day_is_dead_and_can_be_sent_again(desk: Desk) -> None:
    desk.receiver.status = 503
    await desk.tell("triage")
    at = MONDAY
    for _ in range(MOST_ATTEMPTS):
        freeze(desk.services.clock, at)
        await desk.go_round()
        at = (await desk.row()).due_at
    row = await desk.row()
    assert (row.status, row.attempts) == ("dead", MOST_ATTEMPTS)
    assert timedelta(hours=20) < at - MONDAY < timedelta(hours=26)
    freeze(desk.services.clock, at + timedelta(days=7))
    assert await desk.go_round() == []
    desk.receiver.status = 200
    assert await give_back(desk.services, [row.id or 0]) == 1
    assert await give_back(desk.services) == 0
    assert await desk.go_round() == [f"{NUMBER} triage"]
    assert (await desk.row()).status == "sent"


async def test_what_a_gateway_refuses_is_on_the_record_without_the_address(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    desk.receiver.body = f'{{"errcode":1,"to":"{PHONE}"}}'.encode()
    await desk.tell("triage")
    await desk.go_round()
    assert (await desk.row()).last_error == 'the gateway refused: {"errcode":1,"to":"***"}'


async def test_who_changed_the_mind_gets_nothing_that_still_waited(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    freeze(desk.services.clock, EVENING)
    await desk.tell("triage")
    await desk.go_round()
    await desk.choose(means=[])
    freeze(desk.services.clock, MORNING)
    assert await desk.go_round() == []
    assert await desk.statuses() == ["dropped"]


async def test_a_disabled_user_gets_nothing(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await desk.tell("triage")
    await lay_out(desk.services, desk.seen)
    async with desk.services.database.begin() as session:
        await session.exec(update(User).where(col(User.username) == CONTACT).values(active=False))
    assert await desk.go_round() == []
    await desk.tell("remind")
    await desk.go_round()
    assert await desk.statuses() == ["dropped"]


async def test_a_new_address_counts_from_the_next_attempt_on(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    desk.receiver.status = 500
    await desk.tell("triage")
    await desk.go_round()
    await desk.choose(addresses={"sms": "13800130002"})
    freeze(desk.services.clock, MONDAY + timedelta(minutes=1))
    await desk.go_round()
    assert [json.loads(asked.body)["to"] for asked in desk.receiver.asked] == [PHONE, "13800130002"]


async def test_two_processes_send_each_message_once(desk: Desk) -> None:
    await desk.tell(*(f"kind_{n}" for n in range(30)))
    desk.receiver.delay = 0.02
    first, second = Seen(), Seen()
    for _ in range(3):
        await asyncio.gather(*(lay_out(desk.services, seen) for seen in (first, second)))
        await asyncio.gather(*(send_due(desk.services, desk.channel) for _ in range(2)))
    assert await desk.statuses() == ["sent"] * 30
    assert sorted(row.attempts for row in await desk.rows()) == [1] * 30
    assert len(desk.ids()) == len(set(desk.ids()))


async def test_what_a_killed_process_had_in_hand_goes_out_again_under_its_id(desk: Desk) -> None:
    await desk.tell("triage")
    await lay_out(desk.services, desk.seen)
    [taken] = await take(desk.services, Means.SMS)  # and now it dies
    assert await desk.go_round() == [], "it is in somebody's hands"
    freeze(desk.services.clock, MONDAY + CLAIMED)
    assert await desk.go_round() == [f"{NUMBER} triage"]
    assert desk.ids() == [taken.id]
    assert (await desk.row()).attempts == 2


async def test_no_more_is_taken_at_once_than_can_be_sent_before_it_counts_as_lost(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    users = [
        f"guilin.{unit}.{who}"
        for unit in ("market", "social", "medical", "housing", "civil", "education")
        for who in ("contact", "alternate", "leader")
    ]
    for username in users:
        await desk.choose(username)
        await desk.tell("triage", username=username)
    await lay_out(desk.services, desk.seen)
    assert len(await take(desk.services, Means.SMS)) == AT_ONCE * ROUNDS
    assert len(await take(desk.services, Means.SMS)) == len(users) - AT_ONCE * ROUNDS


async def test_old_news_is_not_sent(sqlite_desk: Desk) -> None:
    """The means were off for two days."""
    desk = sqlite_desk
    await desk.tell("triage")
    freeze(desk.services.clock, MONDAY + timedelta(days=2))
    assert await desk.go_round() == []
    assert await desk.rows() == []


async def test_what_waits_for_a_means_that_was_switched_off_is_let_go(desk: Desk) -> None:
    """Nobody would ever take it: it would count as failed until the means is back, and go out then."""
    desk.receiver.status = 500
    await desk.tell("triage")
    await desk.go_round()
    freeze(desk.services.clock, EVENING)
    await desk.tell("remind")
    await desk.go_round()
    freeze(desk.services.clock, EVENING + SURE)
    assert await let_go(desk.services) == 0, "short messages are on offer"
    assert await let_go(replace(desk.services, means=(Means.EMAIL,))) == 2
    rows = await desk.rows()
    assert [(row.status, row.last_error) for row in rows] == [("dropped", "sms is not set up any more")] * 2
    assert await desk.services.database.look(lambda s: unsent_to_people(s, EVENING)) == []
    freeze(desk.services.clock, MORNING)
    assert await desk.go_round() == []


async def test_what_is_new_or_in_hand_is_not_let_go_yet(desk: Desk) -> None:
    """While the parts are restarted with other settings, one of before is still at work."""
    before = replace(desk.services, means=())
    await desk.tell("triage")
    await lay_out(desk.services, desk.seen)
    assert await let_go(before) == 0, "the one with the means has only just laid it out"
    freeze(desk.services.clock, MONDAY + SURE)
    await take(desk.services, Means.SMS)
    assert await let_go(before) == 0, "it is being sent"
    freeze(desk.services.clock, MONDAY + SURE + CLAIMED)
    assert await let_go(before) == 1


async def test_a_means_that_is_off_is_let_go_of_beside_the_others(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await desk.tell("triage")
    await lay_out(desk.services, desk.seen)
    freeze(desk.services.clock, MONDAY + SURE)
    async with post(replace(desk.services, means=()), [], every=timedelta(seconds=0.01)):
        async with asyncio.timeout(10):
            while await desk.statuses() != ["dropped"]:
                await asyncio.sleep(0.01)


async def test_what_was_due_for_longer_than_a_day_is_not_sent(desk: Desk) -> None:
    """No worker ran for two days: what was laid out before is as old as what was not."""
    desk.receiver.status = 500
    await desk.tell("triage")
    await desk.go_round()
    await desk.tell("remind")
    await lay_out(desk.services, desk.seen)
    desk.receiver.status = 200
    freeze(desk.services.clock, MONDAY + timedelta(days=2))
    await desk.tell("order")
    assert await desk.go_round() == [f"{NUMBER} order"]
    assert await desk.statuses() == ["dropped", "dropped", "sent"]
    assert (await desk.rows())[0].last_error == "due for more than a day"


async def test_a_message_that_was_tried_is_dropped_whole_or_not_at_all(desk: Desk) -> None:
    """Its id names one content: without one of its lines the same id would name another."""
    await desk.tell("triage", "remind")
    await lay_out(desk.services, desk.seen)
    await take(desk.services, Means.SMS)  # and now it dies
    first = (await desk.rows())[0]
    async with desk.services.database.begin() as session:
        older = MONDAY - timedelta(hours=1)
        rows = update(PersonalDelivery).where(col(PersonalDelivery.id) == first.id)
        await session.exec(rows.values(due_at=older))
    freeze(desk.services.clock, MONDAY + timedelta(hours=23, minutes=30))
    [text] = await desk.go_round()
    assert text.startswith("2 条消息")


async def test_a_line_that_becomes_visible_behind_a_later_one_is_not_passed_over(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL gives ids before the commit: a slow transaction's line shows up below a known id."""
    async with opened(office, receiver) as desk:
        at = await desk.services.clock.now()
        if desk.services.database.dialect == "sqlite":
            await desk.tell("quick", "slow")
            assert len(await desk.go_round()) == 1
            return
        async with desk.services.database.begin() as slow:
            who = {"username": CONTACT, "case_id": str(uuid4()), "seq": 1}
            slow.add(Notification(**who, kind="slow", text="slow", at=at))
            await slow.flush()
            await desk.tell("quick")
            assert await desk.go_round() == [f"{NUMBER} quick"]
        assert await desk.go_round() == ["slow"]
        monkeypatch.setattr(laying_out, "SETTLED", 0.0)
        await desk.go_round()
        async with desk.services.database.read() as session:
            progress = await session.get_one(DeliveryProgress, 1)
        assert progress.up_to == max(row.notification for row in await desk.rows())
        assert (desk.seen.ids, desk.seen.marks) == (set(), [])


async def test_addresses_whose_key_is_gone_stop_nobody_else(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await desk.choose(LEADER)
    async with desk.services.database.begin() as session:
        row = await session.get_one(DeliveryChoice, CONTACT)
        row.addresses = KEYRING.seal_text("{}", "for something else")
    await desk.tell("triage")
    await desk.tell("triage", username=LEADER)
    assert await desk.go_round() == [f"{NUMBER} triage"]
    await desk.choose()  # and can be typed anew


async def test_the_post_runs_until_it_is_stopped_and_ends_what_is_under_way(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    ahead(desk.services.clock, timedelta())
    await desk.choose(quiet=False)
    desk.receiver.delay = 0.3
    async with post(desk.services, [desk.channel], every=timedelta(seconds=0.01)):
        await desk.tell("triage")
        async with asyncio.timeout(30):
            while not desk.receiver.asked:
                await asyncio.sleep(0.01)
    assert await desk.statuses() == ["sent"]


async def test_a_dead_gateway_holds_up_no_other_means(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    ahead(desk.services.clock, timedelta())
    with http_receiver() as dead:
        dead.delay = 20.0
        async with httpx.AsyncClient() as client:
            slow = SmsChannel(gateway_at(dead.url), client)
            slow.means = Means.EMAIL
            desk.services = replace(desk.services, means=(Means.EMAIL, Means.SMS))
            both = {"sms": PHONE, "email": "zhou@hall.example"}
            await desk.choose(means=["sms", "email"], quiet=False, addresses=both)
            async with post(desk.services, [slow, desk.channel], every=timedelta(seconds=0.01)):
                await desk.tell("triage")
                async with asyncio.timeout(10):
                    while not desk.receiver.asked:
                        await asyncio.sleep(0.01)
                dead.delay = 0.0


async def test_a_process_killed_while_it_sends_loses_nothing(
    furnished_sqlite_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    """Killed with the gateway's answer still to come: the next one sends it again, under the same id."""
    keys = generate_key()
    services = replace(services_at(furnished_sqlite_url, tmp_path), keyring=Keyring.parse(keys))
    async with httpx.AsyncClient() as client:
        desk = Desk(services, receiver, client)
        await lay_out(desk.services, desk.seen)
        await desk.choose(quiet=False)
        await desk.tell("triage", "remind")
        receiver.delay = 60.0
        command = [sys.executable, "-m", "tests.support.posting", furnished_sqlite_url, keys, receiver.url]
        async with _process(command):
            await _until(lambda: len(receiver.asked) == 1)
        receiver.delay = 0.0
        async with _process(command), asyncio.timeout(60):
            while await desk.statuses() != ["sent", "sent"]:
                await asyncio.sleep(0.05)
        assert len(desk.ids()) == 2 and len(set(desk.ids())) == 1
        assert [row.attempts for row in await desk.rows()] == [2, 2]
    await services.database.close()


@asynccontextmanager
async def _process(command: list[str]) -> AsyncIterator[None]:
    """Run the post beside us, and kill it at the end."""
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)
