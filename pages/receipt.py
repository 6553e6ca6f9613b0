"""`/counter/receipt/{id}`: the receipt (回执) to print, as a page and as a PDF, and a new query code."""

import io
from collections.abc import Sequence
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.desk import Promise
from casework.finding import find_case
from casework.petitioners import renew_query_code
from casework.receipts import Receipt, read_receipt
from casework.repeats import repeats_of
from casework.viewer import Viewer
from pages.counter_code import Kept, recall, remember
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.labels import word
from pages.public_address import public_link, public_page
from pages.receipt_pdf import receipt_pdf
from pages.rendering import clock, moment, render
from pages.sessions import page_only
from routes.dependencies import Given
from routes.refusal_log import address
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

Clerk = Annotated[Viewer, Depends(page_only(Role.CLERK, Role.WINDOW_LEAD))]


@router.get("/counter/receipt/{id}.pdf")
async def as_pdf(request: Request, id: str, given: Given, viewer: Clerk) -> Response:
    """Return the receipt as a PDF; with the code for as long as it is known."""
    receipt = await read_receipt(given, viewer, id)
    kept = await recall(given, viewer, request, receipt.case["id"])
    pdf = await receipt_pdf(_for_print(receipt, kept, public_link(request, given, kept.code)))
    name = receipt.case["number"] or "receipt"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.pdf"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.get("/counter/receipt/{id}")
async def as_page(request: Request, id: str, given: Given, viewer: Clerk) -> Response:
    """Show the receipt."""
    receipt = await read_receipt(given, viewer, id)
    kept = await recall(given, viewer, request, receipt.case["id"])
    link = public_link(request, given, kept.code)
    page = render(
        request,
        "counter/receipt.html",
        receipt=receipt,
        case=receipt.case,
        kept=kept,
        public=public_page(request, given),
        qr=segno.make(link, error="m").svg_data_uri(scale=4, border=4),
        steps=_steps(receipt),
        repeats=await repeats_of(given, viewer, receipt.case["id"]),
    )
    page.headers["Cache-Control"] = "no-store"
    return page


@router.post("/counter/receipt/{id}/code")
async def renew(request: Request, id: str, given: Given, viewer: Clerk) -> Response:
    """Give the case a new query code, for a citizen who lost the receipt; the old one ends."""
    found = await find_case(given, viewer, id)
    request.state.case_id = found.case.id
    code = await renew_query_code(given, viewer, found.case.id, address(request))
    response = RedirectResponse(f"/counter/receipt/{found.case.id}", SEE_OTHER)
    await remember(given, viewer, request, response, found.case.id, code)
    return response


def _steps(receipt: Receipt) -> list[str]:
    """Return what happens next, in the words of the procedure."""
    if receipt.case["closed_at"]:
        return ["本件已办结。对结果有异议的，可在异议期内凭查询码提出。"]
    steps = []
    if receipt.case["number"] is None:
        steps.append("系统恢复连接后自动取得编号，受理时间以本回执所载时间为准。")
    if receipt.case["kind"] is None:
        steps.append("窗口分类后转承办单位办理，或当场答复。")
    return [
        *steps,
        "承办单位签收后在时限内办理，并向您告知进展。",
        "答复审核通过后告知您结果，并进行回访；您可以凭查询码评价。",
    ]


def _for_print(receipt: Receipt, kept: Kept, link: str) -> dict[str, Any]:
    case, person = receipt.case, receipt.case["petitioner"]
    return {
        "number": case["number"] or "待编号(取得后可凭查询码查到)",
        "code": kept.code,
        "qr": _svg(link),
        "site": link.partition("#")[0],
        "hall": receipt.hall,
        "facts": [
            ["受理时间", moment(case["received_at"])],
            ["反映人", f"{person['name'] or '—'}({word('petitioner', person['kind'])})"],
            ["联系电话", person["phone"] or "—"],
            ["事项", case["matter"] or "—"],
            ["反映的问题", case["problem"] or "—"],
            ["状态", word("status", case["status"])],
            *([["类别", word("kind", case["kind"])]] if case["kind"] else []),
            *([["承办单位", receipt.unit]] if receipt.unit else []),
            *([["办结时限", clock(case["due_at"])]] if case["due_at"] else []),
        ],
        "promises": _promised(receipt.promises),
        "notice": _noticed(receipt),
        "answer": receipt.answer,
        "attachments": [each["name"] or "—" for each in receipt.attachments],
        "steps": _steps(receipt),
    }


def _svg(link: str) -> str:
    made = io.BytesIO()
    segno.make(link, error="m").save(made, kind="svg", xmldecl=False, border=2)
    return made.getvalue().decode()


def _promised(promises: Sequence[Promise]) -> list[list[str]]:
    return [
        [
            word("kind", each.kind),
            f"{each.working_days} 个工作日",
            clock(each.due_at) + ("(暂定)" if each.provisional else ""),
        ]
        for each in promises
        if not each.guarding
    ]


def _noticed(receipt: Receipt) -> list[list[str]]:
    names = {"materials": "所需材料", "window": "办理窗口", "person": "经办人", "contact": "联系电话"}
    return [[words, receipt.notice[name]] for name, words in names.items()] if receipt.notice else []
