"""How a user wants to be reached outside: means, addresses, digest, quiet hours; and an admin's default."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import BadInput, TooMany
from casework.services import Services
from casework.viewer import Viewer
from models.access_log import append
from models.crypto import Keyring, UnsealError
from models.inbox import Notification
from models.outside import DEFAULT, DeliveryChoice
from rules.delivering import Digest, Means
from rules.outside_addresses import read_address

TRIAL = "delivery_trial"
"""The kind of the line that a user has written to try the own means."""
TRIAL_TEXT = "这是一条测试消息：能收到它，说明通知方式设置正确"
TRIALS_APART = timedelta(minutes=1)
PAGE = "/account/notifications"


@dataclass(frozen=True)
class Choice:
    """What was chosen; of a user with `own` false the means, digest and quiet hours are the default's."""

    own: bool = False
    means: frozenset[Means] = frozenset()
    digest: Digest = Digest.NONE
    quiet: bool = True
    addresses: Mapping[Means, str] = field(default_factory=dict, repr=False)

    def reached_by(self, default: "Choice", offered: Sequence[Means]) -> "Choice":
        """Return what is in force: own or default, and only means that are offered and have an address."""
        given = self if self.own else default
        means = given.means & frozenset(offered) & self.addresses.keys()
        return Choice(self.own, means, given.digest, given.quiet, self.addresses)


@dataclass(frozen=True)
class Wanted:
    """What somebody typed: `addresses` of means that are to change, an empty one to forget it."""

    own: bool
    means: Sequence[str]
    digest: str
    quiet: bool
    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)


async def choice_of(services: Services, username: str) -> Choice:
    """Return the choice of a user, or of `DEFAULT`; where there is none, nothing is sent."""
    async with services.database.read() as session:
        return await read_choice(session, services.keyring, username)


async def read_choice(session: AsyncSession, keyring: Keyring, username: str) -> Choice:
    """Return a choice, inside a transaction."""
    return opened(keyring, await session.get(DeliveryChoice, username))


def opened(keyring: Keyring, row: DeliveryChoice | None) -> Choice:
    """Return a stored choice, its addresses unsealed. Raises UnsealError where their key is gone."""
    if row is None:
        return Choice()
    found: dict[str, str] = {}
    if row.addresses is not None:
        found = json.loads(keyring.open_text(row.addresses, _sealing(row.username)))
    addresses = {Means(name): address for name, address in found.items()}
    return Choice(row.own, frozenset(map(Means, row.means)), Digest(row.digest), row.quiet, addresses)


async def choose(services: Services, viewer: Viewer, wanted: Wanted, address: str | None) -> None:
    """Put the choice of a user in force. Raises `BadInput` naming every fault, and changes nothing then.

    A means without an address cannot be chosen; one that is not offered here neither.
    """
    now = await services.wall.now()
    async with services.database.begin() as session:
        try:
            before = await read_choice(session, services.keyring, viewer.username)
        except UnsealError:  # its key is gone: what is typed now takes its place
            before = Choice()
        choice = _checked(services, wanted, before.addresses)
        await _keep(session, services, viewer.username, choice)
        await append(session, at=now, action="delivery_chosen", username=viewer.username, address=address)


async def choose_default(services: Services, viewer: Viewer, wanted: Wanted, address: str | None) -> None:
    """Put the default for all who chose nothing in force. Raises `BadInput`."""
    now = await services.wall.now()
    choice, faults = _terms(services, wanted)
    if faults:
        raise BadInput(faults)
    async with services.database.begin() as session:
        await _keep(session, services, DEFAULT, choice)
        await append(session, at=now, action="delivery_default", username=viewer.username, address=address)


async def try_out(services: Services, viewer: Viewer) -> None:
    """Write a line for oneself: it goes the way of all others. Raises `TooMany` within a minute."""
    now = await services.clock.now()
    async with services.database.begin() as session:
        last = select(func.max(Notification.at)).where(
            Notification.username == viewer.username, Notification.kind == TRIAL
        )
        before = (await session.exec(last)).one()
        if before is not None and now - before < TRIALS_APART:
            raise TooMany(TRIALS_APART - (now - before))
        # The id of this trial stands in place of a case's.
        line = Notification(
            username=viewer.username,
            case_id=str(uuid4()),
            seq=0,
            kind=TRIAL,
            text=TRIAL_TEXT,
            at=now,
            path=PAGE,
        )
        session.add(line)


def _checked(services: Services, wanted: Wanted, there: Mapping[Means, str]) -> Choice:
    choice, faults = _terms(services, wanted)
    addresses = dict(there)
    for name, typed in wanted.addresses.items():
        means = Means(name)
        if not typed.strip():
            addresses.pop(means, None)
            continue
        try:
            addresses[means] = read_address(means, typed)
        except ValueError:
            faults[f"address_{means}"] = f"bad_{means}"
    for means in sorted(choice.means):
        if wanted.own and means not in addresses and f"address_{means}" not in faults:
            faults[f"address_{means}"] = "missing"
    if faults:
        raise BadInput(faults)
    return Choice(choice.own, choice.means, choice.digest, choice.quiet, addresses)


def _terms(services: Services, wanted: Wanted) -> tuple[Choice, dict[str, str]]:
    """Return what was wanted beside addresses, and what is wrong with it."""
    faults = {}
    if unknown := set(wanted.means) - {str(means) for means in services.means}:
        faults["means"] = "unknown"
    if wanted.digest not in tuple(Digest):
        faults["digest"] = "enum"
    means = frozenset(Means(name) for name in set(wanted.means) - unknown)
    digest = Digest.NONE if "digest" in faults else Digest(wanted.digest)
    return Choice(wanted.own, means, digest, wanted.quiet), faults


async def _keep(session: AsyncSession, services: Services, username: str, choice: Choice) -> None:
    sealed = None
    if choice.addresses:
        plain = json.dumps(choice.addresses, ensure_ascii=False)
        sealed = services.keyring.seal_text(plain, _sealing(username))
    row = DeliveryChoice(
        username=username,
        own=choice.own,
        means=sorted(choice.means),
        digest=choice.digest,
        quiet=choice.quiet,
        addresses=sealed,
        updated_at=await services.wall.now(),
    )
    await session.merge(row)


def _sealing(username: str) -> str:
    return f"addresses:{username}"


async def choices_of(session: AsyncSession, keyring: Keyring, usernames: Sequence[str]) -> dict[str, Choice]:
    """Return the choices of those of these users who have one; one that does not open is passed over."""
    rows = await session.exec(select(DeliveryChoice).where(col(DeliveryChoice.username).in_(usernames)))
    found = {}
    for row in rows:
        try:
            found[row.username] = opened(keyring, row)
        except UnsealError:
            continue
    return found
