"""`erase`, `person export`, `import` and `integration` as an operator runs them."""

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from tests.integration.test_imports import before, order
from tests.support.running import PASSWORD
from tests.support.running import bancheng as as_process
from tests.unit.test_importing import ORDER_HEADINGS, csv


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database and its demonstration halls; no engine runs."""
    folder = tmp_path_factory.mktemp("installed")
    assert as_process(folder, "demo", demo_password=PASSWORD)[0] == 0
    return folder


@pytest.fixture(autouse=True)
def _as_it_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands run in this process, whose logging is the tests' own."""
    monkeypatch.setattr("console.log_to", lambda file, **more: None)


def bancheng(folder: Path, *words: object) -> tuple[int, str]:
    """Run a command; return its exit code and what it said."""
    done = CliRunner().invoke(app, [*map(str, words)], env={"BANCHENG_DATA_DIR": str(folder / "data")})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_a_file_is_looked_at_imported_and_copied_out_again(installed: Path, tmp_path: Path) -> None:
    """Without an engine the cases are kept: the relay registers them once there is one."""
    empty, file, copy = tmp_path / "empty.xlsx", tmp_path / "orders.csv", tmp_path / "copy.zip"
    assert bancheng(installed, "import", "template", empty)[0] == 0 and empty.stat().st_size > 1000
    file.write_bytes(csv(ORDER_HEADINGS, order("1", before(hours=3)), order("2", "昨天")))
    command = ("import", "cases", file, "--hall", "guilin", "--form", "work_orders")
    code, said = bancheng(installed, *command, "--dry-run")
    assert code == 1 and said.startswith("可以登记 1 行，此前已登记 0 行，有问题 1 处。")
    assert "CSV 第 3 行 来电时间：应写作 2026-11-20 09:30" in said
    for done in ("已登记 1 行，此前已登记 0 行", "已登记 0 行，此前已登记 1 行"):
        code, said = bancheng(installed, *command)
        assert code == 1 and done in said, said
    code, said = bancheng(
        installed, "person", "export", "--phone", "13800130001", "--reason", "本人申请", "--out", copy
    )
    assert code == 0 and "1 件" in said, said
    assert copy.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(copy) as archive:
        held = json.loads(archive.read("person.json"))
    assert held["cases"][0]["petitioner"]["name"] == "周小明"
    copied = ("person", "export", "--out", tmp_path / "no.zip")
    for wrong, code, words in (
        (("import", "cases", file, "--hall", "nowhere"), 1, "没有这个大厅"),
        (("import", "cases", file, "--hall", "guilin", "--form", "x"), 2, "--form"),
        (("import", "cases", copy, "--hall", "guilin"), 1, "Excel"),
        ((*copied, "--phone", "13800139999", "--reason", "x"), 1, "没有"),
        ((*copied, "--phone", "1", "--reason", " "), 2, "reason"),
    ):
        got, said = bancheng(installed, *wrong)
        assert got == code and words in said, (wrong, said)
    assert not (tmp_path / "no.zip").exists()


def test_erasure_tells_what_is_due_and_takes_a_list(installed: Path, tmp_path: Path) -> None:
    assert bancheng(installed, "erase") == (0, "没有到期的办件。\n")
    assert bancheng(installed, "erase", "--run") == (0, "已清除 0 件。\n")
    listed = tmp_path / "erased.txt"
    listed.write_text("00000000-0000-4000-8000-000000000000 2026-01-01T00:00:00+00:00\n")
    assert bancheng(installed, "erase", "--again", listed) == (0, "已再次清除 0 件。\n")
    with listed.open("a") as file:
        file.write("\x00\x00 damaged\n")
    code, said = bancheng(installed, "erase", "--again", listed)
    assert code == 0 and "! 第 2 行" in said and "已再次清除 0 件" in said
    listed.write_bytes(b"\xff\xfe no list \x00\n")
    code, said = bancheng(installed, "erase", "--again", listed)
    assert code == 2 and "no list" in said


def test_an_integration_is_added_listed_and_revoked(installed: Path) -> None:
    code, said = bancheng(installed, "integration", "add", "hotline", "--hall", "guilin")
    token = said.strip().rpartition(":")[2]
    assert code == 0 and len(token) > 30
    code, said = bancheng(installed, "integration", "list")
    assert code == 0 and said.split("\t")[:3] == ["hotline", "guilin", "12345"] and token not in said
    assert bancheng(installed, "integration", "revoke", "hotline")[0] == 0
    assert "停用于" in bancheng(installed, "integration", "list")[1]
    assert bancheng(installed, "integration", "revoke", "hotline")[0] == 1
