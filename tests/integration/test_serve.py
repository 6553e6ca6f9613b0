"""`bancheng serve`: everything in one process, which may be stopped or killed at any moment."""

import hashlib
import hmac
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import LOOPBACK
from tests.support.receivers import PASSWORD as MAIL_PASSWORD
from tests.support.receivers import USERNAME, Mailbox, mail_receiver
from tests.support.running import PASSWORD, House, bancheng
from tests.support.visiting import hidden

SECRET = "what the gateway knows of us"

PRINTED_PASSWORD = re.compile(r"([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})")


@pytest.fixture(scope="module")
def gateway() -> Iterator["Gateway"]:
    """What the house tells people outside, through the webhook."""
    with Gateway() as receiving:
        threading.Thread(target=receiving.serve_forever, daemon=True).start()
        yield receiving
        receiving.shutdown()


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    """What the house tells people by mail."""
    with mail_receiver(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, gateway: "Gateway", mailbox: Mailbox) -> Iterator[House]:
    """One house for the module; each test stops it as it likes."""
    house = House(
        tmp_path_factory.mktemp("serve"),
        webhook_url=gateway.url,
        webhook_secret=SECRET,
        smtp_host=mailbox.host,
        smtp_port=mailbox.port,
        smtp_ca=mailbox.authority,
        smtp_sender="no-reply@hall.example",
        smtp_username=USERNAME,
        smtp_password=MAIL_PASSWORD,
    )
    yield house
    house.kill()


@pytest.fixture
def house(shared: House) -> House:
    """The house, running."""
    return shared if shared.process.running else shared.start()


class Gateway(ThreadingHTTPServer):
    """A message gateway of the intranet; it keeps what it gets."""

    def __init__(self) -> None:
        received: list[dict[str, Any]] = []
        signed: list[bool] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append(json.loads(body))
                stamped = self.headers["X-Bancheng-Timestamp"].encode() + b"." + body
                digest = hmac.new(SECRET.encode(), stamped, hashlib.sha256).hexdigest()
                signed.append(self.headers["X-Bancheng-Signature"] == f"sha256={digest}")
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        super().__init__((LOOPBACK, 0), Handler)
        self.received, self.signed = received, signed
        self.url = f"http://{LOOPBACK}:{self.server_port}/messages"


def engine_pid(house: House) -> int:
    return int((house.data / "temporal.lock").read_text())


def runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def eventually(condition: Callable[[], Any], within: float = 30) -> Any:
    """Wait until something is so; return what it was."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def types(house: House, case: dict[str, Any]) -> list[str]:
    return [event["type"] for event in house.events(case)]


def finish(house: House, case: dict[str, Any]) -> None:
    """Take a dispatched case to the archive."""
    house.give("guilin.market.contact", case, "sign")
    house.give("guilin.market.contact", case, "reply", text="已办结并告知", resolved=True)
    house.give("guilin.lead", case, "check_reply", accept=True)
    house.give("guilin.clerk2", case, "revisit", reached=True, rating=5, resolved=True)
    house.give("guilin.lead", case, "archive")
    assert types(house, case) == [
        "registered",
        "triage",
        "sign",
        "reply",
        "check_reply",
        "revisit",
        "archive",
    ]


def test_it_goes_on_where_a_stop_left_it(house: House) -> None:
    case = house.triage(house.file(), "simple")
    engine = engine_pid(house)
    assert house.stop(signal.SIGTERM) == 0
    assert not runs(engine)
    house.start()
    assert house.case(case) == case | {"allowed": house.case(case)["allowed"]}
    finish(house, case)


def test_ctrl_c_is_a_clean_stop_too(house: House) -> None:
    assert house.stop(signal.SIGINT) == 0
    assert "Traceback" not in house.output


def test_it_goes_on_where_a_kill_left_it(house: House) -> None:
    case = house.triage(house.file(), "simple")
    engine = engine_pid(house)
    house.kill()
    eventually(lambda: not runs(engine))
    house.start()
    assert types(house, case) == ["registered", "triage"]
    finish(house, case)


def test_a_killed_engine_is_started_again_and_no_filing_is_lost(house: House) -> None:
    case = house.triage(house.file(), "simple")
    os.kill(engine_pid(house), signal.SIGKILL)
    kept = house.file(problem="引擎重启时提交")
    eventually(lambda: house.case(kept)["number"])
    assert types(house, kept) == ["registered"]
    with house.as_user("guilin.market.contact") as client:
        eventually(lambda: client.post(f"/api/cases/{case['id']}/sign", json={}).status_code in (200, 409))
    assert types(house, case) == ["registered", "triage", "sign"]


def test_people_outside_hear_through_the_webhook(house: House, gateway: Gateway) -> None:
    case = house.triage(house.file(), "simple")
    [message] = eventually(
        lambda: [m for m in gateway.received if (m["case_id"], m["seq"]) == (case["id"], 2)]
    )
    assert case["number"] in message["text"]
    assert all(gateway.signed)


def test_a_user_who_chose_mail_hears_by_mail(house: House, mailbox: Mailbox) -> None:
    form = {"own": "yes", "means": "email", "digest": "none", "address_email": "clerk@hall.example"}
    with httpx.Client(base_url=house.url, follow_redirects=True, timeout=30) as browser:
        who = {"username": "guilin.clerk", "password": PASSWORD}
        browser.post("/sign-in", data={"csrf": hidden(browser.get("/sign-in").text, "csrf"), **who})
        page = browser.get("/account/notifications").text
        saved = browser.post("/account/notifications", data={"csrf": hidden(page, "csrf"), **form})
    assert "c***@hall.example" in saved.text
    case = house.file()
    [mail] = eventually(lambda: [m for m in mailbox.received if case["number"] in m["Subject"]])
    assert mail["To"] == "clerk@hall.example"
    assert mail["Message-ID"].endswith("@hall.example>")
    text = mail.get_content()
    assert case["number"] in text and "张小演" not in text and "13800138000" not in text
    assert all(mailbox.secured)
    code, said = bancheng(house.folder, "notifications", "list", "--only", "all")
    assert code == 0 and "guilin.clerk  电子邮件  已发送" in said
    assert bancheng(house.folder, "notifications", "resend", "--all")[0] == 1, "nothing was given up"


def test_time_cannot_be_moved_outside_a_rehearsal(house: House) -> None:
    assert httpx.get(f"{house.url}/api/rehearsal/clock").status_code == 404
    assert httpx.post(f"{house.url}/api/rehearsal/advance", json={"working_days": 1}).status_code == 404
    assert "/api/rehearsal/clock" not in httpx.get(f"{house.url}/openapi.json").json()["paths"]


def test_a_second_serve_on_the_same_data_is_refused(house: House) -> None:
    code, said = bancheng(house.folder, "serve", port=1)
    assert (code, "already runs on" in said) == (1, True)
    assert httpx.get(f"{house.url}/readyz").status_code == 200


def test_a_port_in_use_is_said_before_anything_is_started(house: House, tmp_path: Path) -> None:
    code, said = bancheng(tmp_path, "serve", port=house.url.rpartition(":")[2])
    assert (code, "cannot listen on" in said) == (1, True)
    assert not (tmp_path / "data" / "temporal.db").exists()


def test_nothing_below_the_data_folder_is_for_others(house: House) -> None:
    assert house.data.stat().st_mode & 0o077 == 0
    assert [path.name for path in house.data.rglob("*") if path.stat().st_mode & 0o077] == []


def test_commands_beside_a_running_serve_see_its_data(house: House) -> None:
    case = house.file()
    code, said = bancheng(house.folder, "case", "show", case["number"])
    assert code == 0
    assert case["number"] in said and "registered" in said
    assert "张小演" not in said and "13800138000" not in said


def test_a_calendar_loaded_beside_a_running_serve_reaches_its_cases(house: House, tmp_path: Path) -> None:
    case = house.triage(house.file(), "simple")
    day = case["due_at"][:10]
    notice = tmp_path / "days.json"
    notice.write_text(f'{{"off": ["{day}"], "work": [], "source": "演练：当日闭馆"}}')
    code, said = bancheng(house.folder, "calendar", "load", notice, "--hall", "guilin")
    assert code == 0, said
    eventually(lambda: house.case(case)["due_at"] > case["due_at"], within=60)
    assert types(house, case)[-1] == "calendar_changed"


def test_the_first_start_prints_a_password_that_is_kept_nowhere(tmp_path: Path) -> None:
    house = House(tmp_path, demo_password="").start()
    password = eventually(lambda: PRINTED_PASSWORD.search(house.output))
    form = {"username": "chengzhong.market.leader", "password": password[1]}
    assert httpx.post(f"{house.url}/api/token", data=form, timeout=30).status_code == 200
    assert house.stop() == 0
    kept = [path for path in house.data.rglob("*") if path.is_file()]
    assert [path for path in kept if password[1].encode() in path.read_bytes()] == []
    house.start()
    eventually(lambda: "guilin" in house.output)
    assert PRINTED_PASSWORD.search(house.output) is None
    house.kill()
