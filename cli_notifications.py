"""The part of the command line about messages outside: what was given up, sending it again, letting it go."""

from typing import Annotated

import typer

from console import fail, group, misuse, with_services

notifications = group("Messages for people outside.")
PER_PAGE = 200


@notifications.command("list")
def list_deliveries(
    only: Annotated[str, typer.Option(help="dead (given up), waiting, or all.")] = "dead",
) -> None:
    """List deliveries, newest first: who, by which means, when, how often tried, what came of it."""
    from announcing import delivery_lines
    from casework.delivery_record import FILTERS, read_record

    if only not in FILTERS:
        misuse(f"--only is one of {', '.join(FILTERS)}")
    found = with_services(lambda given: read_record(given, only, 1, PER_PAGE))
    print("\n".join(delivery_lines(found)))


@notifications.command("resend")
def resend(
    keys: Annotated[list[str] | None, typer.Argument(help="As `notifications list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that was given up.")] = False,
) -> None:
    """Send again what was given up. Ends with 1 where there was nothing of it.

    Those to the webhook need the engine.
    """
    from casework.delivery_record import send_again

    if everything == bool(keys):
        misuse("name the deliveries, or give --all")
    done = with_services(lambda given: send_again(given, None, None if everything else keys))
    if not done:
        fail("没有可以重新发送的。")
    print(f"已重新安排发送 {done} 条。")


@notifications.command("drop")
def let_go(
    keys: Annotated[list[str] | None, typer.Argument(help="As `notifications list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that was given up.")] = False,
) -> None:
    """Let go of what was given up: it stays on record and is not sent any more.

    Ends with 1 where there was nothing of it.
    """
    from casework.delivery_record import drop

    if everything == bool(keys):
        misuse("name the deliveries, or give --all")
    done = with_services(lambda given: drop(given, None, None if everything else keys))
    if not done:
        fail("没有可以放弃的。")
    print(f"已放弃 {done} 条。")
