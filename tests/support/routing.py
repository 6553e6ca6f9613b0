"""Every route of the application, flat: a router included in another one hides its routes."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

API = ("/api/", "/healthz", "/readyz", "/metrics")


def every_route(app: FastAPI) -> list[str]:
    """Each route of ours once, as `GET /api/cases/{id}`."""
    return sorted(_named(app, APIRoute))


def answered(app: FastAPI) -> set[str]:
    """Whatever the application itself answers, registered by us or not; a mount as `MOUNT /static`."""
    return _named(app, BaseRoute)


def page_routes(app: FastAPI) -> list[str]:
    """Those that answer with pages, or with something for a page."""
    return [route for route in every_route(app) if not route.split()[1].startswith(API)]


def _named(app: FastAPI, kind: type[BaseRoute]) -> set[str]:
    found = _flat(app.routes, "")
    return {
        f"{method} {prefix}{route.path}"
        for prefix, route in found
        if isinstance(route, kind)
        for method in getattr(route, "methods", None) or ("MOUNT",)
    }


def _flat(routes: Iterable[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield prefix, route
        else:
            yield from _flat(inner.routes, prefix + route.include_context.prefix)
