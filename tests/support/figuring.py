"""Stories in a database, written event by event as the product writes them; and random ones."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Session, select

from activities.inbox import Inbox
from activities.writing import Head, LedgerWriter, read_head
from models.crypto import CaseKey, Keyring
from models.database import Database
from models.filing import CaseSecret, Filing, Petitioner
from models.messages import Terms, encode_event
from models.petitioner import PHONE_INDEX
from rules.calendar import SHANGHAI
from rules.case.events import CITIZEN, Actor, Event, evolve
from rules.case.state import CaseState
from tests.support.books import keep_terms
from tests.support.cases import (
    CENTRE,
    CLERK,
    LEAD,
    SUPERIOR,
    SUPERVISOR,
    Story,
    contact,
    handled,
    leader,
    shown,
    told,
    triage,
)
from tests.support.house import KEYRING

UNITS = ("market", "housing", "social", "civil")


def case_id(number: int) -> str:
    """The id of a story in the database."""
    return f"00000000-0000-7000-8000-{number:012d}"


def close_one(received: str = "03-09 09:20") -> Story:
    """Return a case that was handled, told of and revisited."""
    story = told(handled(received, "simple", "market"), f"{received[:5]} 15:00")
    return story.give("revisit", None, reached=True, rating=4)


def told_again(story: Story, number: int) -> tuple[list[Event], list[CaseState]]:
    """The events of a story under an id and a number of its own, with the states they make."""
    own = {"case_id": case_id(number), "number": f"{story.state.hall}-20260101-{number:04d}"}
    first = replace(story.events[0], changes={**story.events[0].changes, **own})
    events = [first, *story.events[1:]]
    states: list[CaseState] = []
    for event in events:
        states.append(evolve(states[-1] if states else None, event))
    return events, states


async def keep(
    database: Database,
    keyring: Keyring,
    stories: Sequence[Story],
    phones: Sequence[str] = (),
    matters: Sequence[str] = (),
) -> None:
    """Write stories into the database, each event through the writer of the ledger.

    `phones` and `matters` belong to the stories of the same place; without them nobody came twice.
    """
    for story in stories:
        await keep_terms(database, Terms.of(story.policy, story.calendar))
    for number, story in enumerate(stories):
        phone = phones[number] if phones else f"1380013{number:04d}"
        matter = matters[number] if matters else "证照办理"
        await keep_one(database, keyring, story, number, phone, matter)


async def kept(url: str, stories: Sequence[Story], *given: Sequence[str], **named: Sequence[str]) -> None:
    """Write stories into the database at a URL, sealed as a house seals."""
    database = Database(url)
    try:
        await keep(database, KEYRING, stories, *given, **named)
    finally:
        await database.close()


async def keep_one(
    database: Database, keyring: Keyring, story: Story, number: int, phone: str, matter: str
) -> None:
    """Write one story, by somebody with this phone about this matter."""
    await _file(database, keyring, story, number, phone)
    await go_on(database, keyring, story, number, {"matter": matter, "problem": "跑了三趟。"})


async def go_on(
    database: Database, keyring: Keyring, story: Story, number: int, texts: dict[str, str] | None = None
) -> None:
    """Write the events of a story that are not written yet; `texts` were typed with the first of them."""
    writer = LedgerWriter(keyring, Inbox())

    def write(session: Session) -> None:
        connection, own = session.connection(), case_id(number)
        wrapped = session.exec(select(CaseSecret.wrapped_key).where(CaseSecret.case_id == own)).one()
        head = read_head(connection, own) or Head(own, wrapped)
        for place, event in enumerate(told_again(story, number)[0][head.seq :], head.seq):
            values = encode_event(event)
            if place == first and texts is not None:
                values["texts"] = {**values["texts"], **texts}
            writer.append(connection, head, f"command-{place}", [values], None)
            head = read_head(connection, own) or head

    first = await database.write(lambda session: _seq(session.connection(), case_id(number)))
    await database.write(write)


def _seq(connection: Connection, own: str) -> int:
    head = read_head(connection, own)
    return head.seq if head else 0


async def _file(database: Database, keyring: Keyring, story: Story, number: int, phone: str) -> None:
    own = case_id(number)
    async with database.begin() as session:
        session.add(
            Filing(
                case_id=own,
                hall=story.state.hall,
                channel="counter",
                received_at=story.state.received_at,
                clerk="guilin.clerk",
                body_hash="-",
                query_code_hash=str(number),
            )
        )
        session.add(CaseSecret(case_id=own, wrapped_key=CaseKey.create().wrap(keyring, own)))
        index = keyring.blind_index(PHONE_INDEX, phone)
        session.add(Petitioner(case_id=own, kind="person", phone_index=index))


ACTORS = (CLERK, LEAD, CENTRE, SUPERVISOR, SUPERIOR, CITIZEN)
# How often people do what they may; what is not named stands at 3.
OFTEN = {"triage": 60, "sign": 40, "reply": 20, "check_reply": 40, "revisit": 30, "judge_revisit": 20}
SOMETIMES = {
    **{"return_order": 8, "decide_return": 20, "request_extension": 8, "decide_extension": 20},
    **{"suspend": 6, "resume": 10, "reassign": 5, "declare_unsolvable": 6, "confirm_unsolvable": 20},
}
SELDOM = {
    "withdraw": 0.3,
    "object": 0.5,
    "archive": 0.5,
    "transfer": 1,
    "rate": 1,
    "attach": 1,
    "remind": 1,
    "inform": 1,
}
WEIGHTS = OFTEN | SOMETIMES | SELDOM


def wander(random: Random, steps: int, units: Iterable[str] = UNITS) -> Story:
    """A case to which people do what they may, at random instants; alarms fire by themselves."""
    places = tuple(units)
    hall = random.choice(("guilin", "chengzhong"))
    day, hour = random.randrange(1, 28), random.randrange(8, 19)
    story = Story(f"{random.randrange(1, 7):02d}-{day:02d} {hour:02d}:{random.randrange(60):02d}", hall)
    for _ in range(steps):
        later = story.clock + timedelta(minutes=random.choice((5, 90, 600, 2000, 6000)))
        at = str(shown(later.astimezone(SHANGHAI).replace(second=0, microsecond=0)))
        story.until(at if at.count("-") == 2 else f"2026-{at}")
        if not _act(random, story, places):
            break
    return story


def _act(random: Random, story: Story, units: Sequence[str]) -> bool:
    unit = story.state.unit or units[0]
    actors: list[Actor] = [*ACTORS, contact(unit), leader(unit)]
    choices = [(a, name) for a in actors for name in story.allowed(a) if name != "merge"]
    weights = [WEIGHTS.get(name, 3.0) for _, name in choices]
    for _ in range(12 if choices else 0):
        ((actor, name),) = random.choices(choices, weights)
        given = _given(random, story, name, units)
        command = triage(*given["kind"]) if name == "triage" else name
        more = {} if name == "triage" else given
        if story.refusal(command, None, actor, **more) is None:
            story.give(command, None, actor, **more)
            return True
    return bool(choices)


def _given(random: Random, story: Story, name: str, units: Sequence[str]) -> dict[str, Any]:
    yes = random.random() < 0.6
    far = (story.clock + timedelta(days=random.randrange(3, 40))).astimezone(SHANGHAI).date().isoformat()
    rating = random.randrange(1, 6)
    kinds = (
        "simple",
        "simple",
        "commitment",
        "commitment",
        "commitment",
        "complex",
        "consultation",
        "out_of_scope",
    )
    bodies: dict[str, dict[str, Any]] = {
        "triage": {"kind": (random.choice(kinds), random.choice(units))},
        "decide_return": {"accept": yes, **({"unit": random.choice(units)} if yes else {})},
        "reassign": {"unit": random.choice(units)},
        "reclassify": {"kind": random.choice(("simple", "commitment"))},
        "convene": {"co_units": ("agriculture",)},
        "set_limit": {"due_on": far},
        "refer_up": {"due_on": far},
        "transfer": {"hall": "chengzhong" if story.state.hall == "guilin" else "guilin"},
        "request_extension": {"working_days": random.randrange(1, 4)},
        "decide_extension": {"accept": yes},
        "confirm_unsolvable": {"accept": yes},
        "reply": {"resolved": yes or story.state.status != "explaining"},
        "check_reply": {"accept": yes},
        "revisit": {"reached": True, "rating": rating, "resolved": yes} if yes else {"reached": False},
        "judge_revisit": {"reopen": random.random() < 0.3},
        "rate": {"rating": rating},
    }
    return bodies.get(name, {})
