"""Brings what the figures count up to the ledger, and is asked to before figures are read."""

from functools import partial

from sqlmodel import Session

from activities.facts import FactsWriter, any_due
from casework.services import Services

AT_ONCE = 10  # cases in one transaction: their commands wait as long
BATCH = 500


async def fill_facts(services: Services, most: int = BATCH) -> int:
    """Write the facts of cases whose events changed them, oldest first, `most` of them; return of how many.

    Where more are due (all of them after a change of what is counted) the worker's relay goes on.
    Raises DatabaseUnavailable.
    """
    if not await services.database.look(lambda session: any_due(session.connection())):
        return 0
    filled = 0
    while filled < most:
        room = min(AT_ONCE, most - filled)
        done = await services.database.write(partial(_write, services.facts, room))
        filled += done
        if done < room:
            break
    return filled


def _write(facts: FactsWriter, most: int, session: Session) -> int:
    return facts.write_due(session.connection(), most)
