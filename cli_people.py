"""The part of the command line about people: users, and the table of halls, units and contacts."""

from pathlib import Path
from typing import Annotated

import typer

from console import HallOption, checked, fail, group, password_typed, with_services

user = group("Who may sign in.")
directory = group("Halls, units and the contact table.")

PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


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
