"""A reply and its files in one form: the files are added first, and no refusal loses what was typed."""

from typing import Any

from tests.support.case_pages import (
    CONTACT,
    LEAD,
    ODD,
    PDF,
    Case,
    dispatched,
    part,
    texts,
    types,
)
from tests.support.house import House
from tests.support.visiting import visit

FIRST, SECOND = PDF, PDF + b"\n"


def files(**named: bytes) -> Any:
    return [("files", (f"{name}.pdf", content)) for name, content in named.items()]


async def attached(house: House, case: Case) -> list[str]:
    answer = await house.get(f"cases/{case['id']}/attachments", by=CONTACT)
    return [each["name"] for each in answer.json()["items"]]


async def test_reply_and_files_go_in_one_form(house: House) -> None:
    case = await house.handled()
    async with visit(house, CONTACT) as person:
        form = {"text": ODD, "resolved": "yes", "key": "once"}
        for _ in range(2):  # a double click adds and replies once
            answer = await person.post(f"/cases/{case['number']}/reply", form, files(one=FIRST, two=SECOND))
            assert answer.status_code == 303, texts(answer.text)
    assert await attached(house, case) == ["one.pdf", "two.pdf"]
    assert (await types(house, case))[-3:] == ["attach", "attach", "reply"]
    async with visit(house, LEAD) as person:
        shown = (await person.get(f"/cases/{case['number']}")).text
    beside = shown[: shown.index('id="check_reply"')]
    assert "one.pdf" in beside
    assert "two.pdf" in beside


async def test_a_faulty_reply_keeps_the_text_and_says_which_files_are_there(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}/reply"
    async with visit(sqlite_house, CONTACT) as person:
        answer = await person.post(path, {"text": "写好的答复", "key": "k"}, files(one=FIRST))
        assert answer.status_code == 422
        assert "写好的答复" in part(answer.text, "reply")
        assert "已添加到办件的附件(不必再选)： one.pdf" in texts(answer.text).replace("  ", " ")
        assert await attached(sqlite_house, case) == ["one.pdf"]
        # Whoever chooses the file again all the same has it once.
        again = await person.post(
            path, {"text": "写好的答复", "resolved": "yes", "key": "k"}, files(one=FIRST)
        )
        assert again.status_code == 303
    assert await attached(sqlite_house, case) == ["one.pdf"]


async def test_a_file_that_is_refused_keeps_the_reply_from_being_sent(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, CONTACT) as person:
        sent = [*files(good=FIRST), ("files", ("tool.exe", b"MZ\x90\x00"))]
        form = {"text": "写好的答复", "resolved": "yes"}
        answer = await person.post(f"/cases/{case['number']}/reply", form, sent)
    assert answer.status_code == 422
    shown = part(answer.text, "reply")
    assert "写好的答复" in shown
    assert "tool.exe：只接受 PDF" in shown
    assert 'id="reply-files-fault"' in shown
    assert 'href="#reply-files"' in answer.text
    assert "good.pdf" in texts(answer.text)
    assert "reply" not in await types(sqlite_house, case)


async def test_a_reply_without_files_needs_none(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, CONTACT) as person:
        shown = part((await person.get(f"/cases/{case['number']}")).text, "reply")
        assert 'enctype="multipart/form-data"' in shown
        assert "multiple" in shown
        empty = [("files", ("", b""))]  # what a browser sends where nothing was chosen
        form = {"text": "已补办", "resolved": "yes"}
        answer = await person.post(f"/cases/{case['number']}/reply", form, empty)
    assert answer.status_code == 303, texts(answer.text)
    assert await attached(sqlite_house, case) == []


async def test_progress_takes_files_along_and_other_commands_none(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, CONTACT) as person:
        answer = await person.post(f"/cases/{case['number']}/progress", {"text": "已调档"}, files(scan=FIRST))
        assert answer.status_code == 303, texts(answer.text)
        ignored = await person.post(
            f"/cases/{case['number']}/mark_unable", {"reason": "没有权限"}, files(x=SECOND)
        )
        assert ignored.status_code == 303
    assert await attached(sqlite_house, case) == ["scan.pdf"]


async def test_where_no_reply_is_possible_no_file_is_added(sqlite_house: House) -> None:
    case = await dispatched(sqlite_house)
    async with visit(sqlite_house, CONTACT) as person:
        form = {"text": "太早的答复", "resolved": "yes"}
        answer = await person.post(f"/cases/{case['number']}/reply", form, files(one=FIRST))
        assert answer.status_code == 409
        assert "太早的答复" in answer.text
        stranger = f"/cases/{case['number']}/reply"
    assert await attached(sqlite_house, case) == []
    async with visit(sqlite_house, "guilin.social.contact") as person:
        assert (await person.post(stranger, form, files(one=FIRST))).status_code == 404
    async with visit(sqlite_house, LEAD) as person:
        assert (await person.post(stranger, form, files(one=FIRST))).status_code == 403
    assert await attached(sqlite_house, case) == []


async def test_the_eleventh_file_is_told_and_the_reply_is_kept(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    many = {f"n{number}": PDF + b"\n" * number for number in range(11)}
    async with visit(sqlite_house, CONTACT) as person:
        form = {"text": "十一个文件", "resolved": "yes"}
        answer = await person.post(f"/cases/{case['number']}/reply", form, files(**many))
    assert answer.status_code == 422
    assert "每个办件最多 10 个附件" in part(answer.text, "reply")
    assert len(await attached(sqlite_house, case)) == 10
