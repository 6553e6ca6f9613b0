"""Drafts of a 通报: on which grounds, naming whom, and who hears of them."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col, select, update

from casework.bulletin_notices import supervisors
from casework.scope import halls_under
from models.case import Bulletin
from models.directory import ContactEntry, Hall, User
from models.inbox import Notification
from models.overseers import halls_over
from tests.support.bulletins import (
    CONTACT,
    LEADER,
    SUPERVISOR,
    done,
    drafts,
    lay,
    order,
    replies,
    returns,
    sent,
    since_long_ago,
    told,
    words,
)
from tests.support.cases import POLICIES, handled, t
from tests.support.house import House, triage
from tests.support.office import Office


@pytest.mark.parametrize(
    ("story", "ground", "named"),
    [
        (replies, "two_refused_replies", "联系人"),
        (returns, "two_refused_returns", "联系人"),
        (order, "order_unanswered", "分管领导"),
    ],
)
async def test_each_ground_is_drafted_once_and_names_unit_and_person(
    office: Office, story: Any, ground: str, named: str
) -> None:
    await since_long_ago(office.services)
    found = await lay(office.services.database, story(), "case-1")
    assert len(found) == 1
    shown = (await office.get(f"bulletins/{found[0]}", SUPERVISOR)).json()
    assert (shown["ground"], shown["unit"], shown["status"]) == (ground, "market", "draft")
    assert shown["person"].endswith(named) and shown["post"] == named
    assert [(act["type"], act["actor"]) for act in shown["acts"]] == [("drafted", {"role": "system"})]
    assert shown["verified"]


async def test_a_third_refusal_gives_no_second_draft_and_another_unit_starts_anew(office: Office) -> None:
    story = replies()
    story.give("reply").give("check_reply", accept=False, reason="理由")
    assert len(await lay(office.services.database, story, "case-1")) == 1
    again = replies()
    again.give("reassign", unit="social").give("sign")
    for _ in range(2):
        again.give("reply").give("check_reply", accept=False, reason="理由")
    found = await lay(office.services.database, again, "case-2")
    shown = [(await office.get(f"bulletins/{each}", SUPERVISOR)).json()["unit"] for each in found]
    assert shown == ["market", "social"]


@pytest.mark.parametrize(
    ("changed_at", "named"),
    [("03-11 17:29:59", "新任"), ("03-11 17:30", "新任"), ("03-11 17:30:01", "前任")],
)
async def test_the_person_is_who_held_the_post_when_the_order_was_due(
    office: Office, changed_at: str, named: str
) -> None:
    """Whoever came later did not leave it unanswered."""
    at = t(changed_at)
    person = {"post": "副局长", "phone": "13800130001"}
    async with office.services.database.begin() as session:
        entry = (
            await session.exec(
                select(ContactEntry).where(ContactEntry.hall == "guilin", ContactEntry.unit == "market")
            )
        ).one()
        values = entry.model_dump(exclude={"id"})
        entry.valid_from, entry.valid_to = datetime(2025, 1, 1, tzinfo=UTC), at
        entry.deputy_leader = person | {"name": "前任"}
        newer = {"version": 2, "valid_from": at, "deputy_leader": person | {"name": "新任"}}
        session.add(entry)
        session.add(ContactEntry(**{**values, **newer}))
    found = await lay(office.services.database, order(), "case-1")
    shown = (await office.get(f"bulletins/{found[0]}", SUPERVISOR)).json()
    assert (shown["person"], shown["post"]) == (named, "副局长")


async def test_nobody_is_named_where_nobody_was_entered_then(office: Office) -> None:
    """The demonstration's contact table begins after this story."""
    found = await drafts(office.services, 1)
    shown = (await office.get(f"bulletins/{found[0]}", SUPERVISOR)).json()
    assert (shown["person"], shown["post"]) == (None, None)


async def test_a_draft_tells_who_decides_and_the_leader_who_is_heard(office: Office) -> None:
    found = await drafts(office.services, 1)
    assert await told(office, "bulletin_drafted") == {SUPERVISOR, LEADER}
    async with office.services.database.read() as session:
        lines = (await session.exec(select(Notification))).all()
    assert {line.path for line in lines} == {f"/bulletins/{found[0]}"}


async def test_a_draft_of_a_branch_tells_the_supervisor_of_the_hall_above(office: Office) -> None:
    """Lingui lies below guilin: guilin's supervisor may decide, also where lingui has none of its own."""
    services = office.services
    story = handled("03-09 09:20", "commitment", "market", "lingui", policy=POLICIES["guilin"])
    for _ in range(2):
        story.give("reply").give("check_reply", accept=False, reason="理由")
    (bulletin,) = await lay(services.database, story, "case-1")
    assert await told(office, "bulletin_drafted") == {"lingui.supervisor", SUPERVISOR}
    async with services.database.begin() as session:
        await session.exec(update(User).where(col(User.username) == "lingui.supervisor").values(active=False))
    async with services.database.read() as session:
        assert await supervisors(session, await session.get_one(Bulletin, bulletin)) == [SUPERVISOR]
    await drafts(services, 1)  # of guilin: nobody below it is told
    assert await told(office, "bulletin_drafted") == {"lingui.supervisor", SUPERVISOR, LEADER}
    await done(office, bulletin, "reject", SUPERVISOR, reason="另行处理")


async def test_who_oversees_a_hall_is_who_sees_it_and_a_ring_ends(office: Office) -> None:
    async with office.services.database.begin() as session:
        await session.exec(update(Hall).where(col(Hall.code) == "guilin").values(parent="chengzhong"))
        ways = ({"chengzhong": None}, {"chengzhong": "lingui"})
        for way in ways:
            for hall, parent in way.items():
                await session.exec(update(Hall).where(col(Hall.code) == hall).values(parent=parent))
            parents = dict((await session.exec(select(Hall.code, Hall.parent))).all())
            for hall in parents:
                over = set((await session.exec(halls_over(hall))).scalars())
                assert over == {each for each in parents if hall in halls_under(each, parents)}, hall


async def test_a_draft_comes_with_the_event_in_the_running_house(house: House) -> None:
    case = await house.file()
    await house.act(case, "triage", "guilin.clerk", **triage(kind="commitment"))
    await house.act(case, "sign", CONTACT)
    for _ in range(3):
        await house.act(case, "reply", CONTACT, text="已转其他部门。", resolved=True)
        await house.act(case, "check_reply", "guilin.lead", accept=False, reason="没有答复所问")
    items = (await house.get("bulletins", by=SUPERVISOR)).json()["items"]
    assert [item["ground"] for item in items] == ["two_refused_replies"]
    assert items[0]["person"] and items[0]["case_number"] == case["number"]
    approved = await house.post(f"bulletins/{items[0]['id']}/approve", {}, by=SUPERVISOR)
    assert approved.status_code == 200, approved.text
    issued = approved.json()
    assert re.fullmatch(r"通报〔20\d\d〕1号", issued["number"])
    pdf = await house.get(f"bulletins/{items[0]['id']}/file", by=LEADER)
    page = words(pdf.content)
    assert case["number"] in page and "个体户注销" in page and "周小明" not in page
    await sent(house, items[0]["id"])
