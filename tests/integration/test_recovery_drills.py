"""Drills: keys rotated under load, and a house that lost everything coming back from its backup."""

import asyncio
import random
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from models.access import AccessToken
from models.codes import hash_token
from models.crypto import Keyring, generate_key
from models.database import Database
from models.directory import User
from models.outside import DeliveryChoice
from models.terms import CalendarYear
from tests.integration.test_attachments import PDF
from tests.support.house import PHONE, token_of
from tests.support.onlooker import Onlooker, at_work, work_every_day
from tests.support.plant import KEYS, Plant
from tests.support.running import BANCHENG, environment

pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]

CONTACT, CLERK, LEAD = "guilin.market.contact", "guilin.clerk", "guilin.lead"
CASES = 8
ADDRESS = "clerk@hall.example"


@asynccontextmanager
async def under_load(seen: Onlooker, cases: list[str]) -> AsyncIterator[dict[str, int]]:
    """Lines of the progress ledger written all the while; yields how many of each case are on disk."""
    written = dict.fromkeys(cases, 0)
    over = asyncio.Event()

    async def write(case_id: str) -> None:
        while not over.is_set():
            number = written[case_id]
            answer = await seen.insist(
                f"cases/{case_id}/progress", {"text": f"第 {number} 行"},
                by=CONTACT, key=f"{case_id}-{number}", within=300,
            )  # fmt: skip
            assert answer.status_code == 200, answer.text
            written[case_id] += 1
            await asyncio.sleep(random.SystemRandom().uniform(0.1, 0.5))

    working = [asyncio.create_task(write(case_id)) for case_id in cases]
    try:
        yield written
    finally:
        over.set()
        await asyncio.gather(*working)


async def command(
    folder: Path, *arguments: str | Path, data: Path | None = None, **settings: str
) -> tuple[int, str]:
    """Run `bancheng …` beside the plant."""
    env = environment(folder, **settings)
    if data:
        env["BANCHENG_DATA_DIR"] = str(data)
    whole = {"env": env, "cwd": folder, "capture_output": True, "encoding": "utf-8", "check": False}
    done = await asyncio.to_thread(lambda: subprocess.run([BANCHENG, *arguments], **whole))
    return done.returncode, done.stdout + done.stderr


async def restarted(seen: Onlooker, keys: str) -> None:
    """Restart every process in turn with other keys, as an operator does."""
    seen.plant.set(payload_keys=keys)
    for part in (seen.plant.api, seen.plant.worker):
        await asyncio.to_thread(lambda part=part: part.end(signal.SIGTERM))  # type: ignore[misc]
        part.start(lambda: True)
        await seen.up()


async def save_address(seen: Onlooker) -> None:
    """A clerk says where messages may be sent to."""
    sealed = seen.keyring.seal_text(f'{{"email": "{ADDRESS}"}}', f"addresses:{CLERK}")
    chosen = {"means": [], "digest": "none", "addresses": sealed, "updated_at": datetime.now(UTC)}
    async with seen.database.begin() as session:
        session.add(DeliveryChoice(username=CLERK, own=True, **chosen))


async def opens(seen: Onlooker, case_id: str, lines: int) -> None:
    """A case opens: its texts in clear, its petitioner masked, its chain and its replay verified."""
    headers = {"Authorization": f"Bearer {token_of('guilin.supervisor')}"}
    got = (await seen.http.get(f"/api/cases/{case_id}", headers=headers)).raise_for_status().json()
    assert got["petitioner"]["name"] == "周*" and got["problem"]
    events = (await seen.http.get(f"/api/cases/{case_id}/events", headers=headers)).raise_for_status().json()
    texts = [event["data"]["text"] for event in events["items"] if event["type"] == "progress"]
    assert texts == [f"第 {number} 行" for number in range(lines)] and events["verified"]
    verified = await seen.http.post(f"/api/cases/{case_id}/verify", headers=headers, timeout=120)
    report = verified.raise_for_status().json()
    assert report["ledger_ok"] and report["replay_ok"], report


async def test_keys_are_rotated_under_load(furnished_url: str, tmp_path: Path) -> None:
    await work_every_day(furnished_url)
    plant = Plant(tmp_path, furnished_url)
    old, new = KEYS, generate_key("k2")
    async with at_work(plant) as seen:
        closing = await seen.close_at(timedelta(minutes=30))
        cases = [await seen.due_case(closing) for _ in range(CASES)]
        closed = await seen.due_case(closing)
        await seen.act(closed, "reply", CONTACT, {"text": "已补办。", "resolved": True})
        await seen.act(closed, "check_reply", LEAD, {"accept": True})
        await seen.act(closed, "revisit", CLERK, {"reached": True, "rating": 5, "resolved": True})
        await seen.act(closed, "archive", LEAD)
        await save_address(seen)
        settings = {"database_url": plant.url, "temporal_address": plant.temporal.address}
        async with under_load(seen, cases) as written:
            await restarted(seen, f"{old},{new}")
            code, said = await command(tmp_path, "keys", "rotate", payload_keys=f"{new},{old}", **settings)
            assert code == 1 and "仍用 k1 加密" in said, said
            await restarted(seen, f"{new},{old}")
            code, said = await command(tmp_path, "keys", "rotate", payload_keys=f"{new},{old}", **settings)
            assert code == 0 and "可从 PAYLOAD_KEYS 删去 k1" in said, said
            code, said = await command(tmp_path, "keys", "list", payload_keys=f"{new},{old}", **settings)
            assert code == 0 and "发送地址 1" in said, said
            await restarted(seen, new)
            await asyncio.sleep(3)
        for case_id, lines in written.items():
            assert lines
            await opens(seen, case_id, lines)
        await opens(seen, closed, 0)
        async with seen.database.read() as session:
            choice = await session.get_one(DeliveryChoice, CLERK)
        assert ADDRESS in Keyring.parse(new).open_text(str(choice.addresses), f"addresses:{CLERK}")
        headers = {"Authorization": f"Bearer {token_of(CLERK)}"}
        found = (await seen.http.get("/api/cases", params={"q": PHONE}, headers=headers)).json()
        assert found["total"] == CASES + 1
        code, said = await command(tmp_path, "ledger", "verify", payload_keys=new, **settings)
        assert code == 0, said
        code, said = await command(tmp_path, "keys", "forget", "k1", payload_keys=new, **settings)
        assert code == 1 and "运行中的流程" in said, said


