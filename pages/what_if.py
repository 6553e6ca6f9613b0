"""`/what-if`: past cases decided again under another policy, and what would have changed.

The answer stands in the answer to the form: nothing of a run is kept anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from casework.drafts import Draft
from casework.errors import BadInput, NotFound
from casework.notice_file import read_draft
from casework.one_at_a_time import Busy
from casework.places import places_seen
from casework.policy_draft import LARGEST, BadPolicy, read_policy_draft
from casework.services import Services
from casework.viewer import Viewer
from casework.whatif import Answer, Question, TooManyCases, what_if
from pages.admin_parts import typed, uploaded
from pages.frame import SIGNED_IN
from pages.list_filters import code
from pages.policy_faults import policy_faults_in_words
from pages.rendering import render
from pages.sessions import page_only
from pages.sheets import Sheet, at_once, send_sheet
from pages.whatif_words import COLUMNS, COUNTS, line_cells, lines_of, refused_lines, total_line
from routes.dependencies import Given
from routes.fields import PeriodEnd, PeriodStart
from routes.wording import fault_words
from rules.case.vocabulary import Role
from rules.policy import Policy

router = APIRouter(dependencies=SIGNED_IN)

Asker = Annotated[Viewer, Depends(page_only(Role.SUPERVISOR, Role.CENTRE, Role.AUDITOR))]

MOST = 5_000  # cases in one run; the command line has no such limit
UNPROCESSABLE, CONFLICT = 422, 409
WORK = "what-if"
SENT = ("policy", "text", "received_from", "received_to", "hall")
LABELS = {
    "policy": "政策",
    "text": "政策全文",
    "received_from": "受理日期从",
    "received_to": "到",
    "hall": "大厅",
    "notice": "放假安排",
}
_START: TypeAdapter[datetime] = TypeAdapter(PeriodStart)
_END: TypeAdapter[datetime] = TypeAdapter(PeriodEnd)


class _Faults(Exception):
    """What is wrong with the form, by field; ``policy`` lists every fault of a policy's text."""

    def __init__(self, faults: Mapping[str, str], policy: Sequence[str] = ()) -> None:
        super().__init__(str(faults))
        self.faults, self.policy = faults, policy


@router.get("/what-if")
async def form(request: Request, given: Given, viewer: Asker) -> Response:
    """Show the form."""
    return await _page(request, given, viewer, {})


@router.post("/what-if")
async def run(request: Request, given: Given, viewer: Asker) -> Response:
    """Decide the cases again and show what changes."""
    sent = await typed(request, *SENT)
    done = await _run(request, given, viewer, sent)
    if isinstance(done, Response):
        return done
    question, answer = done
    return await _page(request, given, viewer, sent, answer=answer, policy=question.policy)


@router.post("/what-if/export.xlsx")
async def export(request: Request, given: Given, viewer: Asker) -> Response:
    """Decide the cases again and send the table of what changes."""
    sent = await typed(request, *SENT)
    done = await _run(request, given, viewer, sent)
    if isinstance(done, Response):
        return done
    question, answer = done
    hall = f"；大厅:{answer.places.hall(question.hall)}" if question.hall else ""
    notice = f"；按放假安排:{question.draft.source}" if question.draft else ""
    words = (
        f"受理日期:{sent['received_from']} 至 {sent['received_to']}{hall}；"
        f"政策:《{question.policy.title}》({question.policy.version}){notice}"
    )
    rows = [*lines_of(answer), total_line(answer)]
    sheet = Sheet(
        *("政策推演", "what-if", COLUMNS, words, len(rows) - 1, await given.clock.now()),
        *(at_once(rows), line_cells),
    )
    return await send_sheet(request, given, viewer, sheet)


