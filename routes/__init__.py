"""The JSON API, thin: reads a request, calls casework, and says in HTTP what came of it."""

from collections.abc import Iterable
from types import ModuleType

from fastapi import FastAPI


def register_routes(app: FastAPI, *, in_rehearsal: bool = False) -> None:
    """Add every route; those that move time only where a rehearsal runs."""
    # Not at the head: whoever needs one module of this package must not import all of them.
    from routes import (
        access_log,
        attachments,
        bulletins,
        calendar,
        cases,
        codec,
        commands,
        directory,
        evidence,
        figures,
        health,
        me,
        notifications,
        public,
        rehearsal,
        reports,
        token,
        work_orders,
    )

    # In the order of contract.md, but for this: `cases/{id}/{command}` would take every other path.
    modules = [token, me, attachments, evidence, cases, commands, public, calendar, directory, notifications]
    modules += [figures, reports, bulletins, access_log, work_orders, codec, health]
    modules += [rehearsal] * in_rehearsal
    add_routes(app, modules)


def add_routes(app: FastAPI, modules: Iterable[ModuleType]) -> None:
    """Make the routes of each module's router the app's own, in order.

    `include_router` puts them behind one object a router, which who looks for a route (a 405, the measuring
    of requests) has to open up again each time: that was a tenth of a request.
    """
    for module in modules:
        app.router.routes += module.router.routes
