"""The JSON API, thin: reads a request, calls casework, and says in HTTP what came of it."""

from importlib import import_module
from importlib.util import find_spec

from fastapi import FastAPI

# In the order of contract.md. Fixed paths stand before those with a parameter in their place.
MODULES = (
    "token",
    "me",
    "attachments",
    "cases",
    "commands",
    "public",
    "calendar",
    "directory",
    "notifications",
    "bulletins",
    "access_log",
    "health",
)


def register_routes(app: FastAPI, *, rehearsal: bool = False) -> None:
    """Include every router; those that move time only where a rehearsal runs."""
    for name in (*MODULES, *(("rehearsal",) if rehearsal else ())):
        if find_spec(f"routes.{name}"):
            app.include_router(import_module(f"routes.{name}").router)
