"""Who sees which case: by hall, unit and role, on every way there is."""

from typing import Any

from tests.support.house import House, triage

PDF = {"file": ("证明.pdf", b"%PDF-1.7 test", "application/pdf")}


async def three_cases(house: House) -> dict[str, dict[str, Any]]:
    """One case at `market` of guilin, one untriaged of lingui below it, one of chengzhong's `market`."""
    guilin = await house.handled()
    lingui = await house.file(by="lingui.clerk", hall="lingui")
    chengzhong = await house.file(by="chengzhong.clerk", hall="chengzhong")
    await house.act(chengzhong, "triage", "chengzhong.clerk", **triage())
    return {"guilin": guilin, "lingui": lingui, "chengzhong": chengzhong}


SEES = {
    "guilin.clerk": {"guilin"},
    "guilin.clerk2": {"guilin"},
    "guilin.lead": {"guilin"},
    "guilin.centre": {"guilin"},
    "guilin.supervisor": {"guilin", "lingui"},
    "guilin.market.contact": {"guilin"},
    "guilin.market.alternate": {"guilin"},
    "guilin.market.leader": {"guilin"},
    "guilin.housing.contact": set(),
    "lingui.clerk": {"lingui"},
    "lingui.supervisor": {"lingui"},
    "chengzhong.supervisor": {"chengzhong"},
    "chengzhong.market.contact": {"chengzhong"},
    "superior": set(),
    "auditor": {"guilin", "lingui", "chengzhong"},
}


async def test_every_way_to_a_case_is_within_scope(house: House) -> None:
    cases = await three_cases(house)
    first = cases["guilin"]
    path = f"/api/cases/{first['id']}/attachments"
    added = await house.request("POST", path, by="guilin.clerk", files=PDF)
    ways = ["", "/ledger", "/events", "/attachments", f"/attachments/{added.json()['id']}"]
    for by, visible in SEES.items():
        listed = (await house.get("cases", by=by)).json()
        assert {item["hall"] for item in listed["items"]} == visible, by
        assert listed["total"] == len(visible)
        for hall, case in cases.items():
            for ref in (case["id"], case["number"]):
                status = (await house.get(f"cases/{ref}", by=by)).status_code
                assert status == (200 if hall in visible else 404), (by, hall)
        for way in ways:
            status = (await house.get(f"cases/{first['id']}{way}", by=by)).status_code
            assert status == (200 if "guilin" in visible else 404), (by, way)


async def test_out_of_sight_every_command_is_404(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    for by in ("chengzhong.lead", "guilin.housing.contact", "superior"):
        for name in ("remind", "sign", "progress", "order", "referral_reply", "unmask", "query-code"):
            answer = await sqlite_house.post(f"cases/{case['id']}/{name}", {"text": "t"}, by=by)
            assert answer.status_code == 404, (by, name)
        answer = await sqlite_house.request("POST", f"/api/cases/{case['id']}/attachments", by=by, files=PDF)
        assert answer.status_code == 404


async def test_the_admin_sees_no_case(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    assert (await sqlite_house.get("cases", by="admin")).status_code == 403
    for path in ("", "/events", "/ledger", "/holding", "/attachments"):
        assert (await sqlite_house.get(f"cases/{case['id']}{path}", by="admin")).status_code == 404
    for name in ("withdraw", "unmask", "query-code"):
        answer = await sqlite_house.post(f"cases/{case['id']}/{name}", {"reason": "r"}, by="admin")
        assert answer.status_code == 404


HOLDING: list[tuple[str, int]] = [
    ("guilin.clerk", 403),
    ("guilin.market.contact", 403),
    ("guilin.market.leader", 403),
    ("guilin.lead", 200),
    ("guilin.centre", 200),
    ("guilin.supervisor", 200),
    ("auditor", 200),
    ("chengzhong.lead", 404),
]


async def test_holding_is_for_those_who_oversee(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    for by, status in HOLDING:
        answer = await sqlite_house.get(f"cases/{case['id']}/holding", by=by)
        assert answer.status_code == status, by


IN_CLEAR: list[tuple[str, int]] = [
    ("guilin.clerk", 200),
    ("guilin.lead", 200),
    ("guilin.market.contact", 200),
    ("guilin.market.leader", 200),
    ("guilin.supervisor", 200),
    ("auditor", 200),
    ("guilin.centre", 403),
    ("guilin.civil.leader", 403),
    ("guilin.housing.leader", 404),
]


async def test_who_sees_the_petitioner_in_clear(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    meeting = {"co_units": ["civil"], "at": "2030-03-11T09:00:00+08:00", "place": "二楼"}
    await sqlite_house.act(case, "convene", "guilin.lead", **meeting)
    for by, status in IN_CLEAR:
        answer = await sqlite_house.post(f"cases/{case['id']}/unmask", {"reason": "核对身份"}, by=by)
        assert answer.status_code == status, by


async def test_an_unmasking_needs_a_reason_and_is_logged(house: House) -> None:
    person = {
        "kind": "person",
        "name": "周小明",
        "phone": "13800130001",
        "id_number": "11010519491231002x",
    }
    case = await house.file(petitioner=person)
    assert "11010519491231002" not in str(case)
    for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": "a\x00"}, {"reason": "r", "x": 1}):
        answer = await house.post(f"cases/{case['id']}/unmask", body)
        assert answer.status_code == 422
    answer = await house.post(f"cases/{case['id']}/unmask", {"reason": "回访核对"})
    clear = {**person, "id_number": "11010519491231002X", "uscc": None}
    assert answer.json() == {"petitioner": clear}
    log = (await house.get("access-log", by="auditor")).json()["items"]
    entry = next(item for item in log if item["action"] == "unmask")
    assert (entry["username"], entry["case_id"], entry["reason"]) == ("guilin.clerk", case["id"], "回访核对")
    assert sum(item["action"] == "unmask" for item in log) == 1


async def test_a_new_query_code_ends_the_old_one(house: House) -> None:
    case = await house.file()
    refused = await house.post(f"cases/{case['id']}/query-code", by="guilin.centre")
    assert refused.status_code == 403
    code = (await house.post(f"cases/{case['id']}/query-code")).json()["query_code"]
    old = {"query_code": case["query_code"], "phone_tail": "0001"}
    assert (await house.post("public/track", old, by=None)).status_code == 404
    new = old | {"query_code": code}
    assert (await house.post("public/track", new, by=None)).status_code == 200
    assert (
        await house.post("public/track", new | {"query_code": code.lower().replace("-", " ")}, by=None)
    ).is_success


async def test_petitioners_are_masked_and_sealed_everywhere(sqlite_house: House) -> None:
    case = await sqlite_house.closed()
    answers = [
        await sqlite_house.get(f"cases/{case['id']}", by="auditor"),
        await sqlite_house.get("cases", by="auditor"),
        await sqlite_house.get(f"cases/{case['id']}/events", by="auditor"),
        await sqlite_house.get("notifications", by="guilin.lead"),
    ]
    for answer in answers:
        assert "13800130001" not in answer.text and "周小明" not in answer.text
