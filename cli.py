"""The command line: `bancheng …`. Exit codes: 0 done, 1 failed, 2 misused.

Each command imports what it needs when it runs: the engine's client takes a second to load.
"""

import os
import traceback
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from console import checked, fail, log_to, misuse, password_typed, read_settings, run, with_services
from processes import leave

app = typer.Typer(
    help="办不成事: durable case handling for the counters of government service halls.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _group(name: str, about: str) -> typer.Typer:
    made = typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(made, name=name)
    return made


user = _group("user", "Who may sign in.")
directory = _group("directory", "Halls, units and the contact table.")
calendar = _group("calendar", "Working days of a year.")
case = _group("case", "Look at one case.")
ledger = _group("ledger", "The whole ledger as evidence: signed heads, verification.")
dossier = _group("dossier", "Dossiers of cases, as inspectors get them.")
report = _group("report", "Weekly reports.")

DAY = "%Y-%m-%d"
HallOption = Annotated[str | None, typer.Option("--hall", help="Code of the hall.")]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


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
def worker() -> None:
    """Run a worker alone: cases, alarms and notifications. Run as many as you like."""
    import worker as workers

    settings = read_settings()
    log_to(None)
    run(workers.run(settings))


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


@user.command("add")
def add_user(
    username: Annotated[str, typer.Argument(help="Letters, digits, dots, hyphens, underscores.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[str, typer.Option(help="clerk, window_lead, contact, deputy_leader, centre, …")],
    hall: HallOption = None,
    unit: Annotated[str | None, typer.Option(help="Code of the unit.")] = None,
    alternate: Annotated[bool, typer.Option("--alternate", help="An alternate contact.")] = False,
    password_stdin: PasswordOption = False,
) -> None:
    """Add a user, who must choose another password at the first sign-in."""
    from casework.users import NewUser, add_user, role_named

    new = NewUser(username, name, checked(role_named, role), hall, unit, alternate)
    password = password_typed(password_stdin)
    with_services(lambda given: add_user(given, new, password))
    print(f"已添加用户 {username}。")


@user.command("list")
def list_users() -> None:
    """List the users."""
    from announcing import user_line
    from casework.users import list_users

    for found in with_services(list_users):
        print(user_line(found))


@user.command("disable")
def disable_user(username: str) -> None:
    """Bar a user from signing in, and end every sign-in."""
    from casework.users import disable_user

    with_services(lambda given: disable_user(given, username))
    print(f"已停用用户 {username}。")


@user.command("password")
def set_password(username: str, password_stdin: PasswordOption = False) -> None:
    """Set a user's password, let a disabled user in again, and end every sign-in."""
    from casework.users import set_password

    password = password_typed(password_stdin)
    with_services(lambda given: set_password(given, username, password))
    print(f"已设置用户 {username} 的密码。")


@directory.command("import")
def import_directory(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An Excel file.")],
    hall: HallOption = None,
) -> None:
    """Import the contact table: all of it, or nothing and every bad row.

    `bancheng directory template FILE` writes an empty one. A line that changes something makes a
    new version; a sheet 大厅 makes halls that are missing. --hall stands in where no hall is named.
    """
    from announcing import import_lines
    from casework.contact_table import import_table
    from casework.users import OPERATOR

    done = with_services(lambda given: import_table(given, file, OPERATOR, hall))
    print("\n".join(import_lines(done)))


@directory.command("template")
def write_template(file: Annotated[Path, typer.Argument(dir_okay=False)]) -> None:
    """Write an empty contact table to fill in."""
    from casework.contact_template import write_template

    if file.exists():
        fail(f"{file} is there already")
    write_template(file)
    print(f"已写出 {file}。")


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
    print(f"已载入 {draft.year} 年日历(版本 {done.version}),{done.open_cases} 个在办件重新计算期限。")


@case.command("show")
def show_case(number: Annotated[str, typer.Argument(help="Number or id of the case.")]) -> None:
    """Show a case as it stands and its events, personal data masked."""
    from announcing import case_lines
    from casework.showing import case_and_events

    print("\n".join(case_lines(*with_services(lambda given: case_and_events(given, number)))))


@case.command("verify")
def verify_case(number: Annotated[str, typer.Argument(help="Number or id of the case.")]) -> None:
    """Verify a case: its hash chain against the signed heads, and the replay of its history.

    Ends with 1 where something does not hold. An open case needs the engine.
    """
    from announcing import verified_lines
    from casework.showing import verify_one

    report = with_services(lambda given: verify_one(given, number))
    print("\n".join(verified_lines(report)))
    if not (report.ledger_ok and report.replay_ok):
        raise typer.Exit(1)


@ledger.command("verify")
def verify_ledger(
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A head that was published before, or a folder of them; may be repeated."),
    ] = None,
) -> None:
    """Verify every hash chain, every signed head and the access log.

    With --head also against heads from outside, which the owner of the database could not rewrite.
    Ends with 1 where something does not hold.
    """
    from announcing import ledger_lines
    from casework.heads import read_published
    from casework.showing import verify_all

    published = checked(read_published, head or [])
    report, numbers = with_services(lambda given: verify_all(given, published))
    print("\n".join(ledger_lines(report, numbers)))
    if not report.ok:
        raise typer.Exit(1)


@ledger.command("head")
def take_head() -> None:
    """Take a signed head now, beside the daily ones, and write its file."""
    from casework.heads import take_now

    print(with_services(take_now))


@ledger.command("key")
def show_key() -> None:
    """Print the public key that heads and dossiers are verified with: hand it to inspectors."""
    from casework.heads import public_key

    print(with_services(public_key))


@dossier.command("verify")
def verify_dossier(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The zip.")],
    key: Annotated[str | None, typer.Option(help="The public key that must have signed it.")] = None,
) -> None:
    """Verify a dossier without any database: files, signature, hash chain, head, and the replay.

    Ends with 1 where something does not hold.
    """
    from announcing import dossier_lines
    from casework.dossier_check import read_key, verify_dossier

    public = checked(read_key, key) if key else None
    log_to(None, warnings_only=True)
    report = run(verify_dossier(file.read_bytes(), public))
    print("\n".join(dossier_lines(report)))
    if not report.ok:
        raise typer.Exit(1)


@report.command("run")
def run_report(
    kind: Annotated[str, typer.Argument(help="hall_weekly or centre_weekly.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="A day of the week that is meant.")],
    hall: HallOption = None,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="A folder to write the files to.")] = None,
) -> None:
    """Run the reports of a week: make those that are missing, and compare the others with the ledger.

    A report that is stored is made again as it was then, and nothing is written; exit 1 where it
    differs from what was stored.
    """
    from announcing import run_lines
    from casework.report_running import run_reports

    runs = with_services(lambda given: run_reports(given, kind, on.date(), hall))
    for done in runs:
        print("\n".join(run_lines(done)))
        for file in done.files if out else ():
            assert out is not None
            out.mkdir(parents=True, exist_ok=True)
            (out / file.name).write_bytes(file.content)
    if any(done.differs for done in runs):
        fail("有报告与存档不一致。")


@report.command("template")
def write_report_template(file: Annotated[Path, typer.Argument(dir_okay=False)]) -> None:
    """Write the Word template of the centre's summary, to be edited.

    Put it into the folder templates/ of DATA_DIR as centre_weekly.docx: reports take it from then on.
    """
    from documents.centre_weekly_template import make_template

    if file.exists():
        fail(f"{file} is there already")
    file.write_bytes(make_template())
    print(f"已写出 {file}。")


@app.command("whatif")
def what_if(
    policy: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A policy file (TOML).")],
    from_: Annotated[datetime, typer.Option("--from", formats=[DAY], help="First day of filing.")],
    to: Annotated[datetime, typer.Option("--to", formats=[DAY], help="Last day of filing.")],
    hall: HallOption = None,
    calendar: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A notice (JSON), as calendar load.")
    ] = None,
) -> None:
    """Decide the cases filed in a period again under another policy, and show what changes.

    The days are those of Shanghai, both included. With --calendar the cases reckon by that holiday
    notice from the beginning. Nothing is written.
    """
    from casework.notice_file import read_draft
    from casework.policy_draft import read_policy_draft
    from casework.whatif import Question, days_of, what_if
    from pages.whatif_words import what_if_lines

    start, end = checked(days_of, from_.date(), to.date())
    draft = checked(read_draft, calendar.read_text(encoding="utf-8"), None, None) if calendar else None
    question = Question(checked(read_policy_draft, policy.read_bytes()), start, end, hall, draft)
    print("\n".join(what_if_lines(with_services(lambda given: what_if(given, None, question)))))


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
