"""The inbox on its page: unread, read, and nobody else's."""

import re

import pytest
from sqlmodel import select

from models.inbox import Notification
from tests.support.house import House
from tests.support.visiting import shown, visit

CLERK = "guilin.clerk"


async def test_the_inbox_marks_one_and_all_as_read(house: House) -> None:
    first, _ = await house.file(), await house.file()
    async with visit(house, CLERK) as browser:
        page = (await browser.get("/inbox")).text
        assert "2 条未读" in page and f'href="/cases/{first["number"]}"' in page
        assert page.index(first["number"]) > page.index("0002"), "newest first"
        (newest,) = re.findall(r'name="up_to" value="(\d+)"', page)
        ids = re.findall(r'name="id" value="(\d+)"', page)
        assert newest == ids[0] and len(ids) == 2
        assert (await browser.post("/inbox/read", {"id": ids[1]})).headers["location"] == "/inbox"
        assert "1 条未读" in (await browser.get("/inbox")).text
        await house.file()
        await browser.post("/inbox/read-all", {"up_to": newest})
        left = (await browser.get("/inbox")).text
        # What came in after the page was shown is still new.
        assert "1 条未读" in left and re.findall(r'name="id" value="(\d+)"', left) > [newest]


async def test_nobody_marks_or_reads_the_messages_of_others(house: House) -> None:
    case = await house.file()
    async with house.services.database.read() as session:
        notes = (await session.exec(select(Notification))).all()
    theirs = max(note.id or 0 for note in notes)
    async with visit(house, "chengzhong.clerk") as stranger:
        await stranger.post("/inbox/read", {"id": str(theirs)})
        await stranger.post("/inbox/read-all", {"up_to": str(theirs)})
        assert case["number"] not in (await stranger.get("/inbox")).text
    async with house.services.database.read() as session:
        assert not any(note.read for note in (await session.exec(select(Notification))).all())


async def test_the_inbox_has_pages(sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.inbox.PER_PAGE", 2)
    for _ in range(3):
        await sqlite_house.file()
    first, second = [await shown(sqlite_house, CLERK, f"/inbox?page={n}") for n in (1, 2)]
    assert "较早的" in first and "较新的" not in first
    assert "较早的" not in second and "较新的" in second and "0001" in second