async def test_a_house_that_lost_everything_comes_back(
    furnished_url: str, postgres_url: str, tmp_path: Path
) -> None:
    """From either database into PostgreSQL; alarms due before, meanwhile and after fire once each."""
    await work_every_day(furnished_url)
    await published_long_ago(furnished_url)
    (before := tmp_path / "before").mkdir()
    plant = Plant(before, furnished_url)
    archive = tmp_path / "backup"
    async with at_work(plant) as seen:
        first = await seen.close_at(timedelta(seconds=40))
        past = [await seen.due_case(first) for _ in range(3)]
        meanwhile = [await seen.due_case(await seen.close_at(timedelta(seconds=70))) for _ in range(3)]
        later_at = await seen.close_at(timedelta(seconds=150))
        later = [await seen.due_case(later_at) for _ in range(3)]
        files = {"file": ("证明.pdf", PDF, "application/octet-stream")}
        headers = {"Authorization": f"Bearer {token_of(CONTACT)}"}
        answer = await seen.http.post(f"/api/cases/{later[0]}/attachments", files=files, headers=headers)
        assert answer.status_code == 201
        closed = await seen.due_case(later_at)
        await seen.act(closed, "reply", CONTACT, {"text": "已补办。", "resolved": True})
        await seen.act(closed, "check_reply", LEAD, {"accept": True})
        await seen.act(closed, "revisit", CLERK, {"reached": True, "rating": 5, "resolved": True})
        await seen.act(closed, "archive", LEAD)
        for case_id in past:
            await seen.happened(case_id, "overdue_1")
        async with under_load(seen, later) as written:
            await asyncio.sleep(2)
            least = dict(written)
            code, said = await command(
                before, "backup", archive, "--keys", tmp_path / "keys",
                database_url=plant.url, payload_keys=KEYS,
            )  # fmt: skip
            assert code == 0, said
    (after := tmp_path / "after").mkdir()  # nothing of the old one is used again, its engine neither
    code, said = await command(
        after, "restore", archive, "--keys", tmp_path / "keys", database_url=postgres_url, payload_keys=KEYS
    )
    assert code == 0 and "全部完好" in said, said
    await give_tokens(postgres_url)
    restored = Plant(after, postgres_url)
    async with at_work(restored) as seen:
        for case_id in (*past, *meanwhile):
            await seen.happened(case_id, "overdue_1")
        await asyncio.sleep(max(0.0, (later_at - datetime.now(UTC)).total_seconds()))
        for case_id in (*past, *meanwhile, *later):
            await seen.happened(case_id, "overdue_1")
            state = await seen.whole(case_id)
            types = await seen.types(case_id)
            assert types.count("overdue_1") == 1
            [mark] = [mark for mark in state.fired if mark.key.startswith("overdue_1/")]
            assert state.due_at is not None and mark.at >= state.due_at + timedelta(seconds=1)
            if case_id in later:
                assert types.count("progress") >= least[case_id]
                print(f"overdue_1 came {mark.at - state.due_at} after its due time")
        for case_id in (*past, *meanwhile, *later):
            await seen.act(case_id, "reply", CONTACT, {"text": "已补办。", "resolved": True})
            await seen.act(case_id, "check_reply", LEAD, {"accept": True})
            await seen.act(case_id, "revisit", CLERK, {"reached": True, "rating": 5, "resolved": True})
            await seen.act(case_id, "archive", LEAD)
        got = await seen.http.get(f"/api/cases/{later[0]}/attachments", headers=headers)
        [item] = got.raise_for_status().json()["items"]
        file = await seen.http.get(f"/api/cases/{later[0]}/attachments/{item['id']}", headers=headers)
        assert file.content == PDF
    code, said = await command(after, "ledger", "verify", database_url=postgres_url, payload_keys=KEYS)
    assert code == 0, said


async def published_long_ago(url: str) -> None:
    """The calendar was told to everybody: hours that a test changes meanwhile are no publication."""
    database = Database(url)
    async with database.begin() as session:
        for year in await session.exec(select(CalendarYear)):
            year.loaded_at -= timedelta(days=2)
            session.add(year)
    await database.close()


async def give_tokens(url: str) -> None:
    """Sign-ins are not in a backup: everybody gets a token again."""
    database = Database(url)
    now = datetime.now(UTC)
    async with database.begin() as session:
        for username in (await session.exec(select(User.username))).all():
            times: dict[str, Any] = {
                "created_at": now,
                "last_used_at": now,
                "expires_at": now + timedelta(days=1),
            }
            session.add(
                AccessToken(hash=hash_token(token_of(username)), username=username, kind="api", **times)
            )
    await database.close()
