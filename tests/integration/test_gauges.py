"""How the house stands in numbers, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from casework.gauges import HELP, read_gauges
from casework.imports import came_at, in_hand
from casework.watching import KEPT, exposition
from models.case import Case
from models.command import SentCommand
from models.database import Database
from models.evidence import CaseRun, HeadPublication, HistoryExport, LedgerCheck
from models.filing import Filing
from models.imported import Import, ImportRow
from models.inbox import Delivery
from models.outside import PersonalDelivery
from models.report import ReportingPlan
from tests.support.house import House
from tests.support.ledgers import head_now
from tests.support.office import Office

NOW = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def gauges(
    database: Database, now: datetime = NOW, outlets: tuple[str, ...] = ("file",)
) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus writes them."""
    samples = await database.look(lambda session: read_gauges(session, now, now, outlets))
    written = {}
    for sample in samples:
        labels = ",".join(sample.labels)
        written[f"{sample.name}[{labels}]" if labels else sample.name] = sample.value
    return written


async def keep(office: Office, *rows: Any) -> None:
    async with office.services.database.begin() as session:
        session.add_all(rows)


def filing(which: int, **more: Any) -> Filing:
    values = {"hall": "guilin", "channel": "counter", "clerk": "guilin.clerk", "body_hash": "x"}
    return Filing(case_id=f"case-{which}", query_code_hash=f"hash-{which}", **values | more)


def import_of(at: datetime, **more: Any) -> Import:
    values = {"form": "cases", "username": "u", "name": "周", "sha256": "x", "rows": 1, "status": "queued"}
    return Import(id="i", hall="guilin", at=at, **values | more)


def command(number: int, sent_at: datetime, **more: Any) -> SentCommand:
    return SentCommand(
        command_id=f"command-{number}", username="u", scope="s", body_hash="x", sent_at=sent_at, **more
    )


async def test_an_empty_house_says_none_of_everything(office: Office) -> None:
    found = await gauges(office.services.database)
    assert {name: value for name, value in found.items() if value} == {}
    assert found["bancheng_open_cases[guilin,green]"] == 0
    assert {name.partition("[")[0] for name in found} == HELP.keys() - {
        "bancheng_notifications_unsent",
        "bancheng_ledger_check_ok",
        "bancheng_ledger_check_age_seconds",
    }


async def test_filings_without_a_number_count_from_t0(office: Office) -> None:
    await keep(
        office,
        filing(1, received_at=NOW - 5 * MINUTE),
        filing(2, received_at=NOW - 3 * MINUTE),
        filing(3, received_at=NOW - timedelta(seconds=2)),  # still in somebody's hands
        filing(4, received_at=NOW - 9 * MINUTE, registered_at=NOW, number="guilin-20260304-0001"),
    )
    found = await gauges(office.services.database)
    assert found["bancheng_filings_unregistered"] == 2
    assert found["bancheng_filings_unregistered_oldest_seconds"] == 300


async def test_a_filing_that_was_imported_waits_from_when_it_came_here(office: Office) -> None:
    """T0 is the receipt elsewhere: months of waiting would wake somebody for nothing."""
    old = {"received_at": NOW - timedelta(days=300), "source": "12345"}
    await keep(
        office,
        filing(1, imported_at=NOW - timedelta(seconds=2), **old),
        filing(2, imported_at=NOW - 4 * MINUTE, **old),
        filing(3, imported_at=NOW - 60 * MINUTE, origin_key="guilin/12345/3", **old),
        import_of(NOW - 60 * MINUTE, leased_to=NOW),
    )
    await keep(office, ImportRow(import_id="i", row=2, origin_key="guilin/12345/3", form="sealed"))
    found = await gauges(office.services.database)
    assert found["bancheng_filings_unregistered"] == 1, "the import has the third in hand"
    assert found["bancheng_filings_unregistered_oldest_seconds"] == 240
    found = await gauges(office.services.database, NOW + timedelta(seconds=1))
    assert found["bancheng_filings_unregistered"] == 2, "whoever had it was killed"


