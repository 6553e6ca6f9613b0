"""The contact table over the API: versions, who may change it, who sees it."""

import asyncio
from typing import Any

import pytest
from sqlmodel import col, select

from models.directory import ContactEntry
from tests.support.office import Office, faults, slug

PATH = "directory/guilin/units/market"
NEW: dict[str, Any] = {
    "deputy_leader": {"name": "演示·新领导", "post": "副局长", "phone": "0773-2800000"},
    "contact": {"name": "演示·新联系人", "phone": "13800139999"},
}


async def test_a_change_makes_a_new_version_and_the_old_one_stays(office: Office) -> None:
    old = (await office.get(PATH, "guilin.clerk")).json()
    assert (old["version"], old["name"], old["valid_to"]) == (1, "市场监管局", None)
    assert old["alternate"]["name"] == "演示·市场监管局备用联系人"

    answer = await office.call("PUT", PATH, "guilin.supervisor", json=NEW)
    assert answer.status_code == 200
    new = answer.json()
    assert (new["version"], new["changed_by"], new["alternate"]) == (2, "guilin.supervisor", None)
    assert new["contact"] == {"name": "演示·新联系人", "post": None, "phone": "13800139999"}
    assert (await office.get(PATH, "guilin.market.contact")).json() == new
    first = (await office.get(PATH, "auditor", version=1)).json()
    assert first == old | {"valid_to": new["valid_from"]}
    assert slug(await office.get(PATH, "auditor", version=3)) == (404, "not-found")


async def test_the_same_line_again_makes_no_version(office: Office) -> None:
    line = (await office.get(PATH, "admin")).json()
    answer = await office.call("PUT", PATH, "admin", json=line)
    assert (answer.status_code, answer.json()) == (200, line)


async def test_what_was_read_may_be_sent_back_changed_unless_another_was_faster(office: Office) -> None:
    line = (await office.get(PATH, "admin")).json()
    line["contact"]["phone"] = "13800130001"
    line["name"] = "市场监督管理局"
    answer = await office.call("PUT", PATH, "admin", json=line)
    assert (answer.json()["version"], answer.json()["name"]) == (2, "市场监督管理局")
    late = await office.call("PUT", PATH, "guilin.supervisor", json=line | NEW)
    assert slug(late) == (409, "changed-meanwhile")
    assert late.json()["version"] == 2


async def test_two_changes_at_once_make_two_versions(office: Office) -> None:
    lines = [NEW | {"contact": {"name": f"演示·{n}", "phone": "13800139999"}} for n in range(6)]
    answers = await asyncio.gather(*(office.call("PUT", PATH, "admin", json=line) for line in lines))
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5, 6, 7]
    async with office.services.database.read() as session:
        wanted = select(ContactEntry).where(
            ContactEntry.hall == "guilin", ContactEntry.unit == "market", col(ContactEntry.valid_to).is_(None)
        )
        assert [row.version for row in (await session.exec(wanted)).all()] == [7]


@pytest.mark.parametrize(
    "username", ["guilin.clerk", "guilin.lead", "guilin.market.leader", "auditor", "superior"]
)
async def test_only_admin_and_supervisor_change_it(office: Office, username: str) -> None:
    assert slug(await office.call("PUT", PATH, username, json=NEW)) == (403, "forbidden")


async def test_another_hall_is_not_there(office: Office) -> None:
    for username in ("chengzhong.clerk", "chengzhong.supervisor", "chengzhong.market.contact"):
        assert slug(await office.get(PATH, username)) == (404, "not-found")
    for place in ("guilin/units/nothing", "nowhere/units/market", "guilin/units/mar%00ket", "a%20b/units/x"):
        assert slug(await office.get(f"directory/{place}", "admin")) == (404, "not-found")


async def test_a_supervisor_changes_the_halls_below(office: Office) -> None:
    path = "directory/lingui/units/market"
    empty = (await office.get(path, "guilin.supervisor")).json()
    assert (empty["version"], empty["contact"], empty["name"]) == (0, None, "市场监管局")
    answer = await office.call("PUT", path, "guilin.supervisor", json=NEW | {"version": 0})
    assert answer.json()["version"] == 1
    assert slug(await office.get(path, "guilin.centre")) == (404, "not-found")
    assert slug(await office.get(PATH, "lingui.supervisor")) == (404, "not-found")


async def test_every_bad_field_is_named_and_nothing_is_written(office: Office) -> None:
    body = {
        "deputy_leader": {"name": "a\u202eb", "phone": "12345678901", "wechat": "x"},
        "contact": {"name": " ", "phone": "1380013999\n9", "post": "x" * 101},
        "alternate": {"phone": 13800139999},
        "extra": 1,
    }
    answer = await office.call("PUT", PATH, "admin", json=body)
    assert faults(answer) == {
        "deputy_leader.name": "control_characters",
        "deputy_leader.phone": "string_pattern_mismatch",
        "deputy_leader.wechat": "extra_forbidden",
        "contact.name": "string_too_short",
        "contact.phone": "string_pattern_mismatch",
        "contact.post": "string_too_long",
        "alternate.name": "missing",
        "alternate.phone": "string_type",
        "extra": "extra_forbidden",
    }
    assert (await office.get(PATH, "admin")).json()["version"] == 1
