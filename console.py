"""What the commands share: settings, logging, running, and ending with the right code."""

import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from processes import run_to_end
from settings import Settings

if TYPE_CHECKING:
    from casework.services import Services

Result = TypeVar("Result")
HallOption = Annotated[str | None, typer.Option("--hall", help="Code of the hall.")]


def group(about: str) -> typer.Typer:
    """Return a group of commands."""
    return typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)


def read_settings() -> Settings:
    """Return the settings; end as misused where one is faulty."""
    try:
        return Settings()
    except ValidationError as error:
        misuse("\n".join(f"{_setting(fault['loc'])}: {fault['msg']}" for fault in error.errors()))
    except OSError as error:  # a file of secrets that this user may not read
        misuse(f"settings: {error}")


def _setting(where: tuple[int | str, ...]) -> str:
    return f"BANCHENG_{str(where[0]).upper()}" if where else "settings"


def with_services(work: "Callable[[Services], Awaitable[Result]]") -> Result:
    """Run something on the installation that the settings name."""
    from assembly import build_services
    from casework.house_keys import read_house_keys

    settings = read_settings()
    log_to(None, warnings_only=True)

    async def work_and_close() -> Result:
        services = build_services(settings)
        try:
            if not services.database.is_missing:
                await read_house_keys(services)
            return await work(services)
        finally:
            await services.database.close()

    return run(work_and_close())


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; end with an explanation where it fails in a known way."""
    try:
        return run_to_end(work)
    except Exception as error:
        _explain(error)


def checked(read: Callable[..., Result], *given: Any) -> Result:
    """Read what was given on the command line."""
    try:
        return read(*given)
    except Exception as error:
        _explain(error)


def _explain(error: Exception) -> NoReturn:
    """End with what people can do about it; what is no known failure goes on as it is."""
    from announcing import explanation

    known = explanation(error)
    if known is None:
        raise error
    (misuse if known.misuse else fail)(known.text)


def password_typed(from_stdin: bool) -> str:
    """Return a new password, from standard input or as somebody types it, twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        misuse("there is no terminal to ask for the password: use --password-stdin")
    typed: str = typer.prompt("密码", hide_input=True, confirmation_prompt="再输一次")
    return typed


def log_to(file: Path | None, *, warnings_only: bool = False) -> None:
    """Set up logging: to a file, or to stderr."""
    import logs

    logs.configure(file=file, level=logging.WARNING if warnings_only else logging.INFO)
    # The time-skipping server lacks what its client would like, and is none the worse for it.
    logs.forward_engine_logs("ERROR" if warnings_only else "WARN")


def fail(text: str) -> NoReturn:
    """End as failed."""
    print(text, file=sys.stderr)
    raise typer.Exit(1)


def misuse(text: str) -> NoReturn:
    """End as misused."""
    print(text, file=sys.stderr)
    raise typer.Exit(2)