async def test_filings_that_wait_are_found_by_their_index(office: Office) -> None:
    """The archive grows for ever; those without a number are few."""
    database = office.services.database
    wanted = select(func.count(), func.min(came_at())).where(
        col(Filing.registered_at).is_(None), came_at() <= NOW, ~in_hand(NOW)
    )
    newest = select(Filing).where(*wanted.whereclause.clauses).order_by(came_at()).limit(200)
    for statement in (wanted, newest):
        plan = await database.look(lambda session, statement=statement: planned(session, statement))
        assert "ix_filings_unregistered" in plan, plan
        assert "TEMP B-TREE" not in plan and "Sort" not in plan, plan


def planned(session: Session, statement: Any) -> str:
    """What the planner would do, were tables too large to read."""
    connection = session.connection()
    compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    rows = connection.exec_driver_sql(f"{explain} {compiled}").all()
    return "\n".join(str(row) for row in rows)


async def test_commands_without_an_answer_count_for_an_hour(office: Office) -> None:
    await keep(
        office,
        command(1, NOW - 2 * MINUTE),
        command(2, NOW - 4 * MINUTE, answered=True),
        command(3, NOW - 90 * MINUTE),
        command(4, NOW),
    )
    found = await gauges(office.services.database)
    assert found["bancheng_commands_unanswered"] == 1
    assert found["bancheng_commands_unanswered_oldest_seconds"] == 120


async def test_messages_count_until_they_are_sent(office: Office) -> None:
    for seq, status in enumerate(("pending", "pending", "failed", "sent")):
        row = Delivery(case_id="c", seq=seq, channel="webhook", target="t", text="…", status=status, at=NOW)
        await keep(office, row)
    for line, (status, attempts, minutes) in enumerate(
        (("waiting", 0, 5), ("waiting", 0, -600), ("waiting", 3, -20), ("dead", 30, 99), ("dropped", 1, 9))
    ):
        who = {"notification": line, "username": "u", "means": "email", "laid_at": NOW}
        # What is held for the night is not late.
        await keep(
            office,
            PersonalDelivery(**who, status=status, attempts=attempts, due_at=NOW - minutes * MINUTE),
        )
    found = await gauges(office.services.database)
    unsent = {name: value for name, value in found.items() if "unsent" in name}
    assert unsent == {
        "bancheng_notifications_unsent[webhook,pending]": 2,
        "bancheng_notifications_unsent[webhook,failed]": 1,
        "bancheng_notifications_unsent[email,pending]": 1,
        "bancheng_notifications_unsent[email,failed]": 1,
        "bancheng_notifications_unsent[email,dead]": 1,
    }


async def test_a_report_is_late_from_its_due_time_on(office: Office) -> None:
    covered = {"covers_from": NOW - timedelta(days=7), "covers_to": NOW}
    await keep(
        office,
        ReportingPlan(hall="guilin", kind="hall_weekly", due_at=NOW - 20 * MINUTE, **covered),
        ReportingPlan(hall="chengzhong", kind="centre_weekly", due_at=NOW + MINUTE, **covered),
    )
    found = await gauges(office.services.database)
    assert found["bancheng_reports_late[hall_weekly]"] == 1
    assert found["bancheng_reports_late[centre_weekly]"] == 0
    assert found["bancheng_reports_late_oldest_seconds"] == 1200


async def test_a_head_is_due_from_the_first_evening_on(office: Office) -> None:
    """23:50 in Shanghai is 15:50 in UTC; a house without a filing owes none."""
    evening = NOW.replace(hour=15, minute=50)
    assert (await gauges(office.services.database, evening + MINUTE))["bancheng_heads_late_seconds"] == 0
    await keep(office, filing(1, received_at=NOW))
    for at, late in ((evening - MINUTE, 0), (evening + 10 * MINUTE, 600)):
        assert (await gauges(office.services.database, at))["bancheng_heads_late_seconds"] == late


async def test_a_house_that_begins_with_an_import_owes_no_head_of_before(office: Office) -> None:
    evening = NOW.replace(hour=15, minute=50)
    await keep(
        office,
        filing(1, received_at=NOW - timedelta(days=300), imported_at=NOW),
        filing(2, received_at=NOW + MINUTE),
    )
    for at, late in ((evening - MINUTE, 0), (evening + 10 * MINUTE, 600)):
        assert (await gauges(office.services.database, at))["bancheng_heads_late_seconds"] == late


