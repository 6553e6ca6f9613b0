"""The life of a 通报: drafted once, heard, decided by one person, numbered without a gap, referred."""

import asyncio
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import text
from sqlmodel import col, select, update
from temporalio.testing import ActivityEnvironment

from activities.issuing import IssuingActivities
from activities.notification import NotificationActivities
from casework.bulletin_notices import supervisors
from casework.bulletins import open_bulletin
from casework.relay import relay_once
from casework.scope import halls_under
from casework.viewer import Viewer
from models.act import Act
from models.case import Bulletin
from models.chain import ACT_CHAIN, verify_chain
from models.directory import ContactEntry, Hall, User
from models.inbox import Delivery, Notification
from models.overseers import halls_over
from rules.case.vocabulary import Role
from tests.support.bulletins import drafts, lay, order, replies, returns, since_long_ago
from tests.support.cases import POLICIES, handled, t
from tests.support.gateway import Gateway
from tests.support.house import House, triage
from tests.support.office import Office, faults, freeze, slug

SUPERVISOR, LEADER, CONTACT = "guilin.supervisor", "guilin.market.leader", "guilin.market.contact"
SEE_DRAFTS = (SUPERVISOR, "auditor", LEADER)
SEE_ISSUED = (*SEE_DRAFTS, CONTACT, "guilin.market.alternate", "guilin.lead", "guilin.centre")
NEVER = (
    "guilin.clerk",
    "guilin.social.leader",
    "guilin.social.contact",
    "chengzhong.supervisor",
    "chengzhong.market.leader",
    "chengzhong.lead",
    "lingui.supervisor",
    "superior",
)


async def seen(office: Office, bulletin: int) -> set[str]:
    users = {*SEE_ISSUED, *NEVER}
    return {user for user in users if (await office.get(f"bulletins/{bulletin}", user)).status_code == 200}


async def give(office: Office, bulletin: int, act: str, user: str, **body: Any) -> Any:
    return await office.call("POST", f"bulletins/{bulletin}/{act}", user, json=body)


