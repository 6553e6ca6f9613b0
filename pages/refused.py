"""A command that was refused, told to whoever sent its form: status, reason, faults, what to send again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import Response

from casework.engine import CaseNotRunning, EngineUnavailable
from casework.errors import BadInput, Conflict
from casework.sent import KEY_HEADER
from models.database import DatabaseUnavailable
from pages.command_forms import CommandForm
from pages.form_values import Typed
from pages.labels import word
from routes.problems import RETRY_AFTER
from routes.refusal_log import log_refusal
from routes.wording import RULES, problem_words
from rules.case.errors import Illegal, Invalid

REFUSED = (BadInput, Invalid, Conflict, Illegal, EngineUnavailable, CaseNotRunning, DatabaseUnavailable)
"""After these the form is shown again with what was typed."""


@dataclass(frozen=True)
class Told:
    """What the answer says. ``key`` is the one to send the form under again; None: a new one."""

    status: int
    message: str | None
    key: str | None
    faults: Mapping[str, str] = field(default_factory=dict)

    def on(self, page: Response) -> Response:
        """Return the page, which says when to come again where that helps."""
        if self.status == 503:
            page.headers["Retry-After"] = str(RETRY_AFTER)
        return page


async def tell(request: Request, refusal: Exception, name: str, key: str | None) -> Told:
    """Return what to say of one of `REFUSED`; what the case does not allow goes on the access log."""
    if isinstance(refusal, BadInput | Invalid):
        faults = dict(refusal.faults)
        if faults.pop(KEY_HEADER, None):
            # Sent before with other values: what stands on the page now is a new form.
            message = "这份表单此前已提交过一次。请核对办件现状，确需再次提交的请再点一次。"
            return Told(422, message, None, faults)
        return Told(422, None, key, faults)
    if isinstance(refusal, Illegal):
        refusal = Conflict("command-not-allowed", {"rule": refusal.rule})
    if isinstance(refusal, Conflict):
        rule = str(refusal.extra.get("rule"))
        await log_refusal(request, 409, f"{refusal.slug}: {rule}")
        reason = RULES.get(rule) or problem_words(refusal.slug)[1]
        return Told(409, f"未能“{word('command', name)}”：{reason}", key)
    slug = "database" if isinstance(refusal, DatabaseUnavailable) else "engine"
    return Told(503, problem_words(f"{slug}-unavailable")[1], key)


def to_copy(form: CommandForm, typed: Typed) -> list[tuple[str, str]]:
    """Return what was typed, field by field, for a page that no longer offers the form."""
    return [
        (form.label_of(name), value if isinstance(value, str) else "、".join(value))
        for name, value in typed.items()
        if value
    ]