async def test_a_head_counts_for_each_outlet_that_it_has_not_left_by(office: Office) -> None:
    """The folder is on the same host and takes every head: it says nothing of a webhook that is dead."""
    yesterday = NOW - timedelta(days=1)
    await head_now(office.services, yesterday)
    await keep(office, HeadPublication(head=1, outlet="file", at=yesterday))
    await head_now(office.services, yesterday + MINUTE)
    await head_now(office.services, NOW)  # by hand: the webhook gets it with this evening's
    found = await gauges(office.services.database, outlets=("file", "webhook"))
    assert found["bancheng_heads_unpublished[file]"] == 1
    assert found["bancheng_heads_unpublished[webhook]"] == 2
    alone = await gauges(office.services.database)
    assert "bancheng_heads_unpublished[webhook]" not in alone, "none is set up"
    tonight = await gauges(office.services.database, NOW + timedelta(hours=8), ("webhook",))
    assert tonight["bancheng_heads_unpublished[webhook]"] == 3


async def test_evidence_that_waits_or_is_lost_is_counted(office: Office) -> None:
    await keep(
        office,
        CaseRun(run_id="r1", case_id="c", state="ended"),
        CaseRun(run_id="r2", case_id="c"),
        HistoryExport(run_id="r3", case_id="c", outcome="lost", at=NOW),
        LedgerCheck(at=NOW - timedelta(days=1), ok=True, cases=1, events=1, heads=1),
        LedgerCheck(at=NOW - 2 * MINUTE, ok=False, cases=1, events=1, heads=1),
    )
    found = await gauges(office.services.database)
    assert (found["bancheng_histories_waiting"], found["bancheng_histories_lost"]) == (1, 1)
    assert (found["bancheng_ledger_check_ok"], found["bancheng_ledger_check_age_seconds"]) == (0, 120)


async def test_figures_wait_where_a_case_at_rest_has_not_been_written(house: House) -> None:
    behind, busy, written = [await house.file() for _ in range(3)]
    database = house.services.database
    rows = ((behind, True, 4 * MINUTE), (busy, True, timedelta()), (written, False, 9 * MINUTE))
    async with database.begin() as session:
        for case, due, ago in rows:
            values = {"facts_due": due, "updated_at": NOW - ago}
            await session.exec(update(Case).where(col(Case.id) == case["id"]).values(values))
    found = await gauges(database)
    assert found["bancheng_facts_waiting"] == 1
    assert found["bancheng_facts_waiting_oldest_seconds"] == 240


async def test_open_cases_count_by_hall_and_light_and_alarms_from_their_due_time(house: House) -> None:
    first, second = await house.file(), await house.file()
    await house.file(hall="chengzhong", by="chengzhong.clerk")
    await house.act(second, "withdraw", "guilin.clerk", reason="已自行办妥")
    database = house.services.database
    async with database.begin() as session:
        due = update(Case).where(col(Case.id) == first["id"]).values(light="red", next_alarm_at=NOW)
        await session.exec(due)
        others = update(Case).where(col(Case.id) != first["id"]).values(next_alarm_at=NOW + 60 * MINUTE)
        await session.exec(others)
    found = await gauges(database, NOW + 2 * MINUTE)
    assert {name: value for name, value in found.items() if "open_cases" in name and value} == {
        "bancheng_open_cases[guilin,red]": 1,
        "bancheng_open_cases[chengzhong,grey]": 1,
    }
    assert (found["bancheng_alarms_overdue"], found["bancheng_alarms_overdue_oldest_seconds"]) == (1, 120)


async def test_without_a_database_no_old_number_is_shown(house: House) -> None:
    async with house.without_database():
        house.services.watch.read_at = None
        text = (await exposition(house.services)).decode()
    assert 'bancheng_ready{part="database"} 0.0' in text
    assert "bancheng_open_cases" not in text
    assert "bancheng_build_info{" in text
    assert "bancheng_disk_free_bytes" in text, "a full disk may be why the database is away"
    house.services.watch.read_at = None


async def test_many_scrapers_read_the_tables_once(office: Office) -> None:
    watch = office.services.watch
    await exposition(office.services)
    read_at = watch.read_at
    assert read_at is not None
    await exposition(office.services)
    assert watch.read_at == read_at
    watch.read_at = read_at - KEPT - 1
    await exposition(office.services)
    assert watch.read_at > read_at - KEPT
