"""The command line: `bancheng …`. Exit codes: 0 done, 1 failed, 2 misused.

Each command imports what it needs when it runs: the engine's client takes a second to load.
"""

import os
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

import cli_data
import cli_engine
import cli_keys
import cli_notifications
import cli_people
import cli_recovery
import cli_supervision
from console import (
    HallOption,
    checked,
    group,
    log_to,
    misuse,
    read_settings,
    run,
    with_services,
)
from processes import leave

app = typer.Typer(
    help="办不成事: durable case handling for the counters of government service halls.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


calendar = group("Working days of a year.")
case = group("Look at one case.")
for _name, _group in {
    "user": cli_people.user,
    "directory": cli_people.directory,
    "calendar": calendar,
    "case": case,
    "keys": cli_keys.keys,
    "ledger": cli_supervision.ledger,
    "dossier": cli_supervision.dossier,
    "report": cli_supervision.report,
    "engine": cli_engine.engine,
    "person": cli_data.person,
    "integration": cli_data.integration,
    "import": cli_supervision.imports,
    "notifications": cli_notifications.notifications,
}.items():
    app.add_typer(_group, name=_name)
app.command("whatif")(cli_supervision.what_if)
app.command("erase")(cli_data.erase)


@app.command()
def serve() -> None:
    """Run everything in one process: engine, database, worker, API.

    The first start on an empty database loads the demonstration halls and prints who may sign in,
    if HOST is a loopback address. Ctrl-C or SIGTERM stops it; the next start goes on from there.
    """
    import serving
    from announcing import announce

    settings = read_settings()
    os.umask(0o077)  # nothing below DATA_DIR is for others, what the engine writes included
    log_to(settings.data_dir / "logs" / "bancheng.log")
    run(serving.serve(settings, announce))


@app.command()
def rehearse() -> None:
    """Run everything on a clock that can be moved forward, with throw-away data.

    Time moves by POST /api/rehearsal/advance. The engine keeps no data; HOST must be a loopback
    address, since anybody who reaches it may move time.
    """
    import serving
    from announcing import announce_rehearsal

    settings = read_settings()
    if not settings.is_local:
        misuse(f"a rehearsal runs on a loopback address only, and BANCHENG_HOST is {settings.host}")
    log_to(None, warnings_only=True)
    run(serving.rehearse(settings, announce_rehearsal))


@app.command()
def api() -> None:
    """Run the HTTP part alone, beside workers and a Temporal cluster."""
    import serving

    settings = read_settings()
    log_to(None)
    run(serving.serve_api(settings))


@app.command()
def worker(queue: cli_engine.QueueOption = None) -> None:
    """Run a worker alone: cases, alarms, notifications and reports. Run as many as you like.

    With --queue it does a part of that; each queue needs one worker somewhere.
    """
    import worker as workers
    from workflows.queues import QUEUES

    if unknown := set(queue or ()) - set(QUEUES):
        misuse(f"no such queue: {', '.join(sorted(unknown))}; there are {', '.join(QUEUES)}")
    settings = read_settings()
    log_to(None)
    run(workers.run(settings, frozenset(queue or QUEUES)))


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema. Run it before api and worker are updated."""
    from models.migrate import upgrade

    with_services(lambda given: upgrade(read_settings().database))
    print("数据库已是最新结构。")


@app.command()
def demo() -> None:
    """Load the demonstration halls, units and users that are missing.

    All of them get DEMO_PASSWORD, or those that are new a random one, which is printed. Refused
    unless HOST is a loopback address.
    """
    from announcing import announce_demo
    from casework.demo import load_demo
    from models.migrate import upgrade
    from serving import demo_password

    settings = read_settings()
    if not settings.is_local:
        misuse(f"demonstration data is for a loopback address only, and BANCHENG_HOST is {settings.host}")
    run(upgrade(settings.database))
    announce_demo(with_services(lambda given: load_demo(given, demo_password(settings))))


@calendar.command("show")
def show_calendar(year: int, hall: HallOption = None) -> None:
    """Show which days of a year are off, and which weekends are worked."""
    from announcing import year_lines
    from casework.calendars import year_of

    print("\n".join(year_lines(with_services(lambda given: year_of(given, year, hall)))))


@calendar.command("load")
def load_calendar(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON: off, work, source.")],
    hall: HallOption = None,
    year: Annotated[int | None, typer.Option(help="Else the year of its latest day.")] = None,
) -> None:
    """Load the holiday notice of a year, or with --hall that hall's own days.

    The whole year is replaced, and open cases reckon again: for that the engine must be running.
    """
    from casework.notice_file import read_draft
    from casework.publishing import publish
    from casework.users import OPERATOR

    draft = checked(read_draft, file.read_text(encoding="utf-8"), year, hall)
    done = with_services(lambda given: publish(given, draft, OPERATOR))
    print(f"已载入 {draft.year} 年日历(版本 {done.version}),{done.open_cases} 个在办件重新计算时限。")


@case.command("show")
def show_case(number: Annotated[str, typer.Argument(help="Number or id of the case.")]) -> None:
    """Show a case as it stands and its events, personal data masked."""
    from announcing import case_lines
    from casework.showing import case_and_events

    print("\n".join(case_lines(*with_services(lambda given: case_and_events(given, number)))))


@case.command("verify")
def verify_case(number: Annotated[str, typer.Argument(help="Number or id of the case.")]) -> None:
    """Verify a case: its hash chain against the signed heads, and the replay of its history.

    Ends with 1 where something does not hold. An open case needs the engine. A case whose personal
    data was erased has no history any more: that is said, and is no fault.
    """
    from announcing import verified_lines
    from casework.showing import verify_one

    report = with_services(lambda given: verify_one(given, number))
    print("\n".join(verified_lines(report)))
    if not (report.ledger_ok and (report.replay_ok or report.only_erased)):
        raise typer.Exit(1)


for _command in (cli_recovery.backup, cli_recovery.restore, cli_recovery.move):
    app.command()(_command)
case.command("resume")(cli_recovery.resume)


def main() -> None:
    """Run as a program; ends cleanly in spite of the engine's threads (`processes.leave`)."""
    try:
        app()
        code: Any = 0
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:  # before our own handling of signals was set up
        code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    leave(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
