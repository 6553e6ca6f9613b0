"""`/cases`: every case that the viewer may see, by filters and by search.

Filters stand in the address: a list can be kept, sent on, and refreshes itself. What is searched for
may be a name, a phone or the number of an identity card, and an address is written down in many
places (histories, logs of proxies, what a browser proposes next time). So the one form is always
posted: without a search it leads on to the address of the filters, with one the results are
the answer to the post itself, and `q` in an address is never read.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.moments import shown
from casework.searching import WINDOW, Results, list_filtered, search
from pages import list_words
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_filters import Filters, read_filters, read_search
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import PageStaff
from routes.dependencies import Given

router = APIRouter(dependencies=SIGNED_IN)

UNPROCESSABLE = 422
# What needs not stand in an address, since it is so where nothing is said.
USUAL = {"status": "open", "sort": "urgency"}


@router.get("/cases")
async def cases(request: Request, given: Given, viewer: PageStaff) -> Response:
    """Show the cases that pass the filters."""
    filters = read_filters(request.query_params)
    results = await list_filtered(given, viewer, filters.wanted)
    return _page(request, filters, results)


@router.post("/cases/search")
async def find(request: Request, given: Given, viewer: PageStaff) -> Response:
    """Search, or lead on to the filtered list where nothing is searched for."""
    form = await request.form()
    filters = read_filters(form)
    faults = dict(filters.faults)
    typed = read_search(form, faults)
    filters = Filters(filters.wanted, filters.typed, faults)
    if not typed and not faults:
        return RedirectResponse(_linked(filters)(), SEE_OTHER)
    if faults:
        results = await list_filtered(given, viewer, filters.wanted)
        return _page(request, filters, results, q=str(form.get("q", "")))
    results = await search(given, viewer, filters.wanted, typed)
    return _page(request, filters, results, q=typed, searched=True)


@router.get("/cases/search")
async def search_again(viewer: PageStaff) -> Response:
    """Lead back: what was searched for is not in the address, so a reload knows nothing of it."""
    return RedirectResponse("/cases", SEE_OTHER)


def _linked(filters: Filters, path: str = "/cases") -> Any:
    kept = {name: value for name, value in filters.typed.items() if value != USUAL.get(name)}
    return linker(path, kept)


def _page(
    request: Request, filters: Filters, results: Results, q: str = "", searched: bool = False
) -> Response:
    return render(
        request,
        "lists/cases.html",
        status=UNPROCESSABLE if filters.faults else 200,
        results=results,
        typed=filters.typed,
        faults=filters.faults,
        wanted=filters.wanted,
        q=q,
        searched=searched,
        words=list_words,
        window=WINDOW,
        go_on_before=shown(results.searched_to),
        link=_linked(filters),
        export=_linked(filters, "/cases/export.xlsx"),
        export_ledger=_linked(filters, "/cases/ledger.xlsx"),
    )
