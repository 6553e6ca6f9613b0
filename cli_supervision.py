"""The part of the command line that supervision and auditors use: ledger, dossiers, reports, what-if."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from console import HallOption, checked, fail, group, log_to, run, with_services

ledger = group("The whole ledger as evidence: signed heads, verification.")
dossier = group("Dossiers of cases, as inspectors get them.")
report = group("Weekly and monthly reports.")
imports = group("What comes from elsewhere: figures, cases.")
DAY = "%Y-%m-%d"


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
    kind: Annotated[str, typer.Argument(help="hall_weekly, centre_weekly, monthly_lists or monthly.")],
    on: Annotated[datetime, typer.Option(formats=[DAY], help="A day of the week or month that is meant.")],
    hall: HallOption = None,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="A folder to write the files to.")] = None,
) -> None:
    """Run the reports of a week or month: make what is missing, compare what is stored with the ledger.

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
def write_report_template(
    file: Annotated[Path, typer.Argument(dir_okay=False)],
    kind: Annotated[str, typer.Option(help="centre_weekly or monthly.")] = "centre_weekly",
) -> None:
    """Write the Word template of the centre's summary, to be edited.

    Put it into the folder templates/ of DATA_DIR under the name of its kind (centre_weekly.docx,
    monthly.docx): reports take it from then on.
    """
    from documents.summary import TITLES
    from documents.summary_template import make_template
    from rules.reporting import ReportKind

    if kind not in TITLES:
        raise typer.BadParameter(f"one of {', '.join(TITLES)}", param_hint="--kind")
    if file.exists():
        fail(f"{file} is there already")
    file.write_bytes(make_template(ReportKind(kind)))
    print(f"已写出 {file}。")


@imports.command("12345")
def import_volumes(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An Excel or CSV file.")],
    hall: Annotated[str, typer.Option(help="Code of the hall.")],
    month: Annotated[str, typer.Option(help="YYYY-MM, a month that is over.")],
) -> None:
    """Import how many 12345 calls each unit of a hall had in a month: all of it, or every bad row.

    One line for each unit: 单位 (code or name), 件数. Importing a month again replaces it; the old
    versions stay on record.
    """
    from announcing import volume_line
    from casework.users import OPERATOR
    from casework.volumes import LARGEST, import_volumes

    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        fail(f"文件超过 {LARGEST // 1000} KB。")
    print(volume_line(with_services(lambda given: import_volumes(given, OPERATOR, hall, month, content))))


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
