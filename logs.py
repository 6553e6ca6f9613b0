"""Logging of every part (uvicorn, Temporal and ourselves) as one JSON object a line.

Configured by entry points only: done at an import, it hangs workflows. Nothing personal is logged:
errors show no values of variables or rows, requests no query (a search names people).
"""

import json
import logging
import logging.handlers
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Literal

import structlog
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from processes import LOOPBACK, free_port

FILE_BYTES, FILES = 10_000_000, 5
TRIES = 5  # ports for the metrics of the engine's client
_LONGEST = 4000  # characters of one value: a text that somebody sent can be a megabyte
_DROPPED = ("color_message", "temporal_log")
# Requests are logged by our own middleware, without the query.
_CHATTY = ("httpx", "httpcore", "alembic", "uvicorn.access")

Entry = MutableMapping[str, Any]
_exposed: list[str] = []  # a process has one runtime of the engine's client


def configure(*, file: Path | None = None, level: int = logging.INFO) -> None:
    """Send all logs to stderr; with `file`, to that file (rotated), and stderr gets warnings only."""
    structlog.configure(
        processors=[*_FIRST, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    console = logging.StreamHandler(sys.stderr)
    handlers: list[logging.Handler] = [console]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                file, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8"
            )
        )
        console.setLevel(logging.WARNING)
    for handler in handlers:
        handler.setFormatter(_formatter())
    logging.basicConfig(handlers=handlers, level=level, force=True)
    logging.captureWarnings(True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        # `uvicorn api:app` has set up its own before it imports us.
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def forward_engine_logs(level: Literal["WARN", "ERROR"] = "WARN") -> None:
    """Have the engine's client log through us, and expose its metrics to us.

    To be called before the first connection; a second call changes nothing.
    """
    if _exposed:
        return
    logger = logging.getLogger("temporalio.core")
    told = LoggingConfig(
        filter=TelemetryFilter(core_level=level, other_level="ERROR"),
        forwarding=LogForwardingConfig(logger=logger),
    )
    runtime, address = _exposing(told)
    Runtime.set_default(runtime, error_if_already_set=False)
    _exposed.append(address)


def _exposing(told: LoggingConfig, tries: int = TRIES) -> tuple[Runtime, str]:
    """Return a runtime that exposes its metrics on this machine, and where."""
    address = f"{LOOPBACK}:{free_port()}"
    try:
        return Runtime(telemetry=TelemetryConfig(logging=told, metrics=metrics_at(address))), address
    except (RuntimeError, ValueError):  # somebody took the port in between
        if tries == 1:
            raise
    return _exposing(told, tries - 1)


def engine_metrics() -> str | None:
    """Return where the engine's client exposes its metrics (`host:port`), on this machine only."""
    return _exposed[0] if _exposed else None


def metrics_at(address: str) -> PrometheusConfig:
    """Return how the engine's client exposes its metrics at `host:port`.

    It listens by itself and knows no registry of ours: whoever is scraped reads it and hands it on.
    """
    return PrometheusConfig(address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True)


def _formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_FIRST, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _bounded,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
    )


def _bounded(logger: Any, method: str, entry: Entry) -> Entry:
    """Drop what is for colours, and cut what is too long."""
    return {
        name: value[:_LONGEST] if isinstance(value, str) else value
        for name, value in entry.items()
        if name not in _DROPPED
    }


def _to_json(entry: Entry, **options: Any) -> str:
    return json.dumps(entry, ensure_ascii=False, default=str)


_FIRST: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # As text: the structured form holds the values of local variables.
    structlog.processors.format_exc_info,
]
