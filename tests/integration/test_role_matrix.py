"""Every role, and nobody, at every route; and cases of others, which must look as if they did not exist.

The routes come from the application, who may call them from `tests.support.permitted`: one line a route.
Where a route takes something in its path, `_FILLED` gives a real one, so that a refusal is one of the role
and not of the thing; a name that is not in it gets "1", and the route then belongs in `MISSING` there.
Posts carry nothing that would pass, so that the order of refusals (401, 404, 403, 422, 409) shows who
may: 422 or 409 is for those only. What ends a session is called last, each time with a new one.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
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
from tests.support.permitted import ALLOWED, API, COMMANDS, MISSING, PAGES
from tests.support.routing import answered, every_route
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
REST = ("GET /openapi.json", "HEAD /openapi.json", "MOUNT /static")
# Where the number or id of a case stands in an address.
OF_A_CASE = re.compile(
    r"(GET|POST) (/api/cases/{id}|/cases/{number}|/counter/triage/{ref}|/counter/receipt/{id}"
    r"|/bottlenecks/{number}|/typical/write/{number})"
)
LISTS = ("/cases", "/department", "/lead", "/supervision", "/counter/queue", "/inbox", "/lessons")
LISTS += ("/bottlenecks", "/typical", "/bulletins", "/reports")
EXPORTS = (
    "/cases/export.xlsx?status=all",
    "/cases/ledger.xlsx?status=all",
    "/department/export.xlsx?queue=all",
)
EXPORTS += ("/lead/export.xlsx", "/supervision/export.xlsx")
INVENTED = "guilin-20260101-9999"
FEW = frozenset({"sign", "reply", "withdraw", "remind", "triage", "transfer", "order"})
"""Commands that stand for all: a case is looked for before any of them is looked at."""
NONSENSE = {"no_such_field": "x"}
LESSON = "先核对户籍信息再受理"
PDF = b"%PDF-1.7\n" + b"content" * 100


def test_every_route_has_its_line_and_no_other() -> None:
    assert sorted(ALLOWED) == every_route(create_app(rehearsal=True))


def test_nothing_else_answers() -> None:
    """A route that came another way than through a module's router is none that the matrix knows."""
    assert answered(create_app(rehearsal=True)) == {*ALLOWED, *REST}


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
    """Another unit's and another hall's: at every address, in lists, searches, exports and lessons."""
    house = sqlite_house
    case = await house.closed()
    case = await house.act(case, "archive", "guilin.lead", lesson=LESSON)
    attachment = await _attached(house, open_one := await house.handled())
    for username in STRANGERS:
        await _sees_nothing(house, open_one, attachment, username)
        await _meets_nothing(house, (case, open_one), username)
    # The same questions by one of the unit find it all.
    insider = "guilin.market.contact"
    assert (await _listed(house, open_one, insider)) == [1, 1]
    async with visiting(house.app, house.services, insider) as visitor:
        for path in EXPORTS[:3]:
            assert open_one["number"] in _words(await visitor.get(path)), path
        assert LESSON in (await visitor.get("/lessons")).text
    for path in ("", "/ledger", "/events", "/attachments", f"/attachments/{attachment}"):
        assert (await house.get(f"cases/{open_one['number']}{path}", by=insider)).status_code == 200, path


async def _listed(house: House, case: Mapping[str, Any], username: str) -> list[int]:
    found = [await house.get("cases", by=username, **query) for query in ({}, {"q": case["number"]})]
    return [sum(item["id"] == case["id"] for item in each.json().get("items", ())) for each in found]


def _of_a_case(house: House) -> list[str]:
    """Every route to a case; of the commands, a few."""
    found = [route for route in every_route(house.app) if OF_A_CASE.match(route)]
    return [route for route in found if (name := route.rpartition("/")[2]) not in COMMANDS or name in FEW]


async def _sees_nothing(house: House, case: Mapping[str, Any], attachment: str, username: str) -> None:
    """Each address of a case answers as the same with an invented number does."""
    routes = _of_a_case(house)
    assert len(routes) > 40
    async with visiting(house.app, house.services, username) as visitor:
        token = await _csrf(visitor)
        for route in routes:
            answers = []
            for ref in (INVENTED, case["number"], case["id"]):
                filled = {name: ref for name in ("id", "number", "ref")} | {"attachment": attachment}
                if route in API:
                    method, path = route.split()[0], _path(route, filled)
                    body = {} if method == "GET" else {"json": NONSENSE}
                    answer = await house.request(method, path, by=username, **body)
                else:
                    answer = await _ask(visitor, route, filled, token)
                assert case["problem"] not in answer.text, (username, route)
                answers.append(answer.status_code)
            assert set(answers) in ({403}, {404}), (username, route, answers)


async def _meets_nothing(house: House, cases: Sequence[Mapping[str, Any]], username: str) -> None:
    """No list, export, search or page of lessons names one of the cases."""
    words = [LESSON, *(case["number"] for case in cases)]
    for case in cases:
        assert await _listed(house, case, username) == [0, 0], username
    async with visiting(house.app, house.services, username) as visitor:
        for path in (*LISTS, *EXPORTS):
            said = _words(await visitor.get(path))
            assert [word for word in words if word in said] == [], (username, path)
        token = await _csrf(visitor)
        for path in ("/cases/search", "/lessons/search"):
            for word in words:
                form = {"q": word, "status": "all"}
                found = await visitor.http.post(
                    path, data=form, headers={HEADER: token}, follow_redirects=True
                )
                assert cases[0]["problem"] not in found.text, (username, path)
                assert f'href="/cases/{word}"' not in found.text, (username, path)


def _words(answer: httpx.Response) -> str:
    """What a page says, or a workbook."""
    assert answer.status_code in (200, 403, 404), answer.status_code
    if not answer.content.startswith(b"PK"):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist())
