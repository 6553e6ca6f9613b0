"""What the containers run, as processes: commands, settings and health checks out of docker-compose.yml.

Secrets come as files, and nothing but the data folder is written to. Where the tests run as root, on a
tree that others may enter, the processes are an ordinary user's, who could write nowhere else.
"""

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import make_url

from tests.support.composed import ROOT, environment_of, ours
from tests.support.postgres import open_to_others
from tests.support.processes import LOOPBACK, READY_WITHIN, ServerProcess, answers, free_port
from tests.support.running import BANCHENG
from tests.support.temporal import TemporalServer

AS_OTHERS = os.geteuid() == 0 and open_to_others(BANCHENG.parent) and open_to_others(Path(sys.executable))
NOBODY = pwd.getpwnam("nobody").pw_uid if AS_OTHERS else None


class Containers:
    """Our services with the environment that the file gives them; addresses and ports are of here."""

    def __init__(self, folder: Path, database_url: str, temporal: TemporalServer) -> None:
        self.folder, self.secrets, self.data = folder, folder / "secrets", folder / "data"
        self.empty = folder / "empty"
        made = subprocess.run(
            ["sh", ROOT / "deploy/make-secrets.sh", self.secrets], check=True, capture_output=True, text=True
        )
        assert "made   bancheng_payload_keys" in made.stdout
        self.secrets.chmod(0o755)
        url = self.secrets / "bancheng_database_url"
        url.chmod(0o644)
        url.write_text(
            make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        )
        for place in (self.data, self.empty, folder / "tmp"):
            place.mkdir()
            if NOBODY is not None and place != self.empty:
                os.chown(place, NOBODY, NOBODY)
        self.empty.chmod(0o555)
        self.ports = {"api": free_port(), "worker": free_port(), "notifications": free_port()}
        self.here = {
            "BANCHENG_DATA_DIR": str(self.data),
            "BANCHENG_TEMPORAL_ADDRESS": temporal.address,
            "BANCHENG_TRUSTED_PROXIES": LOOPBACK,
        }

    def environment(self, name: str) -> dict[str, str]:
        """Return what the file says, and where things are here."""
        here = self.here | {
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self.folder / "tmp"),
            "CREDENTIALS_DIRECTORY": str(self.secrets),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if name == "api":
            here |= {"BANCHENG_PORT": str(self.ports["api"])}
        elif name in self.ports:
            here |= {"BANCHENG_METRICS_ADDRESS": f"{LOOPBACK}:{self.ports[name]}"}
        return environment_of(ours()[name]) | here

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a service that ends."""
        return subprocess.run(
            [BANCHENG, *ours()[name]["command"]],
            env=self.environment(name),
            cwd=self.empty,
            user=NOBODY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def process(self, name: str) -> ServerProcess:
        """Return a service that goes on, not started."""
        command = ["env", "-C", self.empty, BANCHENG, *ours()[name]["command"]]
        log = self.folder / f"{name}.log"
        return ServerProcess(command, log=log, env=self.environment(name), user=NOBODY)

    def healthy(self, name: str) -> bool:
        """Return what the service's own health check says."""
        kind, program, script, url, *metric = ours()[name]["healthcheck"]["test"]
        assert (kind, program, script) == ("CMD", "python", "/opt/bancheng/healthcheck.py")
        there = {"http://127.0.0.1:8000": "api", "http://127.0.0.1:9464": name}
        address = next(address for address in there if url.startswith(address))
        url = url.replace(address, f"http://{LOOPBACK}:{self.ports[there[address]]}")
        command = [sys.executable, ROOT / "deploy/healthcheck.py", url, *metric]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{LOOPBACK}:{self.ports['api']}"


def wait_for(containers: Containers, name: str) -> None:
    """Wait until a service is healthy; the check is a program of its own, so it is not run in vain."""
    deadline = time.monotonic() + READY_WITHIN
    while not (answers(containers.ports[name]) and containers.healthy(name)):
        assert time.monotonic() < deadline, (containers.folder / f"{name}.log").read_text()
        time.sleep(0.1)
