"""The JSON API, thin: reads a request, calls casework, and says in HTTP what came of it."""

from fastapi import FastAPI


def register_routes(app: FastAPI, *, in_rehearsal: bool = False) -> None:
    """Include every router; those that move time only where a rehearsal runs."""
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
    for module in modules:
        app.include_router(module.router)
    # What is included hides its routes; a 405 names the methods of them all.
    app.state.routes = [route for module in modules for route in module.router.routes]
