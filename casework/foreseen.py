"""What a decision would do to a due date, for whoever is about to take it: asked of the rules, never kept."""

from collections.abc import Mapping
from datetime import datetime

from casework.finding import Found
from casework.viewer import Viewer
from rules.case.commands import Command, ConfirmUnsolvable, DecideExtension
from rules.case.decide import decide
from rules.case.errors import Refusal

# The decisions by which a due date moves though nobody types a date.
_GRANTS: tuple[Command, ...] = (DecideExtension(accept=True), ConfirmUnsolvable(accept=True))


def foreseen_dues(found: Found, viewer: Viewer, now: datetime) -> Mapping[str, datetime]:
    """Return the due date (UTC) that each decision would make if the viewer granted it now.

    Decisions that are not the viewer's, or not possible now, are left out; so are those that move nothing.
    """
    dues = {}
    for command in _GRANTS:
        try:
            event = decide(
                found.state, command, now, viewer.actor, found.pinned.policy, found.pinned.calendar
            )[0]
        except Refusal:
            continue
        if due := event.data.get("due_at"):
            dues[command.name] = due
    return dues
