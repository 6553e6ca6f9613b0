"""The part of the command line about data: erasure, copies of personal data, imports, other systems."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from console import checked, fail, group, misuse, with_services

person = group("What is held about one person.")
imports = group("Cases of a file.")
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
    from casework.erasing import erase_due, erase_listed, read_list
    from casework.erasure_holds import due_now

    if again is not None:
        ids = checked(read_list, again)
        print(f"已再次清除 {with_services(lambda given: erase_listed(given, ids))} 件。")
    elif run:
        print(f"已清除 {with_services(erase_due)} 件。")
    else:
        from announcing import due_lines

        print("\n".join(due_lines(with_services(due_now))))


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
