"""One application for many tests, one after the other: the first request to a new one costs 0.2 s."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from api import create_app
from casework.services import Services

_idle: list[FastAPI] = []


@contextmanager
def served(services: Services) -> Iterator[FastAPI]:
    """Lend an application on these services; nobody else has it meanwhile. Its lifespan is not run."""
    app = _idle.pop() if _idle else create_app()
    routes = len(app.router.routes)
    app.state.services = services
    try:
        yield app
    finally:
        del app.state.services
        if len(app.router.routes) == routes:  # one that a test has added to is nobody else's
            _idle.append(app)
