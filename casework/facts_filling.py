"""Brings what the figures count up to the ledger, and is asked to before figures are read."""

from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from activities.facts import FactsWriter, any_due
from casework.services import Services

AT_ONCE = 10  # cases in one transaction: their commands wait as long
BATCH = 500
AT_REST = timedelta(seconds=15)


async def fill_facts(services: Services, most: int = BATCH, until: datetime | None = None) -> int:
    """Write the facts of cases whose events changed them, oldest first, `most` of them; return of how many.

    Where more are due (all of them after a change of what is counted) the worker's relay goes on. `until`
    leaves cases alone that have an event since. Raises DatabaseUnavailable.
    """
    if not await services.database.look(lambda session: any_due(session.connection(), until)):
        return 0
    filled = 0
    while filled < most:
        room = min(AT_ONCE, most - filled)
        done = await services.database.write(partial(_write, services.facts, room, until))
        filled += done
        if done < room:
            break
    return filled


async def fill_facts_at_rest(services: Services) -> int:
    """Write the facts of cases that nothing has happened to for a while; return of how many.

    When thousands of cases come due at one instant, their alarms go first; and a case with several events
    in a row is written once. Whoever reads figures has them brought up at once. Raises DatabaseUnavailable.
    """
    return await fill_facts(services, until=await services.clock.now() - AT_REST)


def _write(facts: FactsWriter, most: int, until: datetime | None, session: Session) -> int:
    return facts.write_due(session.connection(), most, until)
