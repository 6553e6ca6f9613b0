"""Every route of the application, flat: what is included in a router hides its routes."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI

API = ("/api/", "/healthz", "/readyz", "/metrics")


def every_route(app: FastAPI) -> list[str]:
    """Each route once, as `GET /api/cases/{id}`."""
    flat = _flat(app.state.routes, "")
    return sorted({f"{method} {path}" for path, methods in flat for method in methods})


def answered(app: FastAPI) -> set[str]:
    """Whatever the application itself answers, registered by us or not; a mount as `MOUNT /static`."""
    return {f"{method} {path}" for path, methods in _flat(app.routes, "") for method in methods}


def page_routes(app: FastAPI) -> list[str]:
    """Those that answer with pages, or with something for a page."""
    return [route for route in every_route(app) if not route.split()[1].startswith(API)]


def _flat(routes: Iterable[Any], prefix: str) -> Iterator[tuple[str, Iterable[str]]]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield prefix + route.path, getattr(route, "methods", None) or ("MOUNT",)
        else:
            yield from _flat(inner.routes, prefix + route.include_context.prefix)
