"""Cases in many states, full of odd text, in a hall of their own: something real behind every page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.case.vocabulary import Role
from tests.support.running import House

Case = Mapping[str, Any]

# Markup, a template, a formula, right-to-left letters, letters of four bytes, quotes.
ODD = '<b id="planted">粗</b> {{ 7*7 }} =SUM(A1) שלום 😀𠮷 & "\''
PHONE_NUMBER = "13800130066"
TAIL = PHONE_NUMBER[-4:]
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
HALL = "chengzhong"
# Everybody of one hall, and its unit market.
USERS: Mapping[Role, str] = {
    Role.CLERK: f"{HALL}.clerk2",
    Role.WINDOW_LEAD: f"{HALL}.lead",
    Role.CENTRE: f"{HALL}.centre",
    Role.SUPERVISOR: f"{HALL}.supervisor",
    Role.CONTACT: f"{HALL}.market.contact",
    Role.DEPUTY_LEADER: f"{HALL}.market.leader",
    Role.SUPERIOR: "superior",
    Role.AUDITOR: "auditor",
    Role.ADMIN: "admin",
}
CLERK, LEAD, SUPERVISOR = USERS[Role.CLERK], USERS[Role.WINDOW_LEAD], USERS[Role.SUPERVISOR]
CONTACT, LEADER = USERS[Role.CONTACT], USERS[Role.DEPUTY_LEADER]


@dataclass(frozen=True)
class Stage:
    """The cases; each is as it was when it was filed, with its query code."""

    filed: Case
    worked: Case
    referred: Case
    told: Case
    closed: Case
    learnt: Case
    blamed: Case


def set_stage(house: House) -> Stage:
    """File the cases and bring each into its state."""
    return Stage(
        filed=_file(house),
        worked=_worked(house),
        referred=_referred(house),
        told=_told(house),
        closed=_closed(house),
        learnt=_learnt(house),
        blamed=_blamed(house),
    )


def _file(house: House) -> Case:
    person = {"kind": "person", "name": "ش<i>小演", "phone": PHONE_NUMBER}
    attempts = [{"channel": "线下", "on": "2026-01-05", "where": ODD, "said": ODD}]
    return house.file(HALL, petitioner=person, matter=ODD, problem=ODD, attempts=attempts)


def _signed(house: House) -> Case:
    case = _file(house)
    notice = {"materials": ODD, "window": ODD, "person": ODD, "contact": "12345"}
    body = {"kind": "commitment", "cause": "other", "unit": "market", "one_time_notice": notice}
    house.give(CLERK, case, "triage", **body)
    house.give(CONTACT, case, "sign")
    return case


def _worked(house: House) -> Case:
    case = _signed(house)
    house.give(CONTACT, case, "progress", text=ODD)
    house.give(CONTACT, case, "inform", means="phone", text=ODD)
    house.give(SUPERVISOR, case, "order", text=ODD)
    house.give(LEAD, case, "remind", text=ODD)
    at = house.now().isoformat()
    house.give(LEAD, case, "convene", co_units=["civil"], at=at, place=ODD)
    house.give(LEADER, case, "request_extension", working_days=1, reason=ODD)
    with house.as_user(CONTACT) as http:
        files = {"file": (f"{ODD}.pdf".replace("/", ""), PDF)}
        http.post(f"/api/cases/{case['id']}/attachments", files=files).raise_for_status()
    return case


def _referred(house: House) -> Case:
    case = _signed(house)
    due = str(house.case(case, LEAD)["due_at"])[:10]
    house.give(SUPERVISOR, case, "refer_up", to=ODD, reason=ODD, due_on=due)
    return case


def _told(house: House) -> Case:
    case = _signed(house)
    house.give(CONTACT, case, "reply", text=ODD, resolved=True)
    house.give(LEAD, case, "check_reply", accept=True)
    return case


def _closed(house: House) -> Case:
    case = _told(house)
    house.give(CLERK, case, "revisit", reached=True, rating=4, resolved=True, text=ODD)
    return case


def _learnt(house: House) -> Case:
    case = _closed(house)
    house.give(LEAD, case, "archive", lesson=ODD)
    return case


def _blamed(house: House) -> Case:
    """Two drafts of a 通报 about it; the leader has spoken on the first."""
    case = _signed(house)
    for _ in range(2):
        for _ in range(2):
            house.give(CONTACT, case, "reply", text=ODD, resolved=True)
            house.give(LEAD, case, "check_reply", accept=False, reason=ODD)
        house.give(LEAD, case, "reassign", unit="civil", reason=ODD)
        house.give(LEAD, case, "reassign", unit="market", reason=ODD)
        house.give(CONTACT, case, "sign")
    return case
