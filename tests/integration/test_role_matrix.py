"""Every role, and nobody, at every route; and cases of others, which must look as if they did not exist.

The routes come from the application, who may call them from `tests.support.permitted`: one line a route.
Where a route takes something in its path, `_FILLED` gives a real one, so that a refusal is one of the role
and not of the thing; a name that is not in it gets "1", and the route then belongs in `MISSING` there.
Posts carry nothing that would pass, so that the order of refusals (401, 404, 403, 422, 409) shows who
may: 422 or 409 is for those only. What ends a session is called last, each time with a new one.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api import create_app
from casework.report_running import run_reports
from models.case import Bulletin
from models.typical import TypicalCase
from pages.csrf import HEADER
from rules.case.vocabulary import Role
from tests.support.house import House
from tests.support.permitted import ALLOWED, API, MISSING, PAGES
from tests.support.routing import every_route
from tests.support.visiting import Visitor, visiting

USERS: Mapping[Role, str | None] = {
    Role.CLERK: "guilin.clerk",
    Role.WINDOW_LEAD: "guilin.lead",
    Role.CONTACT: "guilin.market.contact",
    Role.DEPUTY_LEADER: "guilin.market.leader",
    Role.CENTRE: "guilin.centre",
    Role.SUPERVISOR: "guilin.supervisor",
    Role.SUPERIOR: "superior",
    Role.AUDITOR: "auditor",
    Role.ADMIN: "admin",
    Role.CITIZEN: None,
}
STRANGERS = (
    "guilin.social.contact",
    "guilin.social.leader",
    "chengzhong.clerk",
    "chengzhong.lead",
    "chengzhong.centre",
    "chengzhong.supervisor",
    "chengzhong.market.contact",
    "lingui.supervisor",
    "superior",
    "admin",
)
ENDING = ("DELETE /api/token", "POST /sign-out", "POST /account/sign-out-everywhere")
NONSENSE = {"no_such_field": "x"}
PDF = b"%PDF-1.7\n" + b"content" * 100


def test_every_route_has_its_line_and_no_other() -> None:
    assert sorted(ALLOWED) == every_route(create_app(rehearsal=True))


@pytest.fixture
async def case(sqlite_house: House) -> dict[str, Any]:
    """A case that everybody of the matrix sees: signed for by market and referred upward."""
    case = await sqlite_house.handled()
    due = (
        await sqlite_house.get("calendar/due", hall="guilin", start=case["received_at"], working_days=9)
    ).json()
    to = {"to": "自治区", "reason": "权限在上级", "due_on": due["due_at"][:10]}
    return await sqlite_house.act(case, "refer_up", "guilin.supervisor", **to)


async def _attached(house: House, case: Mapping[str, Any]) -> str:
    answer = await house.request(
        "POST",
        f"/api/cases/{case['id']}/attachments",
        by="guilin.market.contact",
        files={"file": ("a.pdf", PDF)},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _filled(house: House, case: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": case["id"],
        "number": case["number"],
        "ref": case["number"],
        "attachment": await _attached(house, case),
        "hall": "guilin",
        "code": "guilin",
        "unit": "market",
        "year": "2027",
        "username": "chengzhong.civil.alternate",
        "bulletin": await _bulletin(house, case),
        "item": await _typical(house, case),
        "report": await _reported(house),
    }


async def _bulletin(house: House, case: Mapping[str, Any]) -> str:
    """One that was issued and referred upward, so that everybody who ever sees one sees it."""
    row = Bulletin(
        case_id=case["id"],
        case_number=case["number"],
        seq=1,
        hall="guilin",
        unit="market",
        ground="two_refused_replies",
        status="issued",
        accountability="referred",
        created_at=datetime.fromisoformat(case["received_at"]),
    )
    return await _added(house, row)


async def _typical(house: House, case: Mapping[str, Any]) -> str:
    texts = dict.fromkeys(("title", "problem", "done", "lesson"), "某市民的一件事")
    row = TypicalCase(
        case_id=case["id"],
        case_number=case["number"],
        hall="guilin",
        status="published",
        written_by="guilin.lead",
        written_at=datetime.fromisoformat(case["received_at"]),
        published_at=datetime.fromisoformat(case["received_at"]),
        last_hash="0" * 64,
        **texts,
    )
    return await _added(house, row)


async def _added(house: House, row: Bulletin | TypicalCase) -> str:
    async with house.services.database.begin() as session:
        session.add(row)
        await session.flush()
        return str(row.id)


async def _reported(house: House) -> str:
    a_fortnight_ago = (await house.services.clock.now()).date() - timedelta(days=14)
    [run] = await run_reports(house.services, "hall_weekly", a_fortnight_ago, "guilin")
    return run.report.id


def _late(route: str) -> tuple[bool, str]:
    return route in ENDING, route


def _path(route: str, filled: Mapping[str, str]) -> str:
    path = route.split()[1]
    own = {**filled, "id": filled["report"]} if path.startswith("/api/reports") else filled
    return re.sub(r"{(\w+)}", lambda name: own.get(name[1], "1"), path)


def _wrong(route: str, role: Role, answer: httpx.Response) -> str | None:
    """What is wrong with an answer, None for nothing."""
    status = answer.status_code
    to_sign_in = status == 303 and answer.headers["location"].startswith("/sign-in")
    if role in ALLOWED[route]:
        own = route in ("POST /sign-out", "POST /account/sign-out-everywhere", "POST /sign-in")
        refused = status in (401, 403, 429) or to_sign_in
        missing = status == 404 and route not in MISSING
        fault = missing or status >= 500 or (refused and not own)
    elif role is Role.CITIZEN:
        fault = not (status == 401 if route in API else to_sign_in)
    else:
        fault = status not in (403, 404)
    return f"{route} as {role}: {status} {answer.headers.get('location', '')}" if fault else None


@pytest.mark.timeout(400)
async def test_the_api_lets_in_whom_the_specification_names(
    sqlite_house: House, case: dict[str, Any]
) -> None:
    house, filled = sqlite_house, await _filled(sqlite_house, case)
    wrong = []
    for route in sorted(set(every_route(house.app)) & set(API), key=_late):
        method = route.split()[0]
        for role, username in USERS.items():
            body = {} if method == "GET" else {"json": NONSENSE}
            answer = await house.request(method, _path(route, filled), by=username, **body)
            wrong.append(_wrong(route, role, answer))
    assert [each for each in wrong if each] == []


@pytest.mark.timeout(400)
async def test_the_pages_let_in_whom_the_specification_names(
    sqlite_house: House, case: dict[str, Any]
) -> None:
    house, filled = sqlite_house, await _filled(sqlite_house, case)
    routes = sorted(set(every_route(house.app)) & set(PAGES), key=_late)
    wrong = []
    for role, username in USERS.items():
        async with visiting(house.app, house.services, username) as visitor:
            token = await _csrf(visitor)
            for route in routes:
                if route in ENDING:
                    continue
                wrong.append(_wrong(route, role, await _ask(visitor, route, filled, token)))
        for route in ENDING[1:]:
            async with visiting(house.app, house.services, username) as visitor:
                answer = await _ask(visitor, route, filled, await _csrf(visitor))
                wrong.append(_wrong(route, role, answer))
    assert [each for each in wrong if each] == []


async def _csrf(visitor: Visitor) -> str:
    page = (await visitor.get("/help")).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    if found is None:
        found = re.search(r'name="csrf" value="([^"]+)"', (await visitor.get("/sign-in")).text)
    assert found is not None
    return found[1]


async def _ask(visitor: Visitor, route: str, filled: Mapping[str, str], token: str) -> httpx.Response:
    method, path = route.split()[0], _path(route, filled)
    if method == "GET":
        return await visitor.http.get(path)
    return await visitor.http.post(path, data=NONSENSE, headers={HEADER: token})


async def test_a_case_of_others_is_not_there(sqlite_house: House) -> None:
    """Another unit's and another hall's: in lists, search, attachments, events, holding, ledger, pages."""
    house = sqlite_house
    case = await house.handled()
    attachment = await _attached(house, case)
    for username in STRANGERS:
        await _sees_nothing(house, case, attachment, username)
    # The same questions by one of the unit find it all.
    assert (await _listed(house, case, "guilin.market.contact")) == [1, 1]


async def _listed(house: House, case: Mapping[str, Any], username: str) -> list[int]:
    found = [await house.get("cases", by=username, **query) for query in ({}, {"q": case["number"]})]
    return [sum(item["id"] == case["id"] for item in each.json().get("items", ())) for each in found]


async def _sees_nothing(house: House, case: Mapping[str, Any], attachment: str, username: str) -> None:
    assert await _listed(house, case, username) == [0, 0], username
    for what in ("", "/ledger", "/events", "/holding", "/attachments", f"/attachments/{attachment}"):
        for ref in (case["id"], case["number"]):
            answer = await house.get(f"cases/{ref}{what}", by=username)
            assert answer.status_code == 404 or (username == "admin" and answer.status_code == 403), (
                username,
                what,
                answer.status_code,
            )
    async with visiting(house.app, house.services, username) as visitor:
        for what in ("", "/ledger", f"/attachments/{attachment}"):
            answer = await visitor.get(f"/cases/{case['number']}{what}")
            assert answer.status_code in (403, 404), (username, what)
            assert case["problem"] not in answer.text
        token = await _csrf(visitor)
        for name in ("sign", "reply", "withdraw", "remind", "unmask", "query-code", "attachments"):
            answer = await visitor.http.post(
                f"/cases/{case['number']}/{name}", data=NONSENSE, headers={HEADER: token}
            )
            assert answer.status_code in (403, 404), (username, name)
        for page in ("/cases", "/department", "/lead", "/supervision", "/counter/queue", "/inbox"):
            assert case["number"] not in (await visitor.get(page)).text, (username, page)
        found = await visitor.http.post(
            "/cases/search", data={"q": case["number"]}, headers={HEADER: token}, follow_redirects=True
        )
        assert case["problem"] not in found.text, username
