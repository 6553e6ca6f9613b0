"""`bancheng serve` and `bancheng rehearse` as real processes, used over HTTP as people use them."""

import signal
import subprocess
import sysconfig
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import LOOPBACK, ServerProcess, free_port

PASSWORD = "demonstration-2026"
BANCHENG = Path(sysconfig.get_path("scripts")) / "bancheng"


def environment(folder: Path, **settings: Any) -> dict[str, str]:
    """A bare environment: nothing of the machine's settings gets in, nothing is left behind."""
    own = {f"BANCHENG_{name.upper()}": str(value) for name, value in settings.items()}
    bare = {"PATH": "/usr/bin:/bin", "TMPDIR": str(folder), "BANCHENG_DATA_DIR": str(folder / "data")}
    return bare | own


class House:
    """The product in one process. It runs in `folder`, so that no `.env` of the tree counts."""

    def __init__(self, folder: Path, command: str = "serve", **settings: Any) -> None:
        self.folder, self.data = folder, folder / "data"
        self.url = f"http://{LOOPBACK}:{(port := free_port())}"
        self.env = environment(folder, **{"port": port, "demo_password": PASSWORD} | settings)
        self.process = ServerProcess(
            ["env", "-C", folder, BANCHENG, command], log=folder / f"{command}.log", env=self.env
        )
        self._tokens: dict[str, str] = {}

    def start(self) -> "House":
        """Start it; returns when database and engine answer."""
        self.process.start(self._ready)
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as an operator does; return the exit code."""
        return self.process.end(how)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()

    @property
    def output(self) -> str:
        """What it printed since the last start."""
        return self.process.log.read_text(encoding="utf-8")

    def as_user(self, username: str) -> httpx.Client:
        """A client that is signed in; sign-ins outlast a restart."""
        if username not in self._tokens:
            form = {"username": username, "password": PASSWORD}
            answer = httpx.post(f"{self.url}/api/token", data=form, timeout=30)
            self._tokens[username] = answer.raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {self._tokens[username]}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def file(self, hall: str = "guilin", **form: Any) -> dict[str, Any]:
        """File a case at the counter of a hall."""
        body = {
            "hall": hall,
            "channel": "counter",
            "petitioner": {"kind": "person", "name": "张小演", "phone": "13800138000"},
            "matter": "个体工商户登记",
            "problem": "材料多次被退回",
        } | form
        return self.call(f"{hall}.clerk", "", body)

    def give(self, username: str, case: Mapping[str, Any], command: str, **body: Any) -> dict[str, Any]:
        """Give a command; return the case after it."""
        return self.call(username, f"/{case['id']}/{command}", body)

    def triage(self, case: Mapping[str, Any], kind: str, unit: str = "market") -> dict[str, Any]:
        """Send a case to a unit."""
        notice = {"materials": "身份证", "window": "3号", "person": "演示", "contact": "12345"}
        body = {"kind": kind, "matter": "个体工商户登记", "cause": "other", "unit": unit}
        return self.give(f"{case['hall']}.clerk", case, "triage", one_time_notice=notice, **body)

    def call(self, username: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post to the cases; a refusal fails the test with its words."""
        with self.as_user(username) as client:
            answer = client.post(f"/api/cases{path}", json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def case(self, case: Mapping[str, Any], username: str = "guilin.lead") -> dict[str, Any]:
        """The case as it is now."""
        return self._get(username, f"/api/cases/{case['id']}")

    def events(self, case: Mapping[str, Any], username: str = "guilin.lead") -> list[dict[str, Any]]:
        """Its ledger, which must hold together."""
        answer = self._get(username, f"/api/cases/{case['id']}/events")
        assert answer["verified"]
        items: list[dict[str, Any]] = answer["items"]
        return items

    def due(self, start: datetime, **amount: float) -> datetime:
        """When a limit that starts at `start` ends, in Guilin."""
        params = {"hall": "guilin", "start": start.isoformat()} | amount
        return datetime.fromisoformat(self._get("guilin.lead", "/api/calendar/due", **params)["due_at"])

    def now(self) -> datetime:
        """The time of the rehearsal."""
        answer = httpx.get(f"{self.url}/api/rehearsal/clock", timeout=30).raise_for_status()
        return datetime.fromisoformat(answer.json()["now"])

    def advance(self, **how: Any) -> datetime:
        """Move the time of the rehearsal."""
        body = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in how.items()}
        answer = httpx.post(f"{self.url}/api/rehearsal/advance", json=body, timeout=300)
        assert answer.is_success, answer.text
        return datetime.fromisoformat(answer.json()["now"])

    def _get(self, username: str, path: str, **params: Any) -> dict[str, Any]:
        with self.as_user(username) as client:
            found: dict[str, Any] = client.get(path, params=params).raise_for_status().json()
        return found

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def bancheng(folder: Path, *arguments: str | Path, typed: str = "", **settings: Any) -> tuple[int, str]:
    """Run a command to its end; return exit code and everything it printed."""
    done = subprocess.run(
        [BANCHENG, *arguments],
        input=typed,
        env=environment(folder, **settings),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout
