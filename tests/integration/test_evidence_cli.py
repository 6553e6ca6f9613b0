"""`ledger` and `case verify` as an operator runs them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from assembly import build_services
from casework.services import Services
from models.case import Case
from settings import Settings
from tests.support.ledgers import Owner, write_story
from tests.support.running import PASSWORD, bancheng

AT = datetime(2026, 3, 9, 15, 50, tzinfo=UTC)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database, its demonstration halls, and a case in the ledger."""
    folder = tmp_path_factory.mktemp("installed")
    assert bancheng(folder, "demo", demo_password=PASSWORD)[0] == 0
    on(folder, write_story)
    return folder


def on(folder: Path, work: Callable[[Services], Awaitable[Any]]) -> Any:
    """Work on an installation in this process."""

    async def run() -> Any:
        services = build_services(Settings(data_dir=folder / "data"))
        try:
            return await work(services)
        finally:
            await services.database.close()

    return asyncio.run(run())


def test_the_ledger_is_verified_against_a_head_from_outside(installed: Path, tmp_path: Path) -> None:
    code, said = bancheng(installed, "ledger", "head")
    assert code == 0
    head = Path(said.strip())
    kept = tmp_path / head.name
    kept.write_bytes(head.read_bytes())
    code, said = bancheng(installed, "ledger", "verify", "--head", kept)
    assert (code, said) == (0, "核验 1 件、6 条记录、1 次封签。\n全部完好。\n")

    async def tamper(services: Services) -> str:
        async with services.database.read() as session:
            case = (await session.exec(select(Case))).one()
        owner = Owner(services)
        await owner.rewrite(case.id, 3, type="return_order")
        await owner.forge_heads(AT)
        return str(case.number)

    number = on(installed, tamper)
    assert bancheng(installed, "ledger", "verify")[0] == 0  # it agrees with itself
    code, said = bancheng(installed, "ledger", "verify", "--head", kept.parent)
    assert code == 1
    assert "与此前发布的不一致" in said and f"{number}:第 6 条记录与" in said


def test_what_is_no_head_is_misuse(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "no-head.json"
    file.write_text("{}")
    code, said = bancheng(installed, "ledger", "verify", "--head", file)
    assert (code, "不是台账封签" in said) == (2, True)
    assert bancheng(installed, "ledger", "verify", "--head", tmp_path / "nowhere.json")[0] == 1


def test_a_case_that_is_not_there_ends_with_1(installed: Path) -> None:
    assert bancheng(installed, "case", "verify", "guilin-20260101-0001") == (1, "没有这个办件。\n")
