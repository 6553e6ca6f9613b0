"""Files that come along with a command's form: added to the case first, so that they survive a refusal.

A browser never puts chosen files back into a form. Whoever has to correct the text finds the files at
the case already and is told which.
"""

from starlette.datastructures import FormData

from casework.commanding import Aim
from casework.reading import allowed_now
from casework.services import Services
from pages.case_view import key_of
from pages.command_words import WITH_FILES
from pages.counter_upload import FILES, attach_all, chosen, name_of

Faults = dict[str, str]


async def attach_with(services: Services, aimed: Aim, form: FormData) -> tuple[tuple[str, ...], Faults]:
    """Add the files of a form; return the names of those that the case has, and the faults of others.

    Nothing is added where the command could not be given now: its refusal is told instead. The fault of
    the field is in words already.
    """
    files = chosen(form) if aimed.name in WITH_FILES else []
    now = await services.clock.now()
    if not files or aimed.name not in allowed_now(aimed.found, aimed.viewer, now):
        return (), {}
    case = {"id": aimed.found.case.id, "number": aimed.found.case.number}
    refused = await attach_all(services, aimed.viewer, case, files, key_of(form))
    without = {each.name for each in refused}
    added = tuple(name for name in map(name_of, files) if name not in without)
    words = "；".join(f"{each.name}：{each.words}" for each in refused)
    return added, {FILES: words} if refused else {}
