"""The pages of a 通报, as a browser without scripts gives and gets them."""

from typing import Any

import pytest

from tests.support.bulletins import drafts
from tests.support.office import Office
from tests.support.visiting import visiting

SUPERVISOR, LEADER = "guilin.supervisor", "guilin.market.leader"


def visit(office: Office, username: str) -> Any:
    """A browser of somebody in this office."""
    app = office.http._transport.app  # type: ignore[attr-defined]
    return visiting(app, office.services, username)


async def test_a_leader_states_and_a_supervisor_issues(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    path = f"/bulletins/{bulletin}"
    async with visit(office, LEADER) as leader:
        assert f'href="{path}"' in (await leader.get("/bulletins")).text
        assert f'href="{path}"' in (await leader.get("/inbox")).text
        page = (await leader.get(path)).text
        assert "提交说明" in page and "予以通报" not in page and "审定意见" not in page
        empty = await leader.post(f"{path}/statement", {"text": " "})
        assert empty.status_code == 422 and "还没有提交" in empty.text
        said = await leader.post(f"{path}/statement", {"text": "<b>系统</b>\r\n故障"})
        assert (said.status_code, said.headers["location"]) == (303, f"{path}?done=statement")
        page = (await leader.get(said.headers["location"])).text
        assert "单位说明已提交" in page and "&lt;b&gt;系统&lt;/b&gt;\n故障" in page
        assert (await leader.post(f"{path}/approve", {})).status_code == 403
    async with visit(office, SUPERVISOR) as supervisor:
        overview = (await supervisor.get("/supervision")).text
        assert f'href="{path}"' in overview
        page = (await supervisor.get(path)).text
        assert "予以通报，编号发出" in page and "提交说明" not in page
        issued = await supervisor.post(f"{path}/approve", {"text": ""})
        assert issued.headers["location"] == f"{path}?done=approve"
        page = (await supervisor.get(issued.headers["location"])).text
        assert "1号" in page and "下载公文 PDF" in page and "予以通报，编号发出" not in page
        pdf = await supervisor.get(f"{path}/file.pdf")
        assert pdf.content.startswith(b"%PDF") and pdf.headers["content-type"] == "application/pdf"
        assert "1号" in (await supervisor.get("/bulletins?status=issued")).text
    async with visit(office, "guilin.market.contact") as contact:
        assert "1号" in (await contact.get("/bulletins")).text
        assert f'href="{path}"' in (await contact.get("/inbox")).text


async def test_who_decides_too_late_is_told_and_keeps_what_was_typed(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    path = f"/bulletins/{bulletin}"
    answer = await office.call("POST", f"bulletins/{bulletin}/approve", SUPERVISOR, json={})
    assert answer.status_code == 200
    async with visit(office, SUPERVISOR) as supervisor:
        late = await supervisor.post(f"{path}/reject", {"text": "情有可原"})
        assert late.status_code == 409
        assert "已有决定" in late.text and "情有可原" in late.text


async def test_a_rejection_needs_its_reason(office: Office) -> None:
    (bulletin,) = await drafts(office.services, 1)
    path = f"/bulletins/{bulletin}"
    async with visit(office, SUPERVISOR) as supervisor:
        assert (await supervisor.post(f"{path}/reject", {"text": ""})).status_code == 422
        done = await supervisor.post(f"{path}/reject", {"text": "确因停电"})
        assert done.status_code == 303
        page = (await supervisor.get(path)).text
        assert "审定：不予通报" in page and "确因停电" in page
        assert (await supervisor.get(f"{path}/file.pdf")).status_code == 404
    async with visit(office, LEADER) as leader:
        assert "确因停电" in (await leader.get(path)).text


async def test_the_superior_decides_what_is_serious_and_sees_nothing_else(office: Office) -> None:
    found = await drafts(office.services, 3)
    async with visit(office, SUPERVISOR) as supervisor:
        for bulletin in found:
            page = (await supervisor.get(f"/bulletins/{bulletin}")).text
            assert ("将按规定移送问责" in page) is (bulletin == found[-1])
            await supervisor.post(f"/bulletins/{bulletin}/approve", {"text": ""})
    async with visit(office, "superior") as superior:
        listed = (await superior.get("/bulletins")).text
        assert f"/bulletins/{found[2]}" in listed and f"/bulletins/{found[0]}" not in listed
        assert (await superior.get(f"/bulletins/{found[0]}")).status_code == 404
        path = f"/bulletins/{found[2]}"
        assert "同意移送" in (await superior.get(path)).text
        assert (await superior.post(f"{path}/referral", {"text": "同意"})).status_code == 422
        assert (await superior.post(f"{path}/referral", {"accept": "no", "text": ""})).status_code == 422
        done = await superior.post(f"{path}/referral", {"accept": "yes", "text": "同意"})
        assert done.status_code == 303
        assert "上级同意问责移送" in (await superior.get(path)).text


@pytest.mark.parametrize(
    ("username", "status"),
    [
        ("guilin.clerk", 403),
        ("admin", 403),
        ("guilin.social.leader", 404),
        ("guilin.lead", 404),
        ("guilin.market.contact", 404),
        ("chengzhong.supervisor", 404),
        ("lingui.supervisor", 404),
        ("superior", 404),
    ],
)
async def test_a_draft_is_not_there_for_others(sqlite_office: Office, username: str, status: int) -> None:
    (bulletin,) = await drafts(sqlite_office.services, 1)
    async with visit(sqlite_office, username) as browser:
        assert (await browser.get(f"/bulletins/{bulletin}")).status_code == status
        listed = await browser.get("/bulletins?status=draft")
        assert f"/bulletins/{bulletin}" not in listed.text
        for act in ("statement", "approve", "reject", "referral"):
            refused = await browser.post(f"/bulletins/{bulletin}/{act}", {"text": "x", "accept": "yes"})
            assert refused.status_code == status
