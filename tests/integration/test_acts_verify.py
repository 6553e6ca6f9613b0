"""Whatever is done to the record of acts as the database's owner: verifying names it and its number."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from activities.archiving import newest_head
from casework import acts_verifying, verifying
from casework.acts import read_record
from casework.case_verifying import gather_chains, verify_evidence
from casework.findings import Finding
from casework.services import Services
from models.act import BULLETIN, TYPICAL_CASE
from models.case import Bulletin
from models.heads import HeadFile
from models.typical import TypicalCase
from routes.evidence_words import finding_words
from tests.support.ledgers import head_now
from tests.support.records import RecordOwner, decided, drafted, key_of, written_up

EVENING = datetime(2026, 3, 12, 15, 50, tzinfo=UTC)
DAY = timedelta(days=1)
ONE = "kind = 'bulletin' AND item = :i"


@pytest.fixture
async def bulletin(services: Services) -> Bulletin:
    """The second of three bulletins: drafted, stated on, rejected. It is tampered with."""
    await drafted(services)
    found = await decided(services)
    await drafted(services)
    return found


async def found(services: Services, *published: HeadFile) -> list[tuple[str, str | None, int | None]]:
    """What verifying finds: what, of which item, at which number."""
    report = await verifying.verify_ledger(services, published)
    return [(each.what, each.facts.get("item"), each.seq) for each in report.findings]


async def found_of_case(services: Services, case_id: str) -> list[tuple[str, str | None, int | None]]:
    """What verifying the case alone finds of its chains."""
    report = await verify_evidence(services, await gather_chains(services, case_id))
    return [(each.what, each.facts.get("item"), each.seq) for each in report.ledger]


async def verified(services: Services, item: int) -> bool:
    """What the page of a bulletin says of its record."""
    async with services.database.read() as session:
        row = await session.get_one(Bulletin, item)
        return (await read_record(session, services.keyring, row)).verified


async def test_an_untouched_record_holds_and_a_head_has_a_leaf_for_what_moved(
    services: Services, bulletin: Bulletin
) -> None:
    first = await head_now(services, EVENING)
    typical = await written_up(services, bulletin)
    await drafted(services)
    second = await head_now(services, EVENING + DAY)
    leaves = [{leaf.key: leaf.seq for leaf in file.leaves if leaf.kind == "act"} for file in (first, second)]
    assert bulletin.id == 2
    assert leaves[0] == {"bulletin/1": 1, "bulletin/2": 3, "bulletin/3": 1}
    assert leaves[1] == {f"typical_case/{typical}": 2, "bulletin/4": 1}
    assert await found(services, first, second) == []
    report = await verifying.verify_ledger(services)
    assert (report.acts, report.cases, report.ok) == (1 + 3 + 1 + 1 + 2, 4, True)
    assert await found_of_case(services, bulletin.case_id) == []
    assert await verified(services, 2)


CHANGES = [
    ("UPDATE acts SET type = 'issued' WHERE {one} AND seq = 2", "act_changed", 2),
    ("UPDATE acts SET actor = '{{\"x\": 1}}' WHERE {one} AND seq = 3", "act_changed", 3),
    ("UPDATE acts SET sealed = NULL WHERE {one} AND seq = 2", "act_changed", 2),
    ("DELETE FROM acts WHERE {one} AND seq = 2", "act_missing", 2),
    ("DELETE FROM acts WHERE {one} AND seq = 1", "act_missing", 1),
    ("DELETE FROM acts WHERE {one} AND seq = 3", "acts_cut", 3),
    ("DELETE FROM acts WHERE {one}", "acts_cut", 1),
    ("UPDATE acts SET prev_hash = hash WHERE {one} AND seq = 2", "act_unlinked", 2),
    ("UPDATE bulletins SET acts = 2 WHERE id = :i", "act_unknown", 3),
    ("UPDATE bulletins SET last_hash = 'x' WHERE id = :i", "acts_rewritten", 3),
]


async def test_what_is_done_to_a_record_is_named_by_all_who_read_it(services: Services) -> None:
    """The whole ledger, the one case, and the page of the bulletin: each change is done to one of its own."""
    bulletins = [await decided(services) for _ in CHANGES]
    for bulletin, (change, *_) in zip(bulletins, CHANGES, strict=True):
        await RecordOwner(services).run(change.format(one=ONE), i=bulletin.id)
    expected = [(what, key_of(of), seq) for of, (_, what, seq) in zip(bulletins, CHANGES, strict=True)]
    assert sorted(await found(services)) == sorted(expected)
    for bulletin, finding in zip(bulletins, expected, strict=True):
        assert await found_of_case(services, bulletin.case_id) == [finding]
        assert not await verified(services, bulletin.id or 0)


async def test_a_column_that_is_no_json_any_more_is_named(services: Services, bulletin: Bulletin) -> None:
    """PostgreSQL takes none; there the column becomes a bare word of JSON."""
    broken = {"sqlite": "'broken'", "postgresql": "to_jsonb('broken'::text)"}[services.database.dialect]
    await RecordOwner(services).run(f"UPDATE acts SET data = {broken} WHERE {ONE} AND seq = 2", i=bulletin.id)
    assert await found(services) == [("act_changed", key_of(bulletin), 2)]


async def test_acts_of_a_bulletin_that_was_deleted_are_named(services: Services, bulletin: Bulletin) -> None:
    await RecordOwner(services).run("DELETE FROM bulletins WHERE id = :i", i=bulletin.id)
    assert await found(services) == [("acts_of_nothing", key_of(bulletin), 1)]
    assert await found_of_case(services, bulletin.case_id) == [("acts_of_nothing", key_of(bulletin), 1)]


async def test_a_bulletin_that_was_laid_to_another_case_is_named(
    services: Services, bulletin: Bulletin
) -> None:
    move = "UPDATE bulletins SET case_id = 'another', seq = 99 WHERE id = :i"
    await RecordOwner(services).run(move, i=bulletin.id)
    assert await found(services) == [("acts_elsewhere", key_of(bulletin), 1)]
    assert await found_of_case(services, bulletin.case_id) == [("acts_elsewhere", key_of(bulletin), 1)]


@pytest.mark.parametrize("act", ["change", "cut", "empty"])
async def test_a_typical_case_is_held_by_the_hash_of_its_last_act(
    services: Services, bulletin: Bulletin, act: str
) -> None:
    item = await written_up(services, bulletin)
    change, expected = {
        "change": ("UPDATE acts SET type = 'published' WHERE seq = 1 AND", ("act_changed", 1)),
        "cut": ("DELETE FROM acts WHERE seq = 2 AND", ("acts_end_otherwise", 1)),
        "empty": ("DELETE FROM acts WHERE", ("acts_end_otherwise", 1)),
    }[act]
    await RecordOwner(services).run(f"{change} kind = 'typical_case' AND item = :i", i=item)
    assert await found(services) == [(expected[0], f"typical_case/{item}", expected[1])]
    async with services.database.read() as session:
        row = await session.get_one(TypicalCase, item)
        assert not (await read_record(session, services.keyring, row)).verified


@pytest.mark.parametrize("kind", [BULLETIN, TYPICAL_CASE])
@pytest.mark.parametrize("act", ["rewrite", "cut", "delete"])
async def test_what_is_made_anew_past_the_triggers_differs_from_the_heads(
    services: Services, bulletin: Bulletin, kind: str, act: str
) -> None:
    """First from those in the database; once those are forged too, from one published before."""
    item = {TYPICAL_CASE: await written_up(services, bulletin), BULLETIN: bulletin.id or 0}[kind]
    acts = {BULLETIN: 3, TYPICAL_CASE: 2}[kind]
    published = await head_now(services, EVENING)
    owner = RecordOwner(services)
    if act == "rewrite":
        await owner.rewrite_act(kind, item, 2, actor={"role": "supervisor", "name": "另一人"})
    elif act == "cut":
        await owner.cut_acts(kind, item, 1)
    else:
        await owner.delete_item(kind, item)
    what, seq = {
        "rewrite": ("acts_rewritten", acts),
        "cut": ("acts_shortened", 2),
        "delete": ("acts_missing", 1),
    }[act]
    expected = (what, f"{kind}/{item}", seq)
    assert await found(services) == [expected]
    if act != "delete":  # whose it was, nothing says any more
        assert await found_of_case(services, bulletin.case_id) == [expected]
    await owner.forge_heads(EVENING)
    assert await found(services) == []
    assert await found(services, published) == [("head_differs", None, None), expected]


async def test_what_an_older_head_holds_of_a_record_was_not_touched(
    services: Services, bulletin: Bulletin
) -> None:
    """The range in which the rewriting lies is named."""
    item = await written_up(services, bulletin)
    await head_now(services, EVENING)
    owner = RecordOwner(services)
    await owner.rewrite_act(TYPICAL_CASE, item, 2, type="published")
    report = await verifying.verify_ledger(services)
    (finding,) = report.findings
    assert finding.facts == {"head": 1, "day": "2026-03-12", "after": 0, "item": f"typical_case/{item}"}
    assert finding.case_id == bulletin.case_id
    assert finding_words(finding) == (
        f"典型案例 {item}的第 2 条处理记录与2026-03-12 的台账封签(第 1 号)不符：第 1 条至第 2 条之间被改写"
    )


async def test_a_leaf_of_what_never_was_is_named(services: Services, bulletin: Bulletin) -> None:
    await head_now(services, EVENING)
    leaf = "INSERT INTO head_leaves (head, kind, key, seq, hash) VALUES (1, 'act', 'bulletin/x', 1, 'x')"
    await RecordOwner(services).run(leaf)
    assert await found(services) == [("head_leaves", None, None), ("acts_missing", "bulletin/x", 1)]


async def test_pages_and_chunks_change_nothing(
    services: Services, bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More items than are read at once: records end in the middle of a chunk, pages within."""
    published = await head_now(services, EVENING)
    for at_once in (1, 2):
        monkeypatch.setattr(acts_verifying, "ITEMS_AT_ONCE", at_once)
        monkeypatch.setattr(acts_verifying, "ROWS_AT_ONCE", at_once)
        report = await verifying.verify_ledger(services, [published])
        assert (report.found, report.acts) == (0, 5)
    owner = RecordOwner(services)
    await owner.delete_item(BULLETIN, 1)
    await owner.run("DELETE FROM bulletins WHERE id = 2")
    await owner.delete_item(BULLETIN, 3)
    expected = {("acts_of_nothing", "bulletin/2", 1)}
    expected |= {("acts_missing", key, 1) for key in ("bulletin/1", "bulletin/3")}
    assert set(await found(services)) == expected
    await owner.forge_heads(EVENING)
    assert set(await found(services, published)) == expected | {("head_differs", None, None)}


def test_acts_are_told_by_what_they_were_done_to() -> None:
    cut = Finding("acts_cut", "case", 3, {"item": "bulletin/7", "last": 4})
    assert finding_words(cut) == "通报材料 7自第 3 条起的处理记录被截去(应有 4 条)"
    here = Finding("acts_rewritten", "case", 3, {"item": "bulletin/7"})
    assert finding_words(here).startswith("通报材料 7的第 3 条处理记录与其现状不符")


async def test_the_newest_head_is_none_before_the_first(services: Services) -> None:
    assert await services.database.look(newest_head) is None
    file = await head_now(services, EVENING)
    assert await services.database.look(newest_head) == file.head
    async with services.database.read() as session:
        assert (await session.exec(select(Bulletin))).all() == []
