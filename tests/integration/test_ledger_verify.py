"""Whatever is done to the ledger as the database's owner: verifying names it, with the event's number."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from activities.archiving import read_head
from casework import verifying
from casework.access import record
from casework.heads import read_published
from casework.services import Services
from models.heads import HeadFile
from models.signing import SigningKey, generate_signing_key
from tests.support.ledgers import Owner, found, head_now, more, write_story
from tests.support.signed import evidence_in

EVENING = datetime(2026, 3, 9, 15, 50, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def cases(services: Services) -> list[str]:
    """Three cases in the order of their ids, the second of which is tampered with."""
    return sorted([await write_story(services) for _ in range(3)])


async def test_an_untouched_ledger_holds(services: Services, cases: list[str]) -> None:
    first = await head_now(services, EVENING)
    await more(services, cases[1], 2)
    second = await head_now(services, EVENING + DAY)
    assert await found(services, first, second) == []
    report = await verifying.verify_ledger(services)
    events = 3 * 6 + 2
    assert (report.cases, report.events, report.heads, report.ok) == (3, events, 2, True)
    assert (second.head.cases, second.head.events, second.head.leaves) == (3, events, 1)


async def test_a_changed_event_is_named(services: Services, cases: list[str]) -> None:
    await Owner(services).run("UPDATE events SET type = 'sing' WHERE case_id = :c AND seq = 3", c=cases[1])
    assert await found(services) == [("event_changed", cases[1], 3)]


@pytest.mark.parametrize("column", ["actor", "data", "changes"])
async def test_every_column_counts(services: Services, cases: list[str], column: str) -> None:
    change = f"UPDATE events SET {column} = '{{\"x\": 1}}' WHERE case_id = :c AND seq = 2"
    await Owner(services).run(change, c=cases[1])
    assert await found(services) == [("event_changed", cases[1], 2)]


async def test_a_column_that_is_no_json_any_more_is_named(services: Services, cases: list[str]) -> None:
    """PostgreSQL takes none; there the column becomes a bare word of JSON."""
    broken = {"sqlite": "'broken'", "postgresql": "to_jsonb('broken'::text)"}[services.database.dialect]
    await Owner(services).run(f"UPDATE events SET data = {broken} WHERE case_id = :c AND seq = 2", c=cases[1])
    assert await found(services) == [("event_changed", cases[1], 2)]


async def test_an_instant_that_was_moved_is_named(services: Services, cases: list[str]) -> None:
    when = (
        "at = '2026-03-09 01:00:00'" if services.database.dialect == "sqlite" else "at = at - interval '1s'"
    )
    await Owner(services).run(f"UPDATE events SET {when} WHERE case_id = :c AND seq = 4", c=cases[1])
    assert await found(services) == [("event_changed", cases[1], 4)]


async def test_a_deleted_event_is_named(services: Services, cases: list[str]) -> None:
    await Owner(services).run("DELETE FROM events WHERE case_id = :c AND seq = 3", c=cases[1])
    assert await found(services) == [("event_missing", cases[1], 3)]


async def test_an_inserted_event_is_named(services: Services, cases: list[str]) -> None:
    """At the end, with a right link: what the case itself does not know of."""
    await more(services, cases[1])
    await Owner(services).run("UPDATE cases SET seq = seq - 1 WHERE id = :c", c=cases[1])
    assert await found(services) == [("event_unknown", cases[1], 7)]


async def test_an_event_squeezed_in_is_named(services: Services, cases: list[str]) -> None:
    shift = "UPDATE events SET seq = seq + 100 WHERE case_id = :c AND seq > 2"
    back = "UPDATE events SET seq = seq - 99 WHERE case_id = :c AND seq > 100"
    squeeze = (
        "INSERT INTO events (case_id, seq, part, at, type, actor, data, changes, fired, command_id,"
        " prev_hash, hash) SELECT case_id, 3, 0, at, type, actor, data, changes, fired, 'squeezed',"
        " prev_hash, hash FROM events WHERE case_id = :c AND seq = 2"
    )
    await Owner(services).run(shift, back, squeeze, c=cases[1])
    assert await found(services) == [("event_unlinked", cases[1], 3)]


async def test_two_swapped_events_are_named(services: Services, cases: list[str]) -> None:
    await Owner(services).run(
        "UPDATE events SET seq = 99 WHERE case_id = :c AND seq = 2",
        "UPDATE events SET seq = 2 WHERE case_id = :c AND seq = 3",
        "UPDATE events SET seq = 3 WHERE case_id = :c AND seq = 99",
        c=cases[1],
    )
    assert await found(services) == [("event_unlinked", cases[1], 2)]


async def test_cut_events_are_missed_by_the_projection(services: Services, cases: list[str]) -> None:
    await Owner(services).run("DELETE FROM events WHERE case_id = :c AND seq > 4", c=cases[1])
    assert await found(services) == [("events_cut", cases[1], 5)]


async def test_events_of_no_case_are_named(services: Services, cases: list[str]) -> None:
    await Owner(services).run("DELETE FROM cases WHERE id = :c", c=cases[1])
    assert await found(services) == [("case_unknown", cases[1], 1)]


async def test_a_case_that_vanished_wholly_is_named(services: Services, cases: list[str]) -> None:
    await head_now(services, EVENING)
    await Owner(services).run("DELETE FROM cases", "DELETE FROM events WHERE case_id = :c", c=cases[2])
    assert ("case_missing", cases[2], 1) in await found(services)


async def test_a_past_rewritten_whole_differs_from_the_heads(services: Services, cases: list[str]) -> None:
    """Every hash is right again; only the head remembers. Where an older head still stands, it says so."""
    await head_now(services, EVENING)
    await more(services, cases[1], 3)
    await head_now(services, EVENING + DAY)
    await Owner(services).rewrite(cases[1], 8, type="sign")
    report = await verifying.verify_ledger(services)
    (finding,) = report.findings
    assert (finding.what, finding.case_id, finding.seq) == ("rewritten", cases[1], 9)
    assert finding.facts == {"head": 2, "day": "2026-03-10", "after": 6}


async def test_a_past_cut_short_differs_from_the_heads(services: Services, cases: list[str]) -> None:
    await head_now(services, EVENING)
    await Owner(services).cut(cases[1], 4)
    assert await found(services) == [("shortened", cases[1], 5)]


@pytest.mark.parametrize("act", ["rewrite", "cut"])
async def test_a_past_rewritten_with_its_heads_differs_from_a_head_published_before(
    services: Services, cases: list[str], act: str
) -> None:
    """The database agrees with itself in all; who signs the new heads has got hold of the key, even."""
    published = await head_now(services, EVENING)
    owner = Owner(services)
    if act == "rewrite":
        await owner.rewrite(cases[1], 3, type="return_order")
    else:
        await owner.cut(cases[1], 4)
    await owner.forge_heads(EVENING)
    assert await found(services) == []
    expected = {"rewrite": ("rewritten", cases[1], 6), "cut": ("shortened", cases[1], 5)}[act]
    assert await found(services, published) == [("head_differs", None, None), expected]


async def test_heads_signed_by_somebody_else_are_named(services: Services, cases: list[str]) -> None:
    stranger = SigningKey.parse(generate_signing_key())
    evidence = evidence_in(services.evidence.heads.parent, stranger)
    await head_now(replace(services, given_evidence=evidence), EVENING)
    assert await found(services) == [("head_key_unknown", None, None)]


async def test_a_changed_head_is_named(services: Services, cases: list[str]) -> None:
    await head_now(services, EVENING)
    await head_now(services, EVENING + DAY)
    await Owner(services).run("UPDATE ledger_heads SET events = events + 1 WHERE number = 1")
    assert await found(services) == [("head_changed", None, None)]


async def test_a_deleted_head_is_named(services: Services, cases: list[str]) -> None:
    for day in range(3):
        await head_now(services, EVENING + day * DAY)
    delete = ("DELETE FROM head_leaves WHERE head = 2", "DELETE FROM ledger_heads WHERE number = 2")
    await Owner(services).run(*delete)
    assert await found(services) == [("head_missing", None, None)]


async def test_newest_heads_that_are_gone_are_missed_by_the_published_ones(
    services: Services, cases: list[str]
) -> None:
    published = [await head_now(services, EVENING + day * DAY) for day in range(2)]
    delete = ("DELETE FROM head_leaves WHERE head = 2", "DELETE FROM ledger_heads WHERE number = 2")
    await Owner(services).run(*delete)
    assert await found(services) == []
    assert await found(services, *published) == [("head_missing", None, None)]


async def test_a_changed_leaf_is_named_with_its_case(services: Services, cases: list[str]) -> None:
    await head_now(services, EVENING)
    await Owner(services).run("UPDATE head_leaves SET hash = :h WHERE key = :c", h="0" * 64, c=cases[0])
    assert await found(services) == [("head_leaves", None, None), ("rewritten", cases[0], 6)]


async def test_a_published_file_that_was_changed_is_named(services: Services, cases: list[str]) -> None:
    await head_now(services, EVENING)
    (path,) = services.evidence.heads.glob("*.json")
    values = json.loads(path.read_text())
    values["head"]["cases"] += 1
    path.write_text(json.dumps(values))
    (file,) = read_published([services.evidence.heads])
    assert await found(services, file) == [("head_changed", None, None)]


async def test_a_bare_head_as_the_webhook_got_it_is_enough_to_tell(
    services: Services, cases: list[str]
) -> None:
    published = HeadFile((await head_now(services, EVENING)).head)
    assert await found(services, published) == []
    owner = Owner(services)
    await owner.rewrite(cases[1], 3, type="return_order")
    await owner.forge_heads(EVENING)
    assert await found(services, published) == [("head_differs", None, None)]


async def test_the_access_log_is_held_too(services: Services, cases: list[str]) -> None:
    for n in range(3):
        await record(services, action="download", username="auditor", reason=str(n))
    await head_now(services, EVENING)
    owner = Owner(services)
    newest = "(SELECT max(id) FROM access_log)"
    await owner.run(f"UPDATE access_log SET reason = 'x' WHERE id = {newest} - 1")
    assert [what for what, *_ in await found(services)] == ["access_log_changed"]
    await owner.run(f"UPDATE access_log SET reason = '1' WHERE id = {newest} - 1")
    assert await found(services) == []
    await owner.run(f"DELETE FROM access_log WHERE id = {newest}")
    assert [what for what, *_ in await found(services)] == ["access_log_shortened"]


async def test_a_head_over_an_instant_is_taken_once(services: Services, cases: list[str]) -> None:
    first = await head_now(services, EVENING)
    assert (await head_now(services, EVENING)).head == first.head
    assert await services.database.look(lambda session: read_head(session, 1)) == first


async def test_pages_and_chunks_change_nothing(
    services: Services, cases: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger larger than what is read at once: cases end in the middle of a chunk, pages within."""
    await head_now(services, EVENING)
    monkeypatch.setattr(verifying, "CASES_AT_ONCE", 1)
    monkeypatch.setattr(verifying, "ROWS_AT_ONCE", 4)
    assert await found(services) == []
    await Owner(services).run("DELETE FROM events WHERE case_id = :c AND seq > 4", c=cases[2])
    assert await found(services) == [("shortened", cases[2], 5)]
