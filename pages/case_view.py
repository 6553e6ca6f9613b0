"""The case page, drawn: for a reader, after a faulty form, after a refusal; always as the case is now."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from casework.case_file import CaseFile, open_file
from casework.case_verifying import CaseReport
from casework.dossier import MAY_TAKE
from casework.finding import find_case
from casework.services import Services
from casework.viewer import Viewer
from pages import labels
from pages.alarm_words import will_happen
from pages.case_grounds import grounds
from pages.case_history import entries, with_bulletins
from pages.case_order import ordered
from pages.command_forms import Choices, CommandForm, command_form
from pages.form_values import Typed, shown_faults
from pages.holding_bar import segments
from pages.prefilled_notice import Opening, opening_of
from pages.refused import to_copy
from pages.rendering import clock, moment, render
from routes.evidence_words import acts_words, erased_words, finding_words
from routes.keys import LONGEST


@dataclass(frozen=True)
class Again:
    """A form that comes back: what was typed, what is wrong with it, the key that it was sent under.

    ``kept`` is the id of the form where it was kept from before a sign-in.
    """

    name: str
    typed: Typed
    faults: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    kept: str | None = None


@dataclass(frozen=True)
class Extra:
    """What an answer shows beside the case itself.

    ``message`` says why something was refused, ``done`` what has just been done; ``petitioner`` is the
    citizen in clear and ``query_code`` a new code: both are on this answer and nowhere else.
    ``attached`` names files that the case has already, though the form that they came with was refused.
    ``verified`` is what has just come of verifying the case.
    """

    message: str | None = None
    done: str | None = None
    again: Again | None = None
    petitioner: Mapping[str, Any] | None = None
    query_code: str | None = None
    attached: tuple[str, ...] = ()
    note: str | None = None
    verified: CaseReport | None = None


NOTHING = Extra()
KEY = "key"  # the field of every form whose act must happen once


def key_of(form: FormData) -> str | None:
    """Return the key that a form was made with."""
    key = form.get(KEY)
    return key if isinstance(key, str) and 0 < len(key) <= LONGEST else None


async def case_page(
    request: Request,
    services: Services,
    viewer: Viewer,
    ref: str,
    *,
    status: int = 200,
    extra: Extra = NOTHING,
) -> Response:
    """Return the page of a case. Raises `NotFound`."""
    file = await open_file(services, viewer, ref)
    first, others = ordered(file.case["allowed"])
    choices = choices_of(file)
    opening = await _opening(services, viewer, file)
    open_form = extra.again.name if extra.again else ""
    history = entries(file.events, file.units, file.halls)
    again_form = command_form(open_form, choices) if open_form in labels.COMMAND else None
    return render(
        request,
        "case/page.html",
        status=status,
        file=file,
        case=file.case,
        extra=extra,
        again=extra.again,
        faults=shown(again_form, extra.again),
        labels_of=again_form.label_of if again_form else lambda name: labels.word("field", name),
        first=[command_form(name, choices) for name in first],
        others=[command_form(name, choices) for name in others],
        open_form=open_form or (first[0] if first else ""),
        lost=_lost(again_form, extra.again, [*first, *others]),
        history=with_bulletins(history, file.bulletins),
        grounds={name: grounds(name, file, history) for name in (*first, *others)},
        next_alarm=_foreseen(file),
        opening=opening,
        units=file.units,
        may_verify=viewer.role in MAY_TAKE and file.case["number"] is not None,
        finding_words=finding_words,
        acts_words=acts_words,
        erased_words=erased_words,
        held=segments(file.holding),
        new_key=lambda: str(uuid.uuid4()),
    )


async def _opening(services: Services, viewer: Viewer, file: CaseFile) -> Opening | None:
    if "triage" not in file.case["allowed"]:
        return None
    return await opening_of(services, await find_case(services, viewer, file.case["id"]))


def _foreseen(file: CaseFile) -> str | None:
    alarm = file.case["next_alarm"]
    return will_happen(alarm["name"], clock(alarm["at"]), file.case["status"]) if alarm else None


def choices_of(file: CaseFile) -> Choices:
    """Return what can be chosen in forms about this case."""
    orders = tuple(
        (order["id"], f"{order['id']} 号({moment(order['due_at'])} 到期):{order['text'][:40]}")
        for order in file.case["orders"]
        if order["answered_at"] is None
    )
    unit, hall = file.case["unit"], file.case["hall"]
    return Choices(tuple(file.units.items()), tuple(file.halls.items()), orders, unit, hall)


def shown(form: CommandForm | None, again: Again | None) -> dict[str, str]:
    """Return the faults of a form that comes back, as words."""
    if again is None:
        return {}
    return shown_faults(form, again.faults) if form else dict(again.faults)


def _lost(form: CommandForm | None, again: Again | None, offered: list[str]) -> list[tuple[str, str]]:
    """Return what was typed into a form that the page no longer offers, so that it can be copied."""
    if form is None or again is None or again.name in offered:
        return []
    return to_copy(form, again.typed)
