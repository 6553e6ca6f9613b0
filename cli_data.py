"""The part of the command line about data: erasure, copies of personal data, imports, other systems."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli_supervision import imports
from console import checked, fail, group, misuse, with_services

HallNeeded = Annotated[str, typer.Option("--hall", help="Code of the hall.")]

person = group("What is held about one person.")
integration = group("Other systems that push cases.")


def erase(
    run: Annotated[bool, typer.Option("--run", help="Erase now, instead of telling what is due.")] = False,
    again: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A list erased.txt: erase again what it names."),
    ] = None,
) -> None:
    """Tell whose personal data is due to be erased; with --run, erase it.

    The worker erases by itself; this is for looking first, and for after a restore: --again erases the
    cases of a list that the backup still holds.
    """
    from announcing import due_lines, withheld_lines
    from casework.erased_list import read_list
    from casework.erasing import erase_due, erase_listed
    from casework.erasure_due import withheld_now
    from casework.erasure_holds import due_now

    if again is not None:
        listed = checked(read_list, again)
        for number in listed.bad:
            print(f"! 第 {number} 行不是已清除办件的记录，已跳过。")
        print(f"已再次清除 {with_services(lambda given: erase_listed(given, listed.cases))} 件。")
        return
    if run:
        print(f"已清除 {with_services(erase_due)} 件。")
    else:
        print("\n".join(due_lines(with_services(due_now))))
    for line in withheld_lines(with_services(withheld_now)):
        print(line)


@person.command("export")
def export_person(
    reason: Annotated[str, typer.Option(help="Why it is handed out: kept on the access log.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The zip to write.")],
    phone: Annotated[
        str | None, typer.Option(help="The person's phone; without it, read from standard input.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Where the phone is several people's.")] = None,
) -> None:
    """Write a copy of all that is held about a person, of every hall, as a zip."""
    from casework.person_export import Asked, export_person
    from casework.users import OPERATOR
    from casework.viewer import Viewer
    from pages.person_pdf import person_pdf
    from rules.case.vocabulary import Role

    if out.exists():
        fail(f"{out} is there already")
    if not reason.strip():
        misuse("a reason is needed")
    typed = (phone or sys.stdin.readline()).strip()
    operator = Viewer(OPERATOR, OPERATOR, Role.AUDITOR)
    asked = Asked(typed, name)
    out.touch(mode=0o600)
    try:
        cases = with_services(
            lambda given: export_person(given, operator, asked, reason.strip(), None, person_pdf, out)
        )
    except BaseException:
        out.unlink()
        raise
    print(f"已写出 {out}:{cases} 件。交付前请核验申请人的身份，并检查其中有无他人的信息。")


@imports.command("cases")
def import_cases(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An Excel file, or CSV.")],
    hall: HallNeeded,
    form: Annotated[str, typer.Option(help="cases or work_orders (12345).")] = "cases",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at the file, and file nothing.")] = False,
) -> None:
    """Import cases: every good row is filed, every fault of the others told (and it ends with 1).

    Running it again files nothing twice. What is stopped half way goes on in the worker.
    """
    from announcing import imported_lines, looked_lines
    from casework.import_running import run_import
    from routes.imported_rows import FORMS, read_file

    if form not in FORMS:
        misuse(f"--form is one of {', '.join(FORMS)}")
    content = file.read_bytes()
    looked, shown = with_services(
        lambda given: run_import(given, hall, partial(read_file, FORMS[form], content), dry_run)
    )
    print("\n".join(looked_lines(looked) if shown is None else imported_lines(looked, shown)))
    if looked.faults:
        raise typer.Exit(1)


@imports.command("template")
def write_import_template(file: Annotated[Path, typer.Argument(dir_okay=False)]) -> None:
    """Write an empty table of cases to fill in."""
    from pages.import_sheets import template

    if file.exists():
        fail(f"{file} is there already")
    file.write_bytes(template())
    print(f"已写出 {file}。")


@integration.command("add")
def add_integration(
    name: Annotated[str, typer.Argument(help="Letters, digits, dots, hyphens, underscores.")],
    hall: HallNeeded,
    source: Annotated[str, typer.Option(help="Whose numbers its cases have.")] = "12345",
) -> None:
    """Add a system that pushes cases to a hall, and print its token: it is shown this once."""
    from casework.integrations import add_integration

    token = with_services(lambda given: add_integration(given, name, hall, source))
    print(f"已添加对接系统 {name}。令牌(只显示这一次):{token}")


@integration.command("list")
def list_integrations() -> None:
    """List the systems that push cases."""
    from announcing import integration_line
    from casework.integrations import list_integrations

    for found in with_services(list_integrations):
        print(integration_line(found))


@integration.command("revoke")
def revoke_integration(name: str) -> None:
    """End the token of a system at once."""
    from casework.integrations import revoke_integration

    with_services(lambda given: revoke_integration(given, name))
    print(f"已停用对接系统 {name}。")
