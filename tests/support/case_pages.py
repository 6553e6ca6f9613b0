"""What the tests of the case page share: browsers of a house's people, parts of the page, odd texts."""

import re
from html import unescape
from typing import Any

from sqlmodel import select

from models.access import AccessLog
from tests.support.house import House, triage

Case = dict[str, Any]
CONTACT, LEADER, LEAD = "guilin.market.contact", "guilin.market.leader", "guilin.lead"
CLERK, SUPERVISOR = "guilin.clerk", "guilin.supervisor"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
# Markup, a formula, a right-to-left word and a letter of four bytes.
ODD = "<script>alert(1)</script> =SUM(A1) שלום 𠮷"


async def dispatched(house: House, **changed: Any) -> Case:
    return await house.act(await house.file(), "triage", CLERK, **triage(**changed))


def part(page: str, command: str) -> str:
    """The form of a command on the page."""
    found = re.search(rf'<form[^>]* id="{command}".*?</form>', page, re.DOTALL)
    assert found, f"no form of {command}"
    return found[0]


def texts(page: str) -> str:
    """What a page says, without its markup."""
    return unescape(re.sub(r"<[^>]*>", " ", page))


async def types(house: House, case: Case) -> list[str]:
    """The events of a case."""
    events = (await house.get(f"cases/{case['id']}/events", by="auditor")).json()["items"]
    return [event["type"] for event in events]


async def actions(house: House) -> list[str]:
    """What stands on the access log."""
    async with house.services.database.read() as session:
        return list((await session.exec(select(AccessLog.action))).all())
