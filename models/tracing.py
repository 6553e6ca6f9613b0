"""One id from a request to the ledger: the id of a command begins with the id of the request that gave it.

So one search finds the line of the API, the line of the workflow and the line of the activity, and the
row of the ledger too. Nothing is added to a history: a command's id stands there anyway.
"""

import re
import secrets
import uuid

import structlog

GIVEN = re.compile(r"[A-Za-z0-9._-]{8,40}")  # longer ones would be paid for in every history
AGAIN = "-again"  # after a command's id, where a workflow is asked to decide it a second time
_OF_A_REQUEST = re.compile(rf"({GIVEN.pattern})~[0-9a-f]{{16}}({AGAIN})?")


def new_request_id() -> str:
    """Return an id that no other request has."""
    return secrets.token_hex(10)


def new_command_id() -> str:
    """Return an id that no other command has, beginning with the id of the request under way."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    # A proxy may give one id to many requests: what follows is unique by itself.
    return f"{request_id}~{secrets.token_hex(8)}" if request_id else str(uuid.uuid4())


def request_of(command_id: str) -> str | None:
    """Return the id of the request that a command came with; None for alarms, and what has no request."""
    found = _OF_A_REQUEST.fullmatch(command_id)
    return found[1] if found else None


def traced(case_id: str | None, command_id: str | None) -> dict[str, str]:
    """Return what a log line says of them, without what is not known."""
    request_id = request_of(command_id) if command_id else None
    facts = {"case_id": case_id, "command_id": command_id, "request_id": request_id}
    return {name: value for name, value in facts.items() if value}