async def _run(
    request: Request, given: Services, viewer: Viewer, sent: Mapping[str, str]
) -> tuple[Question, Answer] | Response:
    """Return what was asked and the answer; or the page that says what is wrong."""
    try:
        question = await _question(request, given, sent)
        with given.heavy.turn(WORK, viewer.username):
            return question, await what_if(given, viewer, question, MOST)
    except _Faults as wrong:
        shown = {"faults": wrong.faults, "policy_faults": wrong.policy}
        return await _page(request, given, viewer, sent, UNPROCESSABLE, **shown)
    except BadInput as wrong:
        words = "；".join(f"{name}:{fault_words(slug)}" for name, slug in wrong.faults.items())
        return await _page(request, given, viewer, sent, UNPROCESSABLE, faults={"notice": words})
    except NotFound:
        faults = {"hall": "没有这个大厅"}
        return await _page(request, given, viewer, sent, UNPROCESSABLE, faults=faults)
    except TooManyCases as many:
        words = f"这一期间有 {many.cases} 件，超过一次推演的上限 {many.most} 件；请缩短期间，或只选一个大厅"
        return await _page(request, given, viewer, sent, UNPROCESSABLE, faults={"received_from": words})
    except Busy:
        words = "您的上一次推演还没有结束，请等它结束后再试。"
        return await _page(request, given, viewer, sent, CONFLICT, busy=words)


async def _question(request: Request, given: Services, sent: Mapping[str, str]) -> Question:
    """Return what is asked. Raises `_Faults` with every fault."""
    faults: dict[str, str] = {}
    period = [
        _checked(adapter, name, sent[name], faults)
        for name, adapter in (("received_from", _START), ("received_to", _END))
    ]
    if not faults and period[0] >= period[1]:
        faults["received_to"] = "不能早于开始日期"
    hall = code(sent["hall"]) if sent["hall"] else None
    policy, wrong = await _policy(request, given, sent)
    if wrong:
        faults["policy" if wrong == _UNCHOSEN else "text"] = wrong[0] if len(wrong) == 1 else "见上方所列"
    draft = await _draft(request, hall, faults)
    if faults or policy is None:
        raise _Faults(faults, () if len(wrong) == 1 else wrong)
    return Question(policy, period[0], period[1], hall, draft)


_UNCHOSEN = ["请选择一个政策，或给出政策全文"]


async def _policy(
    request: Request, given: Services, sent: Mapping[str, str]
) -> tuple[Policy | None, list[str]]:
    """Return the policy: a file before a text before one that is installed; or what is wrong with it."""
    content = await uploaded(request, "file", LARGEST)
    if content is None and sent["text"]:
        content = sent["text"].encode()
    if content is None:
        installed = given.policies.get(sent["policy"])
        return installed, [] if installed else _UNCHOSEN
    try:
        return read_policy_draft(content), []
    except BadPolicy as wrong:
        return None, policy_faults_in_words(wrong.faults)


async def _draft(request: Request, hall: str | None, faults: dict[str, str]) -> Draft | None:
    content = await uploaded(request, "notice", LARGEST)
    if content is None:
        return None
    try:
        if len(content) > LARGEST:
            raise ValueError("too large")
        # Of the whole country, as the State Council's notice is; a hall's own days stay on top.
        return replace(read_draft(content.decode("utf-8-sig"), None, None), hall=None)
    except (ValueError, BadInput):
        faults["notice"] = "须为 JSON 文件，含 off、work、source，不超过 64 KB"
        return None


def _checked(adapter: TypeAdapter[datetime], name: str, value: str, faults: dict[str, str]) -> Any:
    if not value:
        faults[name] = "必填"
        return None
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        faults[name] = fault_words(error.errors()[0]["type"])
        return None


async def _page(
    request: Request,
    given: Services,
    viewer: Viewer,
    sent: Mapping[str, str],
    status: int = 200,
    answer: Answer | None = None,
    **values: Any,
) -> Response:
    shown: dict[str, Any] = {"faults": {}, "policy_faults": (), "busy": None, "policy": None, **values}
    if answer is not None:
        shown |= {
            "lines": lines_of(answer),
            "total": total_line(answer),
            "refused": refused_lines(answer),
        }
    return render(
        request,
        "what_if.html",
        status=status,
        typed={name: sent.get(name, "") for name in (*LABELS, "file")},
        policies=[(each.id, f"{each.title}({each.version})") for each in given.policies.values()],
        halls=(await places_seen(given, viewer)).halls,
        label=LABELS.__getitem__,
        counts=COUNTS,
        answer=answer,
        **shown,
    )
