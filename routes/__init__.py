"""The JSON API, thin: reads a request, calls casework, and says in HTTP what came of it."""

from fastapi import FastAPI


def register_routes(app: FastAPI, *, rehearsal: bool = False) -> None:
    """Include every router; those that move time only where a rehearsal runs."""
    # Not at the head: whoever needs one module of this package must not import all of them.
    from routes import (
        access_log,
        attachments,
        bulletins,
        calendar,
        cases,
        commands,
        directory,
        health,
        me,
        notifications,
        public,
        token,
    )
    from routes import (
        rehearsal as rehearsing,
    )

    # In the order of contract.md, but for this: `cases/{id}/{command}` would take every other path.
    modules = [token, me, attachments, cases, commands, public, calendar, directory, notifications]
    modules += [bulletins, access_log, health]
    for module in modules + [rehearsing] * rehearsal:
        app.include_router(module.router)
