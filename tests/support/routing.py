"""Every route of the application, by method and path."""

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
    return {
        f"{method} {getattr(route, 'path', '')}"
        for route in app.routes
        if isinstance(route, kind)
        for method in getattr(route, "methods", None) or ("MOUNT",)
    }
