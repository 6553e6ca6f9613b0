"""The triage form as it opens: matter and cause of the filing, and the notice given before for the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from casework.finding import Found
from casework.remembered_notices import Remembered, remembered_notices
from casework.services import Services
from pages.form_values import Typed


@dataclass(frozen=True)
class Opening:
    """What stands in the form; ``used`` is where the notice is from, ``others`` what could be instead."""

    typed: Typed
    used: Remembered | None = None
    others: Sequence[Remembered] = ()


async def opening_of(services: Services, found: Found, unit: str | None = None) -> Opening:
    """Return the opening of a triage: with the notice of `unit`, or else with the newest there is."""
    typed = {"matter": found.case.matter or "", "cause": found.case.cause or ""}
    known = await remembered_notices(services, found)
    used = next((each for each in known if unit in (None, each.unit)), None)
    if used is None:
        return Opening(typed, others=known)
    typed |= {"unit": used.unit} | {f"one_time_notice.{part}": said for part, said in used.notice.items()}
    return Opening(typed, used, [each for each in known if each is not used])
