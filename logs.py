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

FILE_BYTES, FILES = 10_000_000, 5
_LONGEST = 4000  # characters of one value: a text that somebody sent can be a megabyte
_DROPPED = ("color_message", "temporal_log")
# Requests are logged by our own middleware, without the query.
_CHATTY = ("httpx", "httpcore", "alembic", "uvicorn.access")

Entry = MutableMapping[str, Any]


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


def forward_engine_logs(level: Literal["WARN", "ERROR"] = "WARN", metrics: str = "") -> None:
    """Have the engine's client log through us; to be called before the first connection.

    With `metrics`, address:port, it serves its own metrics there for Prometheus, at every path.
    Raises ValueError where nothing can listen there.
    """
    logger = logging.getLogger("temporalio.core")
    telemetry = TelemetryConfig(
        logging=LoggingConfig(
            filter=TelemetryFilter(core_level=level, other_level="ERROR"),
            forwarding=LogForwardingConfig(logger=logger),
        ),
        metrics=_served_at(metrics) if metrics else None,
    )
    Runtime.set_default(Runtime(telemetry=telemetry), error_if_already_set=False)


def _served_at(address: str) -> PrometheusConfig:
    """Return how metrics are named: in seconds, and counters as Prometheus wants them."""
    return PrometheusConfig(
        bind_address=address, durations_as_seconds=True, unit_suffix=True, counters_total_suffix=True
    )


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
