"""Builds what the entry points hand down, from the settings: the engine's client and the services."""

from collections.abc import Callable

from temporalio.client import Client

from activities.archiving import FileOutlet, WebhookOutlet
from casework.clocks import MachineClock
from casework.engine import Engine
from casework.services import Clock, Services
from casework.watch import Watch
from embedded import remembered_address
from logs import engine_metrics
from models.codec import data_converter
from models.crypto import Keyring
from models.database import Database
from models.policies import read_offers, read_policies, read_reporting_times, read_retentions
from settings import Settings


class Failure(Exception):
    """It can't be run; the message says why, and what to do."""


class BadSettings(Exception):
    """What the settings name can't be used; the message says what, and shows no secret."""


async def connect(settings: Settings, keyring: Keyring) -> Client:
    """Return a client whose payloads are sealed under `keyring`.

    Without TEMPORAL_ADDRESS it goes to the engine of the `serve` that runs on the same DATA_DIR.
    Raises RuntimeError where nothing answers, or where there is no address at all.
    """
    address = settings.temporal_address or remembered_address(settings.data_dir)
    if address is None:
        raise RuntimeError(
            "there is no engine to connect to: set BANCHENG_TEMPORAL_ADDRESS, or run `bancheng serve`"
        )
    key = settings.temporal_api_key
    try:
        return await Client.connect(
            address,
            namespace=settings.temporal_namespace,
            tls=settings.temporal_tls() if settings.temporal_address else False,
            api_key=key.get_secret_value() if key and settings.temporal_address else None,
            data_converter=data_converter(keyring),
        )
    except ValueError as error:
        raise RuntimeError(f"BANCHENG_TEMPORAL_ADDRESS: {error}") from error


def build_services(settings: Settings, make_clock: Callable[[Engine], Clock] | None = None) -> Services:
    """Return what casework needs. Nothing is connected before its first use.

    `make_clock` gives the clock of the domain; without it that is the machine's. Raises
    `BadSettings` for unreadable policies or keys, and for a database of another kind.
    """
    try:
        return _built(settings, make_clock)
    except ValueError as error:
        raise BadSettings(str(error)) from error


def _built(settings: Settings, make_clock: Callable[[Engine], Clock] | None) -> Services:
    keyring = settings.keyring()
    engine = Engine(lambda: connect(settings, keyring))
    return Services(
        database=Database(settings.database),
        keyring=keyring,
        engine=engine,
        clock=make_clock(engine) if make_clock else MachineClock(),
        wall=MachineClock(),
        policies=read_policies(settings.policies_dir),
        attachments=settings.data_dir / "attachments",
        offers=read_offers(settings.policies_dir),
        policies_folder=settings.policies_dir,
        online_filing=frozenset(settings.online_filing.replace(",", " ").split()),
        temporal_ui=settings.temporal_ui_origin,
        public_url=settings.public_url.rstrip("/"),
        sign_in=settings.sign_in_rules(),
        keys_file=settings.keys_file,
        given_evidence=settings.evidence(),
        reporting=read_reporting_times(settings.policies_dir),
        retention=read_retentions(settings.policies_dir),
        templates=settings.data_dir / "templates",
        watch=Watch(operators=settings.operators(), engine_metrics=engine_metrics()),
        means=settings.offered_means(),
        outlets=(FileOutlet.name, *([WebhookOutlet.name] if settings.webhook_url else [])),
    )
