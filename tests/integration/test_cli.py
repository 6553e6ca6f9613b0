"""The commands of `bancheng` as real processes: what they do, what they say, their exit codes."""

import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.processes import LOOPBACK, ServerProcess, free_port
from tests.support.running import BANCHENG, PASSWORD, House, bancheng, environment
from tests.support.temporal import TemporalServer

ROOT = Path(__file__).parents[2]
GROUPS = {
    "user": ["add", "list", "disable", "password"],
    "directory": ["import", "template"],
    "calendar": ["show", "load"],
    "case": ["show", "resume"],
    "keys": ["list", "new", "rotate", "forget"],
    "report": ["run", "template"],
    "import": ["12345"],
    "notifications": ["list", "resend", "drop"],
}
COMMANDS = [
    [],
    *([name] for name in ("serve", "rehearse", "api", "worker", "migrate", "demo", "whatif", *GROUPS)),
    *([name] for name in ("backup", "restore", "move")),
    *([group, name] for group, names in GROUPS.items() for name in names),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose database has tables and the demonstration."""
    folder = tmp_path_factory.mktemp("cli")
    assert bancheng(folder, "demo", demo_password=PASSWORD)[0] == 0
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str], tmp_path: Path) -> None:
    code, said = bancheng(tmp_path, *command, "--help")
    assert code == 0
    assert said.startswith("Usage: bancheng")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("command", "settings", "words"),
    [
        (["serv"], {}, "serv"),
        (["user", "add", "x"], {}, "--name"),
        (["user", "list"], {"port": "http"}, "BANCHENG_PORT"),
        (["user", "list"], {"database_url": "mysql://host/db"}, "SQLite or PostgreSQL"),
        (["rehearse"], {"host": "192.0.2.1"}, "loopback"),
        (["demo"], {"host": "192.0.2.1"}, "loopback"),
        (["calendar", "load", "nowhere.json"], {}, "nowhere.json"),
        (["notifications", "list", "--only", "lost"], {}, "--only"),
        (["notifications", "resend"], {}, "--all"),
        (["notifications", "resend", "p-1", "--all"], {}, "--all"),
        (["notifications", "drop"], {}, "--all"),
        (["user", "list"], {"smtp_host": "mail.example"}, "SMTP_SENDER"),
    ],
)
def test_misuse_ends_with_2(command: list[str], settings: dict[str, str], words: str, tmp_path: Path) -> None:
    code, said = bancheng(tmp_path, *command, **settings)
    assert (code, words in said) == (2, True), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["case", "show", "guilin-20260101-0001"], "没有这个办件"),
        (["user", "disable", "nobody"], "没有这个用户"),
        (["calendar", "show", "2026", "--hall", "nowhere"], "没有这个大厅"),
    ],
)
def test_what_is_not_there_ends_with_1(command: list[str], words: str, installed: Path) -> None:
    assert bancheng(installed, *command) == (1, f"{words}。\n")


def test_a_database_without_tables_names_the_command_to_run(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    code, said = bancheng(tmp_path, "user", "list")
    assert (code, "bancheng migrate" in said) == (1, True)


def test_an_operator_keeps_users(tmp_path: Path) -> None:
    def run(*arguments: str, typed: str = "") -> tuple[int, str]:
        return bancheng(tmp_path, *arguments, typed=typed)

    assert run("migrate")[0] == 0
    add = ["user", "add", "root.admin", "--name", "甲演", "--role", "admin", "--password-stdin"]
    assert run(*add, typed="long enough a password\n")[0] == 0
    code, said = run("user", "list")
    assert (code, said.split("\t")[:3]) == (0, ["root.admin", "甲演", "系统管理员"])
    assert run("user", "disable", "root.admin")[0] == 0
    assert "\t停用" in run("user", "list")[1]
    assert run("user", "password", "root.admin", "--password-stdin", typed="another password\n")[0] == 0
    assert "停用" not in run("user", "list")[1]


def test_every_fault_of_a_new_user_is_named(installed: Path) -> None:
    add = ["user", "add", "x y", "--name", "", "--role", "contact", "--hall", "nowhere", "--password-stdin"]
    code, said = bancheng(installed, *add, typed="too short\n")
    assert code == 2
    assert {line.partition(":")[0] for line in said.splitlines()} == {
        "username",
        "name",
        "unit",
        "password",
        "hall",
    }


def test_a_contact_table_goes_from_template_to_import(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    assert bancheng(installed, "directory", "template", file)[0] == 0
    assert bancheng(installed, "directory", "template", file)[0] == 1
    assert bancheng(installed, "directory", "import", file) == (1, "业务联系表：没有内容\n")


def test_the_12345_volume_of_a_month_is_imported(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("单位,件数\n市场监管局,5\n没有局,x\n", "utf-8")
    given = ["import", "12345", file, "--hall", "guilin", "--month", "2026-02"]
    code, said = bancheng(installed, *given)
    assert code == 1 and said.count("第 3 行") == 2
    file.write_text("单位,件数\n市场监管局,5\n", "utf-8")
    assert bancheng(installed, *given) == (0, "已导入 2026-02：1 个单位，合计 5 件，第 1 版。\n")
    assert bancheng(installed, *given[:-1], "2026-2")[0] == 2


def test_a_calendar_is_shown_and_loaded(installed: Path, tmp_path: Path) -> None:
    code, said = bancheng(installed, "calendar", "show", "2026")
    assert code == 0
    assert "2026-10-01" in said and "2026-09-20" in said
    assert "暂定" in bancheng(installed, "calendar", "show", "2090")[1]

    notice = {"off": ["2090-01-02"], "work": ["2090-01-07"], "source": "演练通知"}
    file = tmp_path / "notice.json"
    file.write_text(json.dumps(notice))
    code, said = bancheng(installed, "calendar", "load", file)
    assert (code, "2090" in said) == (0, True), said
    shown = bancheng(installed, "calendar", "show", "2090")[1]
    assert "暂定" not in shown and "演练通知" in shown
    file.write_text(json.dumps(notice | {"work": ["2090-01-03"], "extra": 1}))
    assert bancheng(installed, "calendar", "load", file)[0] == 2


def part(folder: Path, name: str, command: Sequence[str | Path], **settings: object) -> ServerProcess:
    """One of the two production parts."""
    env = environment(folder, **settings) | {"PYTHONPATH": str(ROOT)}
    return ServerProcess(["env", "-C", folder, *command], log=folder / f"{name}.log", env=env)


def test_api_and_worker_run_apart(own_temporal_server: TemporalServer, tmp_path: Path) -> None:
    house = House(tmp_path)
    settings = {"temporal_address": own_temporal_server.address, "port": house.url.rpartition(":")[2]}
    assert bancheng(tmp_path, "demo", demo_password=PASSWORD)[0] == 0
    api = part(tmp_path, "api", [BANCHENG, "api"], **settings)
    worker = part(tmp_path, "worker", [sys.executable, ROOT / "worker.py"], **settings)

    def ready() -> bool:
        try:
            return httpx.get(f"{house.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    api.start(ready)
    worker.start(lambda: "workers started" in worker.tail())
    case = house.triage(house.file(), "simple")
    assert [event["type"] for event in house.events(case)] == ["registered", "triage"]
    assert worker.end(signal.SIGTERM) == 0
    assert api.end(signal.SIGTERM) == 0
    lines = (tmp_path / "api.log").read_text() + (tmp_path / "worker.log").read_text()
    assert all(json.loads(line) for line in lines.splitlines())
    assert "张小演" not in lines and "13800138000" not in lines


def test_uvicorn_runs_the_api_too(installed: Path) -> None:
    port = free_port()
    command = [BANCHENG.with_name("uvicorn"), "api:app", "--port", str(port)]
    api = part(installed, "uvicorn", command)

    def alive() -> bool:
        try:
            return httpx.get(f"http://{LOOPBACK}:{port}/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    api.start(alive)
    form = {"username": "admin", "password": PASSWORD}
    assert httpx.post(f"http://{LOOPBACK}:{port}/api/token", data=form, timeout=30).status_code == 200
    api.stop()
    written = (installed / "uvicorn.log").read_text().splitlines()
    assert any(
        "/api/token" in line and json.loads(line)["logger"] == "http" for line in written if "{" in line
    )


def test_a_report_of_a_past_week_is_made_once_and_then_compared(installed: Path) -> None:
    on = f"{datetime.now(UTC) - timedelta(days=14):%Y-%m-%d}"
    command = ("report", "run", "hall_weekly", "--on", on, "--hall", "guilin")
    code, said = bancheng(installed, *command, "--out", "reports")
    assert (code, "已生成并存档" in said) == (0, True), said
    [file] = (installed / "reports").iterdir()
    assert file.read_bytes().startswith(b"PK")
    code, said = bancheng(installed, *command)
    assert (code, "与存档一致" in said) == (0, True), said
    code, said = bancheng(installed, "report", "run", "centre_weekly", "--on", on)
    assert (code, said.count("已生成并存档")) == (0, 2), said  # of both halls
    two_months_ago = f"{datetime.now(UTC) - timedelta(days=60):%Y-%m-%d}"
    code, said = bancheng(installed, "report", "run", "monthly", "--on", two_months_ago, "--out", "month")
    assert (code, said.count("已生成并存档")) == (0, 2), said
    assert {file.suffix for file in (installed / "month").iterdir()} == {".pdf", ".docx"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("yearly", "--on", "2026-01-09"), "kind"),
        (("hall_weekly", "--on", "2099-01-09"), "尚未到期"),
        (("hall_weekly", "--on", "9.1.2026"), "--on"),
        (("hall_weekly",), "--on"),
    ],
)
def test_a_report_that_is_none_is_misuse(arguments: Sequence[str], words: str, installed: Path) -> None:
    code, said = bancheng(installed, "report", "run", *arguments)
    assert (code, words in said) == (2, True), said


def test_the_template_of_the_summary_is_written_to_be_edited(installed: Path) -> None:
    assert bancheng(installed, "report", "template", "own.docx")[0] == 0
    assert (installed / "own.docx").read_bytes().startswith(b"PK")
    code, said = bancheng(installed, "report", "template", "own.docx")
    assert (code, "is there already" in said) == (1, True)
    assert bancheng(installed, "report", "template", "month.docx", "--kind", "monthly")[0] == 0
    assert (installed / "month.docx").read_bytes() != (installed / "own.docx").read_bytes()
    code, said = bancheng(installed, "report", "template", "x.docx", "--kind", "monthly_lists")
    assert (code, "centre_weekly, monthly" in said) == (2, True), said
