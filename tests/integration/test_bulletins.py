"""The life of a 通报: heard, decided by one person, numbered without a gap, referred; one chain of acts."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlmodel import select

from casework.bulletins import open_bulletin
from casework.viewer import Viewer
from models.case import Bulletin
from models.chain import ACT_CHAIN, verify_chain
from rules.case.vocabulary import Role
from tests.support.bulletins import (
    CONTACT,
    LEADER,
    NEVER,
    SEE_DRAFTS,
    SEE_ISSUED,
    SUPERVISOR,
    acts,
    done,
    drafts,
    give,
    lay,
    order,
    replies,
    returns,
    seen,
    since_long_ago,
    told,
    words,
)
from tests.support.cases import t
from tests.support.office import Office, faults, freeze, slug

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
