"""What Prometheus gets: meters of the process, how the house stands, metrics of the engine's client."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from time import monotonic, perf_counter

import httpx
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from casework.backup import last_backup
from casework.engine import EngineUnavailable
from casework.gauges import HELP, Sample, read_gauges
from casework.readiness import disk_of, readiness
from casework.services import Services
from models.database import DatabaseUnavailable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KEPT = 10.0  # seconds that what was read serves: several scrapers cost no more than one
WITHIN = 2.0  # seconds for the metrics of the engine's client, on this machine
OWN = {
    "bancheng_build_info": ("What runs here; always 1.", ("version", "python", "temporalio")),
    "bancheng_ready": ("1 where this part of /readyz is sound.", ("part",)),
    "bancheng_disk_free_bytes": ("What is free for us of the disk that DATA_DIR lies on.", ()),
    "bancheng_disk_size_bytes": ("The size of that disk.", ()),
    "bancheng_backup_age_seconds": ("Since when a backup last ended well.", ()),
    "bancheng_gauges_read_seconds": ("How long reading the gauges took.", ()),
}
_log = structlog.get_logger(__name__)


async def exposition(services: Services, *more: CollectorRegistry) -> bytes:
    """Return the metrics in Prometheus' text format; `more` are registries of the caller's own.

    What cannot be read now is left out, never shown as it was.
    """
    samples = [_build_info(), *await _samples(services)]
    house = CollectorRegistry()
    house.register(_Samples(samples))
    parts = [generate_latest(registry) for registry in (*more, services.watch.meters.registry, house)]
    return b"".join([*parts, await _engine_metrics(services.watch.engine_metrics)])


class _Samples(Collector):
    """Samples as a registry wants them."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = list(samples)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return a family for each name that has a sample."""
        families: dict[str, GaugeMetricFamily] = {}
        for sample in self._samples:
            help_, labels = (OWN | HELP)[sample.name]
            family = families.setdefault(sample.name, GaugeMetricFamily(sample.name, help_, labels=labels))
            family.add_metric(sample.labels, sample.value)
        return families.values()


async def _samples(services: Services) -> list[Sample]:
    """Return samples that are at most `KEPT` old; one caller at a time reads them."""
    watch = services.watch
    async with watch.turn:
        if watch.read_at is None or monotonic() - watch.read_at > KEPT:
            watch.kept, watch.read_at = await _read(services), monotonic()
        return watch.kept


async def _read(services: Services) -> list[Sample]:
    parts = await readiness(services)
    samples = [Sample("bancheng_ready", float(part.ok), (part.name,)) for part in parts]
    samples += disk_samples(services)
    if not all(part.ok for part in parts if part.name in ("database", "schema")):
        return samples
    started = perf_counter()
    try:
        now, wall = await services.clock.now(), await services.wall.now()
        outlets = services.outlets
        samples += await services.database.look(lambda session: read_gauges(session, now, wall, outlets))
    except (DatabaseUnavailable, EngineUnavailable) as error:
        _log.warning("gauges not read", error=type(error).__name__)
        return samples
    if (backed_up_at := last_backup(services.attachments.parent)) is not None:
        samples.append(Sample("bancheng_backup_age_seconds", max(0.0, (wall - backed_up_at).total_seconds())))
    return [*samples, Sample("bancheng_gauges_read_seconds", perf_counter() - started)]


def disk_samples(services: Services) -> list[Sample]:
    """Return how much of the disk of DATA_DIR there is and is left."""
    size, free = disk_of(services.attachments)
    return [Sample("bancheng_disk_free_bytes", free), Sample("bancheng_disk_size_bytes", size)]


def _build_info() -> Sample:
    versions = (_version("bancheng"), platform.python_version(), _version("temporalio"))
    return Sample("bancheng_build_info", 1, versions)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a folder, without being installed
        return "unknown"


async def _engine_metrics(address: str | None) -> bytes:
    """Return what the engine's client exposes on this machine; its names all begin with `temporal_`."""
    if address is None:
        return b""
    try:
        async with httpx.AsyncClient(timeout=WITHIN, trust_env=False) as client:
            answer = await client.get(f"http://{address}/metrics")
            return answer.raise_for_status().content
    except httpx.HTTPError as error:
        _log.warning("metrics of the engine's client not read", error=type(error).__name__)
        return b""
