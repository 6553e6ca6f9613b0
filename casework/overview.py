"""What an admin sees first: how much there is, and what needs somebody. No case stands in it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.delivery_record import dead_letters
from casework.services import Services
from models.calendar_source import notice_in_force
from models.directory import ContactEntry, Hall, Unit, User
from models.grants import WAITING, Grant
from models.hall_calendar import LAST_YEAR, loaded_notices
from rules.calendar import local

NOTICE_EXPECTED = (11, 1)  # month and day: the State Council's notice for the next year is out by then


@dataclass(frozen=True)
class Overview:
    """Counts; `provisional` are the years that need a notice now."""

    active: int
    disabled: int
    first_passwords: int
    grants: int
    halls: int
    units: int
    without_contacts: int
    policies: int
    undelivered: int
    provisional: list[int]

    @property
    def quiet(self) -> bool:
        """Whether nothing needs anybody."""
        return not (self.grants or self.provisional or self.without_contacts or self.undelivered)


async def overview(services: Services) -> Overview:
    """Count. Raises DatabaseUnavailable."""
    today = local(await services.clock.now()).date()
    async with services.database.read() as session:
        active = await _count(session, select(func.count()).where(col(User.active).is_(True)))
        everybody = await _count(session, select(func.count()).select_from(User))
        first = select(func.count()).where(
            col(User.active).is_(True), col(User.must_change_password).is_(True)
        )
        entered = select(func.count(func.distinct(ContactEntry.hall + "/" + ContactEntry.unit)))
        units = await _count(session, select(func.count()).select_from(Unit))
        return Overview(
            active=active,
            disabled=everybody - active,
            first_passwords=await _count(session, first),
            grants=await _count(session, select(func.count()).where(Grant.status == WAITING)),
            halls=await _count(session, select(func.count()).select_from(Hall)),
            units=units,
            without_contacts=units - await _count(session, entered),
            policies=len(services.policies),
            undelivered=await dead_letters(session),
            provisional=await _provisional(session, today),
        )


def years_that_need_a_notice(today: date) -> list[int]:
    """Return this year, and from 1 November on the next one."""
    following = [today.year + 1] if (today.month, today.day) >= NOTICE_EXPECTED else []
    return [year for year in (today.year, *following) if year <= LAST_YEAR]


async def _provisional(session: AsyncSession, today: date) -> list[int]:
    years = years_that_need_a_notice(today)
    national, _ = await loaded_notices(session, None, years)
    return [year for year in years if not notice_in_force(year, national)[1]]


async def _count(session: AsyncSession, wanted: object) -> int:
    found: int = (await session.exec(wanted)).one()  # type: ignore[call-overload]
    return found
