"""The people of the chaos: each has some acts to do, asks again until answered, and notes every answer.

Every act goes out under an idempotency key; some go out twice at once, as a double click does. What was
answered is held against the ledger in `benchmarks/chaos_account.py`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.chaos_plant import CLOSING_HALL, OPEN_HALL
from casework import filing
from casework.viewer import Viewer
from models.database import DatabaseUnavailable
from rules.case.vocabulary import Role
from tests.support.house import form, triage
from tests.support.onlooker import LIMIT, Onlooker

PATIENCE = 600.0  # seconds that somebody insists
TWICE = 0.2  # of the acts are sent twice at once
AGAIN = 0.3  # seconds until somebody tries again
TRIAGE_LIMIT = timedelta(hours=2)  # of working time; the hall is open all day

Step = tuple[str, str, Mapping[str, Any]]
"""Command, who gives it (after the hall), body."""

SENT: list[Step] = [("triage", "clerk", triage()), ("sign", "market.contact", {})]
LINE: Step = ("progress", "market.contact", {"text": "已联系反映人核对材料"})
CLOSED: list[Step] = [
    ("reply", "market.contact", {"text": "已补办完毕。", "resolved": True}),
    ("check_reply", "lead", {"accept": True}),
    ("revisit", "clerk", {"reached": True, "rating": 5, "resolved": True}),
    ("archive", "lead", {}),
]
RETURNED: list[Step] = [
    ("triage", "clerk", triage()),
    ("return_order", "market.contact", {"reason": "不属本单位职责"}),
    ("decide_return", "lead", {"accept": False, "reason": "属该单位职责"}),
    ("sign", "market.contact", {}),
    ("mark_unable", "market.contact", {"reason": "需要协调"}),
    ("coordinate", "market.leader", {"text": "继续办理"}),
]
STORIES: dict[str, list[Step]] = {
    "lived": [*SENT, LINE, *CLOSED],
    "worked": [*SENT, LINE, ("inform", "clerk", {"means": "phone", "text": "已告知进展"}), LINE],
    "returned": RETURNED,
    "late": [*SENT, LINE],
    "untouched": [],
}
SHARES = ("lived", "lived", "worked", "returned", "late", "late", "late", "untouched", "untouched", "worked")


@dataclass
class Answers:
    """What was answered: the cases by their filing's key, and the acts that passed, by case and command."""

    cases: dict[str, str] = field(default_factory=dict)
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: int = 0
    refused: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """Somebody with one case to see through."""

    seen: Onlooker
    chance: random.Random
    answers: Answers
    number: int
    story: str

    async def live(self, received_at: datetime | None, pause: float) -> None:
        """File the case (over HTTP, or so long ago) and take its steps, `pause` seconds apart on average."""
        hall = OPEN_HALL if self.story != "late" else CLOSING_HALL
        case_id = await (self._file_past(hall, received_at) if received_at else self._file(hall))
        self.answers.cases[self._key("filing")] = case_id
        for place, (name, who, body) in enumerate(STORIES[self.story]):
            await asyncio.sleep(self.chance.uniform(0, 2 * pause))
            if name == "triage" and hall == OPEN_HALL:
                body = dict(body)
            await self._act(case_id, place, name, f"{hall}.{who}", body)

    async def _file(self, hall: str) -> str:
        answer = await self._insist("cases", form(hall=hall), f"{hall}.clerk", self._key("filing"))
        return str(answer["id"])

    async def _file_past(self, hall: str, received_at: datetime) -> str:
        """File as of an instant that has passed: as the API does, which has the clock of the machine."""
        clerk = Viewer(f"{hall}.clerk", "窗口A岗", Role.CLERK, hall)
        services = self.seen.services(received_at)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    filed = await filing.file_case(services, clerk, form(hall=hall), self._key("filing"))
                    return str(filed.case["id"])
                except DatabaseUnavailable:
                    await asyncio.sleep(AGAIN)

    async def _act(self, case_id: str, place: int, name: str, by: str, body: Mapping[str, Any]) -> None:
        key = self._key(f"{place}-{name}")
        path = f"cases/{case_id}/{name}"
        times = 2 if self.chance.random() < TWICE else 1
        answers = await asyncio.gather(*(self._insist(path, body, by, key) for _ in range(times)))
        if all(answers):
            self.answers.acts[case_id, name] += 1
        if answers[0] != answers[-1]:
            self.answers.faults.append(f"{path}: two answers to one key")

    async def _insist(self, path: str, body: Mapping[str, Any], by: str, key: str) -> dict[str, Any]:
        """Ask until there is an answer; return it, empty where it is a refusal."""
        self.answers.asked += 1
        answer = await self.seen.insist(path, body, by=by, key=key, within=PATIENCE)
        if answer.is_success:
            return dict(answer.json())
        said = f"{path}: {answer.status_code} {answer.text[:200]}"
        (self.answers.refused if answer.status_code < 500 else self.answers.faults).append(said)
        return {}

    def _key(self, what: str) -> str:
        return f"chaos-{self.number}-{what}"


async def crowd(
    seen: Onlooker,
    chance: random.Random,
    cases: int,
    clients: int,
    lasting: float,
    wave: Callable[[], datetime],
) -> Answers:
    """Let so many cases be lived, spread over `lasting` seconds; `wave` tells when the hall closes next."""
    answers, gate = Answers(), asyncio.Semaphore(clients)

    async def one(number: int) -> None:
        story = SHARES[number % len(SHARES)]
        await asyncio.sleep(chance.uniform(0, lasting))
        async with gate:
            received_at = None
            if story == "late":
                received_at = wave() - LIMIT - timedelta(seconds=30)
            elif story == "untouched":
                ahead = timedelta(seconds=chance.uniform(5, max(10.0, lasting / 4)))
                received_at = datetime.now(UTC) - TRIAGE_LIMIT + ahead
            await Person(seen, chance, answers, number, story).live(received_at, pause=0.5)

    await asyncio.gather(*map(one, range(cases)))
    return answers
