"""The own inbox and the drafts of bulletins: who sees which, in which order."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import select

from activities.tables import USERS
from models.case import Bulletin
from models.inbox import Notification
from tests.support.cases import dispatched
from tests.support.ledgers import write_story
from tests.support.office import Office, faults, slug

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


async def tell(office: Office, username: str, count: int) -> None:
    async with office.services.database.begin() as session:
        session.add_all(
            Notification(
                username=username,
                case_id=f"case-{number}",
                number=f"guilin-20260302-{number:04d}",
                seq=1,
                kind="triage",
                text="新的转办件",
                at=AT + timedelta(minutes=number),
            )
            for number in range(1, count + 1)
        )


async def test_the_own_inbox_shows_the_newest_first(office: Office) -> None:
    await tell(office, "guilin.market.contact", 3)
    await tell(office, "guilin.market.leader", 1)
    inbox = (await office.get("notifications", "guilin.market.contact")).json()
    assert [item["number"][-4:] for item in inbox["items"]] == ["0003", "0002", "0001"]
    assert inbox["unread"] == 3
    assert inbox["items"][0] | {"id": 0} == {
        "id": 0,
        "at": "2026-03-02T09:33:00+08:00",
        "case_id": "case-3",
        "number": "guilin-20260302-0003",
        "kind": "triage",
        "text": "新的转办件",
        "read": False,
    }
    second = (await office.get("notifications", "guilin.market.contact", per_page=2, page=2)).json()
    assert [item["number"][-4:] for item in second["items"]] == ["0001"]
    assert (await office.get("notifications", "admin")).json() == {"items": [], "unread": 0}


ALTERNATE, CONTACT = "guilin.market.alternate", "guilin.market.contact"


@pytest.mark.parametrize(("gone", "told"), [(False, ALTERNATE), (True, CONTACT)])
async def test_nobody_signs_the_contact_is_told_again_only_where_there_is_no_alternate(
    office: Office, gone: bool, told: str
) -> None:
    async with office.services.database.begin() as session:
        await session.exec(update(USERS).where(USERS.c.username == ALTERNATE).values(active=not gone))
    late = dispatched("03-09 09:20", unit="market").until("03-09 14:50")
    case_id = await write_story(office.services, late)
    async with office.services.database.read() as session:
        wanted = select(Notification.username).where(
            Notification.case_id == case_id, Notification.kind == "sign_late_1"
        )
        assert (await session.exec(wanted)).all() == [told]


async def test_what_was_written_out_of_its_order_still_shows_the_newest_first(office: Office) -> None:
    await tell(office, "guilin.market.contact", 3)
    # Alarms of one instant are decided side by side: the later one may be written first.
    async with office.services.database.begin() as session:
        session.add(
            Notification(
                username="guilin.market.contact",
                case_id="case-2",
                number="guilin-20260302-0002",
                seq=2,
                kind="sign",
                text="已签收",
                at=AT + timedelta(minutes=2, milliseconds=1),
            )
        )
    inbox = (await office.get("notifications", "guilin.market.contact")).json()
    times = [item["at"] for item in inbox["items"]]
    assert (len(times), times) == (4, sorted(times, reverse=True))


async def test_only_own_notifications_are_marked_as_read(office: Office) -> None:
    await tell(office, "guilin.market.contact", 3)
    await tell(office, "guilin.market.leader", 1)
    mine = (await office.get("notifications", "guilin.market.contact")).json()["items"]
    others = (await office.get("notifications", "guilin.market.leader")).json()["items"]
    ids = [mine[0]["id"], others[0]["id"], 10**15]
    answer = await office.call("POST", "notifications/read", "guilin.market.contact", json={"ids": ids})
    assert (answer.status_code, answer.json()) == (200, {"unread": 2})
    inbox = (await office.get("notifications", "guilin.market.contact")).json()
    assert [item["read"] for item in inbox["items"]] == [True, False, False]
    assert (await office.get("notifications", "guilin.market.leader")).json()["unread"] == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"ids": "missing"}),
        (
            {"ids": [0, "1", 2**63, True]},
            {
                "ids.0": "greater_than_equal",
                "ids.1": "int_type",
                "ids.2": "less_than_equal",
                "ids.3": "int_type",
            },
        ),
        ({"ids": [1] * 1001}, {"ids": "too_long"}),
        ({"ids": [], "all": True}, {"all": "extra_forbidden"}),
    ],
)
async def test_bad_ids_are_named(office: Office, body: dict[str, object], expected: dict[str, str]) -> None:
    assert faults(await office.call("POST", "notifications/read", "admin", json=body)) == expected


async def test_bulletins_are_seen_by_who_oversees_the_hall(office: Office) -> None:
    async with office.services.database.begin() as session:
        session.add_all(
            Bulletin(
                case_id=f"case-{hall}",
                case_number=f"{hall}-20260302-0001",
                seq=9,
                hall=hall,
                unit="market",
                person="演示·分管领导",
                ground="order_unanswered",
                order_id="1",
                due=AT,
                created_at=AT,
            )
            for hall in ("guilin", "chengzhong")
        )
    items = (await office.get("bulletins", "guilin.supervisor")).json()["items"]
    assert items[0] | {"id": 0} == {
        "id": 0,
        "case_id": "case-guilin",
        "case_number": "guilin-20260302-0001",
        "unit": "market",
        "person": "演示·分管领导",
        "ground": "order_unanswered",
        "status": "draft",
        "due": "2026-03-02T09:30:00+08:00",
        "created_at": "2026-03-02T09:30:00+08:00",
    }
    assert len(items) == 1
    assert len((await office.get("bulletins", "auditor")).json()["items"]) == 2
    for username in ("guilin.lead", "guilin.market.leader", "admin", "superior"):
        assert slug(await office.get("bulletins", username)) == (403, "forbidden")