async def done(office: Office, bulletin: int, act: str, user: str, **body: Any) -> dict[str, Any]:
    answer = await give(office, bulletin, act, user, **body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def told(office: Office, kind: str) -> set[str]:
    async with office.services.database.read() as session:
        wanted = select(Notification.username).where(Notification.kind == kind)
        return set((await session.exec(wanted)).all())


async def acts(office: Office, bulletin: int) -> Sequence[Act]:
    async with office.services.database.read() as session:
        wanted = select(Act).where(Act.item == bulletin, Act.kind == "bulletin").order_by(col(Act.seq))
        return (await session.exec(wanted)).all()


# Drafts


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
    await _sent(house, items[0]["id"])


async def _sent(house: House, bulletin: int) -> None:
    """Wait until the workflow has noted that the channels outside have it."""
    for _ in range(200):
        async with house.services.database.read() as session:
            row = await session.get_one(Bulletin, bulletin)
        if row.sent_at is not None:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the bulletin was not sent")


# Who sees and acts


async def test_a_draft_is_seen_by_few_and_an_issued_one_by_those_it_went_to(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    assert await seen(office, bulletin) == set(SEE_DRAFTS)
    assert slug(await office.get(f"bulletins/{bulletin}", "admin")) == (403, "forbidden")
    assert slug(await office.get(f"bulletins/{bulletin}")) == (401, "no-token")
    await done(office, bulletin, "approve", SUPERVISOR)
    assert await seen(office, bulletin) == set(SEE_ISSUED)
    (rejected,) = await drafts(office.services, 1, story=returns)
    await done(office, rejected, "reject", SUPERVISOR, reason="情有可原")
    assert await seen(office, rejected) == set(SEE_DRAFTS)


@pytest.mark.parametrize("ref", ["0", "-1", "999", "x", "9" * 19, "9" * 40, "1.0", "%20", "１"])
async def test_what_is_no_bulletin_is_not_found(sqlite_office: Office, ref: str) -> None:
    assert (await sqlite_office.get(f"bulletins/{ref}", SUPERVISOR)).status_code == 404
    assert (await give(sqlite_office, ref, "approve", SUPERVISOR)).status_code == 404  # type: ignore[arg-type]


async def test_acts_are_refused_in_the_order_404_403_422_409(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    for act in ("statement", "approve", "reject", "referral"):
        for stranger in NEVER:
            assert (await give(office, bulletin, act, stranger, nonsense=1)).status_code == 404
    for act, user in (
        ("statement", SUPERVISOR),
        ("statement", "auditor"),
        ("approve", LEADER),
        ("approve", "auditor"),
        ("reject", LEADER),
        ("referral", SUPERVISOR),
        ("referral", "auditor"),
    ):
        assert slug(await give(office, bulletin, act, user, nonsense=1)) == (403, "forbidden")
    assert faults(await give(office, bulletin, "statement", LEADER)) == {"text": "missing"}
    assert faults(await give(office, bulletin, "statement", LEADER, text=" \n")) == {
        "text": "string_too_short"
    }
    assert faults(await give(office, bulletin, "reject", SUPERVISOR)) == {"reason": "missing"}
    assert faults(await give(office, bulletin, "approve", SUPERVISOR, note="x")) == {
        "note": "extra_forbidden"
    }
    too_long = await give(office, bulletin, "reject", SUPERVISOR, reason="长" * 2001)
    assert faults(too_long) == {"reason": "string_too_long"}
    await done(office, bulletin, "reject", SUPERVISOR, reason="理由")
    assert slug(await give(office, bulletin, "statement", LEADER, text="说明")) == (409, "bulletin-decided")
    assert slug(await give(office, bulletin, "approve", SUPERVISOR)) == (409, "bulletin-decided")


async def test_the_list_of_the_api_is_for_supervision_and_audit(office: Office) -> None:
    await drafts(office.services, 2)
    assert len((await office.get("bulletins", SUPERVISOR)).json()["items"]) == 2
    for user in (LEADER, CONTACT, "guilin.lead", "superior", "admin"):
        assert slug(await office.get("bulletins", user)) == (403, "forbidden")


# Statement and decision


async def test_the_unit_may_state_often_and_each_is_kept_with_author_and_time(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    at = freeze(office.services.clock)
    await done(office, bulletin, "statement", LEADER, text="系统故障。")
    await done(office, bulletin, "statement", LEADER, text="系统故障。")  # sent twice
    shown = await done(office, bulletin, "statement", LEADER, text="另附证明。")
    said = [(act["seq"], act["text"], act["actor"]["username"]) for act in shown["acts"][1:]]
    assert said == [(2, "系统故障。", LEADER), (3, "另附证明。", LEADER)]
    assert datetime.fromisoformat(shown["acts"][1]["at"]) == at
    assert await told(office, "bulletin_stated") == {SUPERVISOR}
    assert [act.sealed is not None for act in await acts(office, bulletin)] == [False, True, True]
    assert "系统故障" not in "".join(str(act.model_dump()) for act in await acts(office, bulletin))


async def test_an_issued_bulletin_is_numbered_dated_and_sent(office: Office) -> None:
    await since_long_ago(office.services)
    (bulletin,) = await drafts(office.services, 1)
    at = freeze(office.services.clock, t("11-26 10:00"))
    await done(office, bulletin, "statement", LEADER, text="系统故障。")
    shown = await done(office, bulletin, "approve", SUPERVISOR, reason="事实清楚。")
    assert (shown["status"], shown["number"]) == ("issued", "通报〔2026〕1号")
    assert datetime.fromisoformat(shown["decided_at"]) == at
    assert (shown["acts"][-1]["type"], shown["acts"][-1]["text"]) == ("issued", "事实清楚。")
    assert (shown["accountability"], shown["allowed"]) == (None, [])
    assert await told(office, "bulletin_issued") == set(SEE_ISSUED) - {SUPERVISOR, "auditor"}
    again = await done(office, bulletin, "approve", SUPERVISOR)  # a second click
    assert again["number"] == shown["number"] and len(again["acts"]) == len(shown["acts"])


async def test_a_rejected_one_has_its_reason_and_no_number(office: Office) -> None:
    (bulletin, other) = await drafts(office.services, 2)
    shown = await done(office, bulletin, "reject", SUPERVISOR, reason="确因停电。")
    assert (shown["status"], shown["number"]) == ("rejected", None)
    assert shown["acts"][-1]["text"] == "确因停电。"
    assert await told(office, "bulletin_rejected") == {LEADER}
    assert (await office.get(f"bulletins/{bulletin}/file", SUPERVISOR)).status_code == 404
    assert (await done(office, other, "approve", SUPERVISOR))["number"].endswith("〕1号")


async def test_of_two_supervisors_at_once_one_decides_and_the_other_is_told_so(office: Office) -> None:
    await _second_supervisor(office)
    (bulletin,) = await drafts(office.services, 1)
    both = await asyncio.gather(
        give(office, bulletin, "approve", SUPERVISOR),
        give(office, bulletin, "reject", "guilin.clerk2", reason="不同意"),
    )
    assert sorted(answer.status_code for answer in both) == [200, 409]
    loser = next(answer for answer in both if answer.status_code == 409)
    assert slug(loser) == (409, "bulletin-decided")
    decided = (await office.get(f"bulletins/{bulletin}", SUPERVISOR)).json()
    assert loser.json()["bulletin_status"] == decided["status"]
    assert len([act for act in decided["acts"] if act["type"] in ("issued", "rejected")]) == 1


async def _second_supervisor(office: Office) -> None:
    async with office.services.database.begin() as session:
        await (await session.connection()).execute(
            text("UPDATE users SET role = 'supervisor' WHERE username = 'guilin.clerk2'")
        )


async def test_numbers_have_no_gap_though_many_are_decided_at_once(office: Office) -> None:
    found = await drafts(office.services, 6)
    there = await drafts(office.services, 2, hall="chengzhong")
    calls = [give(office, each, "approve", SUPERVISOR) for each in found]
    calls += [give(office, each, "approve", "chengzhong.supervisor") for each in there]
    calls.insert(3, give(office, found[5], "reject", SUPERVISOR, reason="不予通报"))
    await asyncio.gather(*calls)
    async with office.services.database.read() as session:
        rows = (await session.exec(select(Bulletin).where(Bulletin.status == "issued"))).all()
    by_hall = {
        hall: sorted(row.serial or 0 for row in rows if row.hall == hall) for hall in ("guilin", "chengzhong")
    }
    assert by_hall["chengzhong"] == [1, 2]
    assert by_hall["guilin"] == list(range(1, len(by_hall["guilin"]) + 1)) and len(by_hall["guilin"]) >= 5


async def test_numbers_begin_anew_with_the_year_of_shanghai(office: Office) -> None:
    first, second, third = await drafts(office.services, 3)
    for bulletin, at, number in (
        (first, "2026-12-31 23:59", "通报〔2026〕1号"),
        (second, "2027-01-01 00:00", "通报〔2027〕1号"),
        (third, "2027-01-01 00:01", "通报〔2027〕2号"),
    ):
        freeze(office.services.clock, t(at))
        assert (await done(office, bulletin, "approve", SUPERVISOR))["number"] == number


# Accountability


async def test_a_third_one_is_referred_and_the_superior_decides(office: Office) -> None:
    first, second, third = await drafts(office.services, 3)
    for bulletin in (first, second):
        assert (await done(office, bulletin, "approve", SUPERVISOR))["accountability"] is None
    assert (await office.get(f"bulletins/{third}", SUPERVISOR)).json()["serious"] == "repeated"
    shown = await done(office, third, "approve", SUPERVISOR)
    assert (shown["accountability"], shown["serious"]) == ("referred", "repeated")
    assert [act["type"] for act in shown["acts"]] == ["drafted", "issued", "referred"]
    assert await told(office, "bulletin_referred") == {"superior", "auditor"}
    assert "superior" in await seen(office, third) and "superior" not in await seen(office, first)
    assert faults(await give(office, third, "referral", "superior", accept=False)) == {"reason": "required"}
    decided = await done(office, third, "referral", "superior", accept=True, reason="同意")
    assert (decided["accountability"], decided["acts"][-1]["type"]) == ("approved", "referral_approved")
    assert await told(office, "bulletin_referral") == {SUPERVISOR, LEADER}
    assert slug(await give(office, third, "referral", "superior", accept=True)) == (409, "bulletin-decided")
    page = words((await office.get(f"bulletins/{third}/file", "superior")).content)
    assert "移送问责" in page


async def test_an_order_left_unanswered_after_a_bulletin_is_referred_and_may_come_back(
    office: Office,
) -> None:
    (first,) = await drafts(office.services, 1)
    (second,) = await drafts(office.services, 1, story=order)
    await done(office, first, "approve", SUPERVISOR)
    shown = await done(office, second, "approve", SUPERVISOR)
    assert (shown["accountability"], shown["serious"]) == ("referred", "unanswered_again")
    back = await done(office, second, "referral", "superior", accept=False, reason="先行整改")
    assert (back["accountability"], back["acts"][-1]["text"]) == ("returned", "先行整改")


async def test_another_unit_starts_with_none(office: Office) -> None:
    for bulletin in await drafts(office.services, 2):
        await done(office, bulletin, "approve", SUPERVISOR)
    (other,) = await lay(office.services.database, replies(unit="social"), "case-other")
    assert (await done(office, other, "approve", SUPERVISOR))["accountability"] is None


# The record


async def test_the_record_is_one_chain_and_a_cut_or_changed_act_shows(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    await done(office, bulletin, "statement", LEADER, text="说明")
    await done(office, bulletin, "approve", SUPERVISOR)
    assert verify_chain(await acts(office, bulletin), 3, ACT_CHAIN) is None
    viewer = Viewer("auditor", "审计", Role.AUDITOR)
    assert (await open_bulletin(office.services, viewer, str(bulletin))).record.verified
    await _past_the_triggers(office, f"DELETE FROM acts WHERE item = {bulletin} AND seq = 3")
    assert not (await open_bulletin(office.services, viewer, str(bulletin))).record.verified


async def test_a_changed_act_shows(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    await done(office, bulletin, "approve", SUPERVISOR)
    await _past_the_triggers(office, f"UPDATE acts SET type = 'rejected' WHERE item = {bulletin} AND seq = 2")
    assert verify_chain(await acts(office, bulletin), 2, ACT_CHAIN) == 2


async def _past_the_triggers(office: Office, statement: str) -> None:
    """As the owner of the database could."""
    async with office.services.database.begin() as session:
        connection = await session.connection()
        if office.services.database.dialect == "postgresql":
            await connection.execute(text("ALTER TABLE acts DISABLE TRIGGER acts_append_only"))
        else:
            for act in ("update", "delete"):
                await connection.execute(text(f"DROP TRIGGER acts_no_{act}"))
        await connection.execute(text(statement))


# The document


def words(pdf: bytes) -> str:
    """The text of a PDF as another library reads it, without its line breaks."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


@dataclass(frozen=True)
class Expected:
    story: Any
    said: str
    ground: str


@pytest.mark.parametrize(
    "expected",
    [
        Expected(
            replies, "两次答复经审核均未通过，时间分别为2026年3月9日9时20分、2026年3月9日9时20分", "敷衍应付"
        ),
        Expected(returns, "先后两次退单，经裁定均不成立", "推诿扯皮"),
        Expected(order, "下达第1号督办单，要求于2026年3月11日17时30分前书面答复", "拒不配合"),
    ],
)
async def test_the_document_says_who_what_and_when(sqlite_office: Office, expected: Expected) -> None:
    office = sqlite_office
    await since_long_ago(office.services)
    (bulletin,) = await drafts(office.services, 1, story=expected.story)
    freeze(office.services.clock, t("11-26 10:00"))
    await done(office, bulletin, "approve", SUPERVISOR)
    answer = await office.get(f"bulletins/{bulletin}/file", CONTACT)
    assert answer.headers["content-type"] == "application/pdf"
    log = (await office.get("access-log", "auditor")).json()["items"][0]
    assert (log["username"], log["action"], log["reason"]) == (CONTACT, "download", f"bulletin {bulletin}")
    assert answer.headers["content-disposition"] == 'attachment; filename="bulletin-2026-1.pdf"'
    page = words(answer.content)
    for part in (
        "桂林市政务服务监督管理部门(演示)文件",
        "通报〔2026〕1号",
        f"关于市场监管局{expected.ground}问题的通报",
        "市场监管局：",
        "责任单位：市场监管局；责任人：演示",
        "2026年11月26日印发",
        "抄送：",
        "该单位未提交说明",
    ):
        assert part in page, part
    if expected.story is not replies:
        assert expected.said in page


async def test_the_document_stays_as_it_was_issued_whatever_the_directory_says_later(
    sqlite_office: Office,
) -> None:
    office = sqlite_office
    (bulletin,) = await drafts(office.services, 1)
    await done(office, bulletin, "approve", SUPERVISOR)
    before = words((await office.get(f"bulletins/{bulletin}/file", SUPERVISOR)).content)
    async with office.services.database.begin() as session:
        connection = await session.connection()
        await connection.execute(text("UPDATE units SET name = '改名局'"))
        await connection.execute(text("UPDATE halls SET supervision_department = '改名部门'"))
    assert words((await office.get(f"bulletins/{bulletin}/file", SUPERVISOR)).content) == before


# Outside


async def test_an_issued_one_reaches_the_channel_outside_once(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    await done(office, bulletin, "approve", SUPERVISOR)
    database, gateway = office.services.database, Gateway()
    async with gateway.channel() as channel:
        outside = NotificationActivities(database, {channel.name: channel})
        issuing = IssuingActivities(database, {channel.name: channel}, outside)
        with pytest.raises(Exception, match="503"):
            await ActivityEnvironment().run(issuing.send_bulletin, bulletin)
        gateway.alive = True
        for _ in range(2):
            await ActivityEnvironment().run(issuing.send_bulletin, bulletin)
    assert [message["text"] for message in gateway.sent] == ["guilin-20260309-es-0 已发出通报〔2026〕1号"]
    async with database.read() as session:
        row = await session.get_one(Bulletin, bulletin)
        deliveries = (await session.exec(select(Delivery))).all()
    assert row.sent_at is not None
    assert [each.status for each in deliveries] == ["sent"]


async def test_the_relay_sends_what_was_issued_while_the_engine_was_away(sqlite_house: House) -> None:
    house = sqlite_house
    (bulletin,) = await drafts(house.services, 1)
    async with house.down():
        answer = await house.post(f"bulletins/{bulletin}/approve", {}, by=SUPERVISOR)
        assert answer.status_code == 200, "a decision needs no engine"
    async with house.services.database.begin() as session:
        row = await session.get_one(Bulletin, bulletin)
        assert row.sent_at is None and row.decided_at is not None
        row.decided_at -= timedelta(minutes=1)
        session.add(row)
    assert await relay_once(house.services) == 1
    await _sent(house, bulletin)
    assert await relay_once(house.services) == 0
