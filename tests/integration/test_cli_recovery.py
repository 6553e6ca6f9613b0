"""Keys, backup, restore and move as an operator runs them: what they say, and their exit codes."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import House, bancheng

WEBHOOK_SECRET = "generated-for-a-webhook"
ERASED = "01a21a04-2816-7ba4-afbc-ac82cbf08910 2026-11-26T09:00:00+00:00\n"
PHRASE = "一句很长的口令，不写下来\n"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `serve` had its keys rotated and was backed up while it ran, and then stopped."""
    folder = tmp_path_factory.mktemp("kept")
    house = House(folder).start()
    try:
        case = house.file()
        code, said = bancheng(folder, "keys", "rotate")
        assert code == 0 and "办件密钥:已换 1" in said and "k1:已退役" in said, said
        with house.as_user("guilin.clerk") as clerk:
            found = clerk.get("/api/cases", params={"q": "13800138000"}).json()
            assert [item["id"] for item in found["items"]] == [case["id"]]
            assert clerk.post(f"/api/cases/{case['id']}/withdraw", json={"reason": "不办了"}).is_success
        (house.data / "webhook_secret").write_text(f"{WEBHOOK_SECRET}\n")
        (house.data / "erased.txt").write_text(ERASED)
        assert bancheng(folder, "backup", "keyless", "--keys", "nowhere/k")[0] == 1
        assert not (house.data / "last_backup").exists()
        code, said = bancheng(folder, "backup", "b", "--keys", "k", "--passphrase-stdin", typed=PHRASE)
        assert code == 0 and "密钥已写到 k" in said, said
        assert (house.data / "last_backup").exists(), "its age is watched from now on"
        code, said = bancheng(folder, "move", "--to-data-dir", "elsewhere")
        assert code == 1 and "bancheng serve already runs" in said, said
        assert bancheng(folder, "restore", "b")[0] == 1
    finally:
        house.stop()
    assert (house.data / "payload_keys").read_text().startswith("k2:")
    return folder


@pytest.fixture
def at(kept: Path, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run a command in an empty folder beside the backup and its keys."""
    for name in ("b", "k"):
        shutil.copy(kept / name, tmp_path)

    def run(*arguments: str | Path, **more: Any) -> tuple[int, str]:
        return bancheng(tmp_path, *arguments, **more)

    return run


def test_a_backup_is_restored_with_its_keys_and_verified(
    at: Callable[..., tuple[int, str]], postgres_url: str, tmp_path: Path
) -> None:
    code, said = at("restore", "b", "--keys", "k")
    assert (code, "passphrase" in said) == (1, True)
    code, said = at("restore", "b")
    assert (code, "没有密钥" in said) == (1, True)
    code, said = at(
        "restore", "b", "--keys", "k", "--passphrase-stdin", typed=PHRASE, database_url=postgres_url
    )
    assert code == 0 and "核验 1 件、2 条记录" in said and "全部完好" in said, said
    assert (tmp_path / "data" / "webhook_secret").read_text().strip() == WEBHOOK_SECRET
    code, said = at("restore", "b", database_url=postgres_url)
    assert (code, "只能恢复到空系统" in said) == (1, True)


def test_nothing_is_restored_beside_a_process_of_the_same_database(
    at: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """It may run with another DATA_DIR, on another machine: only the database knows of it."""
    code, said = at("migrate", data_dir=tmp_path / "other")
    assert code == 0, said
    database = tmp_path / "other" / "bancheng.db"
    holder = ("1", "worker elsewhere:7", "k1", "k1", datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO key_holders (id, process, sealing, opening, seen_at) VALUES (?, ?, ?, ?, ?)", holder
        )
    given: dict[str, Any] = {"typed": PHRASE, "database_url": f"sqlite:///{database}"}
    code, said = at("restore", "b", "--keys", "k", "--passphrase-stdin", **given)
    assert (code, "仍有进程在运行：worker elsewhere:7" in said) == (1, True), said
    with closing(sqlite3.connect(database)) as connection, connection:
        assert not connection.execute("SELECT 1 FROM users").fetchall()
        connection.execute("DELETE FROM key_holders")
    code, said = at("restore", "b", "--keys", "k", "--passphrase-stdin", **given)
    assert code == 0 and "全部完好" in said, said


def test_a_backup_that_is_cut_short_is_named(at: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    content = (tmp_path / "b").read_bytes()
    (tmp_path / "b").write_bytes(content[: len(content) // 2])
    code, said = at("restore", "b", "--keys", "k", "--passphrase-stdin", typed=PHRASE)
    assert code == 1 and "文件不完整" in said and "未做任何改动" in said
    assert not (tmp_path / "data" / "bancheng.db").exists()


@pytest.mark.drill
def test_a_house_moves_to_production_and_back(kept: Path, tmp_path: Path, postgres_url: str) -> None:
    shutil.copytree(kept / "data", tmp_path / "data")
    there, back = tmp_path / "there", tmp_path / "back"
    there.mkdir()
    (there / "erased.txt").write_text(ERASED)  # of a move that was broken off
    code, said = bancheng(tmp_path, "move", "--to-data-dir", there, "--to-database", postgres_url)
    assert code == 0 and "全部完好" in said, said
    code, said = bancheng(tmp_path, "move", "--to-data-dir", back, data_dir=there, database_url=postgres_url)
    assert code == 0 and "全部完好" in said, said
    assert (back / "bancheng.db").exists()
    for name in ("payload_keys", "signing_key", "webhook_secret", "erased.txt"):
        assert (back / name).read_text() == (tmp_path / "data" / name).read_text()
        assert (back / name).stat().st_mode & 0o777 == 0o600
    code, said = bancheng(tmp_path, "case", "show", "nowhere", data_dir=back)
    assert (code, said) == (1, "没有这个办件。\n")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["keys", "new", "a:b"], "letters"),
        (["keys", "forget"], "key_id"),
        (["backup", "x", "--passphrase-stdin"], "--keys"),
        (["backup", "x", "--keys", "y", "--passphrase-stdin"], "12 characters"),
        (["move", "--to-data-dir", "data"], "another place"),
        (["move", "--to-data-dir", "x", "--to-database", "mysql://x/y"], "SQLite or PostgreSQL"),
    ],
)
def test_misuse_ends_with_2(command: list[str], words: str, tmp_path: Path) -> None:
    code, said = bancheng(tmp_path, *command, typed="short\n")
    assert (code, words in said) == (2, True), said
    assert not (tmp_path / "data" / "bancheng.db").exists()
