"""Importing a file at one go, as the command line does: looked at, queued and worked off."""

from collections.abc import Callable
from datetime import datetime

from casework.calendars import check_hall
from casework.import_work import work_off
from casework.imports import Looked, Read, Shown, bring, look_at, queue, read_import
from casework.services import Services
from casework.users import OPERATOR
from casework.viewer import Viewer
from rules.case.vocabulary import Role


async def run_import(
    services: Services, hall: str, read_file: Callable[[str, datetime], Read], dry_run: bool
) -> tuple[Looked, Shown | None]:
    """Import a file for a hall; return what was seen in it, and what came of it unless it was a dry run.

    Raises `NotFound` for no hall, `BadTable` for a file that can't be read as a whole.
    """
    await check_hall(services, hall)
    read = read_file(hall, await services.clock.now())
    looked = await look_at(services, read)
    if dry_run or not looked.rows:
        return looked, None
    operator = Viewer(OPERATOR, OPERATOR, Role.WINDOW_LEAD, hall)
    import_id = await bring(services, operator, read, looked)
    await queue(services, operator, import_id, None)
    await work_off(services, import_id)
    return looked, await read_import(services, operator, import_id)
