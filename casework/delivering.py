"""The post: lays out what inboxes hold for people outside, and sends what is due, each means by itself.

It runs beside the notification worker, in as many processes as there are. A dead gateway holds up its
own means and nothing else; no case waits for any of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from casework.delivery_choices import read_choice
from casework.keeping_on import keep_on
from casework.laying_out import Seen, lay_out
from casework.outbox import AT_ONCE, ATTEMPT, Bundle, Outcome, let_go, note, take
from casework.personal_channels import Message, NotDelivered, PersonalChannel, Refused, told
from casework.services import Services
from models.crypto import UnsealError
from models.database import DatabaseUnavailable
from models.directory import User
from models.inbox import Notification
from models.outside import DEFAULT, DROPPED, SENT
from rules.calendar import local

EVERY = timedelta(seconds=1)
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def post(
    services: Services, channels: Sequence[PersonalChannel], every: timedelta = EVERY
) -> AsyncIterator[None]:
    """Lay out and send while the block runs; what is under way at its end comes to an end.

    What waits for a means that is not set up is let go.
    """
    seen = Seen()
    work: list[Callable[[], Awaitable[int]]] = [lambda: lay_out(services, seen)] if channels else []
    work += [_sender(services, channel) for channel in channels]
    tasks = [asyncio.create_task(keep_on("post", each, every)) for each in work]
    tasks.append(asyncio.create_task(keep_on("post", lambda: let_go(services), 60 * every)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def send_due(services: Services, channel: PersonalChannel) -> int:
    """Send what is due by one means; return how many messages that was. Raises DatabaseUnavailable."""
    turns = asyncio.Semaphore(AT_ONCE)
    stopping = asyncio.Event()

    async def one(bundle: Bundle) -> None:
        async with turns:
            if not stopping.is_set():
                await note(services, bundle, await _attempt(services, channel, bundle))

    bundles = await take(services, channel.means)
    sending = asyncio.gather(*map(one, bundles), return_exceptions=True)
    try:
        ended = await asyncio.shield(sending)
    except asyncio.CancelledError:
        # A stop: what was handed over and not noted would be handed over again.
        stopping.set()
        await sending
        raise
    for each in ended:
        if isinstance(each, BaseException):
            raise each
    return len(bundles)


async def _attempt(services: Services, channel: PersonalChannel, bundle: Bundle) -> Outcome:
    """Send one message, whatever happens; log what failed, without address and text."""
    try:
        address = await _address(services, bundle)
        if address is None or not bundle.lines:
            return Outcome(DROPPED)
        async with asyncio.timeout(ATTEMPT.total_seconds()):
            await channel.send(worded(bundle, address, services.public_url))
        return Outcome(SENT)
    except NotDelivered as error:
        outcome = Outcome.failed(str(error), for_good=isinstance(error, Refused))
    except TimeoutError:
        outcome = Outcome.failed(f"no answer within {ATTEMPT.seconds} s")
    except DatabaseUnavailable as error:
        outcome = Outcome.failed(told(error))
    except Exception as error:
        # Whatever it is: the others of this means must not wait for it.
        _log.exception("delivery failed in an unknown way", means=bundle.means)
        outcome = Outcome.failed(type(error).__name__)
    _log.warning(
        "not delivered",
        means=bundle.means,
        username=bundle.username,
        attempt=bundle.attempt,
        error=outcome.error,
    )
    return outcome


async def _address(services: Services, bundle: Bundle) -> str | None:
    """Return where the user wants it now; None where not at all any more."""
    async with services.database.read() as session:
        user = await session.get(User, bundle.username)
        default = await read_choice(session, services.keyring, DEFAULT)
        try:
            choice = await read_choice(session, services.keyring, bundle.username)
        except UnsealError:
            return None
    if user is None or not user.active:
        return None
    choice = choice.reached_by(default, services.means)
    return choice.addresses[bundle.means] if bundle.means in choice.means else None


def worded(bundle: Bundle, address: str, public_url: str) -> Message:
    """Return a bundle in words: the line itself, or how many there are and each with its instant."""
    if len(bundle.lines) == 1:
        subject, lines = bundle.lines[0].text, [bundle.lines[0].text]
    else:
        subject = f"{len(bundle.lines)} 条消息，最近一条：{bundle.lines[-1].text}"
        lines = [f"{len(bundle.lines)} 条消息："]
        lines += [f"{local(line.at):%m-%d %H:%M} {line.text}" for line in bundle.lines]
    if public_url:
        lines.append(public_url + _path(bundle.lines))
    return Message(bundle.id, address, subject, tuple(lines))


def _path(lines: Sequence[Notification]) -> str:
    """Return the page that a message leads to: its own where it has one line of a case."""
    if len(lines) > 1:
        return "/inbox"
    line = lines[0]
    return line.path or (f"/cases/{line.number}" if line.number else "/inbox")


def _sender(services: Services, channel: PersonalChannel) -> Callable[[], Awaitable[int]]:
    return lambda: send_due(services, channel)
