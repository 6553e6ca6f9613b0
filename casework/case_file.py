"""Everything that one page shows of a case: its facts, its clock, its history, who held it, its files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select

from casework.acts import Record
from casework.attachments import list_attachments
from casework.bulletins import bulletins_of_case
from casework.clockwork import Clockwork, clockwork
from casework.filer import filer_of
from casework.finding import Found, find_case
from casework.foreseen import foreseen_dues
from casework.history import MAY_SEE_HOLDING, decided, events_shown, holding_shown, rows_of
from casework.lessons import Lesson, lessons_like
from casework.moments import shown
from casework.petitioners import MAY_RENEW_CODE, may_unmask
from casework.reading import get_case
from casework.repeats import NONE, Repeats, repeats_of
from casework.services import Services
from casework.typical import WRITERS, typical_of_case
from casework.viewer import Viewer
from models.case import Bulletin
from models.directory import Hall, Unit
from models.typical import TypicalCase
from rules.case.vocabulary import ENDED, Status


@dataclass(frozen=True)
class CaseFile:
    """A case with all that belongs to it; a filing that waits for its number has only its facts.

    ``case`` is the view of contract.md; ``holding`` is None for whoever may not see it. ``units`` and
    ``halls`` are names by code, the units those of the case's hall. ``foreseen`` holds, by decision, the
    due date that granting it would make.
    """

    case: Mapping[str, Any]
    halls: Mapping[str, str]
    units: Mapping[str, str]
    events: tuple[Mapping[str, Any], ...] = ()
    verified: bool = True
    clock: Clockwork | None = None
    holding: Mapping[str, Any] | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()
    may_unmask: bool = False
    may_renew_code: bool = False
    co_units: tuple[Mapping[str, Any], ...] = field(default=())
    foreseen: Mapping[str, str | None] = field(default_factory=dict)
    bulletins: tuple[tuple[Bulletin, Record], ...] = ()
    repeats: Repeats = NONE
    lessons: tuple[Lesson, ...] = ()
    typical: TypicalCase | None = None
    may_write_up: bool = False


async def open_file(services: Services, viewer: Viewer, ref: str) -> CaseFile:
    """Return a case by its id or number. Raises `NotFound`."""
    case = await get_case(services, viewer, ref)
    halls, units = await _names(services, case["hall"])
    repeats = await repeats_of(services, viewer, case["id"])
    if case["number"] is None:
        return CaseFile(case, halls, units, repeats=repeats)
    found = await find_case(services, viewer, case["id"])
    rows = await rows_of(services, found)
    async with services.database.read() as session:
        filer = await filer_of(session, found.case.id)
    events = events_shown(found, rows, filer)
    until = await services.clock.now()
    typical = await typical_of_case(services, viewer, case["id"])
    return CaseFile(
        case=case,
        halls=halls,
        units=units,
        events=tuple(events["items"]),
        verified=events["verified"],
        clock=clockwork(decided(rows), found.pinned.policy, found.pinned.calendar),
        holding=holding_shown(found, rows, until) if viewer.role in MAY_SEE_HOLDING else None,
        attachments=tuple((await list_attachments(services, found))["items"]),
        may_unmask=may_unmask(viewer, found.case),
        may_renew_code=viewer.role in MAY_RENEW_CODE,
        co_units=_opinions(found),
        foreseen={name: shown(due) for name, due in foreseen_dues(found, viewer, until).items()},
        bulletins=tuple(await bulletins_of_case(services, viewer, case["id"])),
        repeats=repeats,
        lessons=tuple(await _lessons(services, viewer, case)),
        typical=typical,
        may_write_up=viewer.role in WRITERS and typical is None and Status(case["status"]) in ENDED,
    )


async def _lessons(services: Services, viewer: Viewer, case: Mapping[str, Any]) -> Sequence[Lesson]:
    """Return what was learnt from similar cases, while there is still something to be done."""
    if Status(case["status"]) in ENDED:
        return ()
    return await lessons_like(services, viewer, case["matter"], case["cause"], case["id"])


def _opinions(found: Found) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {"unit": each.unit, "asked_at": each.asked_at, "opined_at": each.opined_at}
        for each in found.state.co_units
    )


async def _names(services: Services, hall: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the names of all halls, and of the units of this one, in the order of their codes."""
    async with services.database.read() as session:
        halls = (await session.exec(select(Hall.code, Hall.name).order_by(Hall.code))).all()
        of_hall = select(Unit.code, Unit.name).where(col(Unit.hall) == hall).order_by(Unit.code)
        units = (await session.exec(of_hall)).all()
    return dict(halls), dict(units)
