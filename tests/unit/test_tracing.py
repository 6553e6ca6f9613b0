"""One id leads from a request to the ledger."""

import pytest
import structlog

from models.base import KEY
from models.tracing import AGAIN, GIVEN, new_command_id, new_request_id, request_of, traced


def test_a_command_id_begins_with_the_id_of_its_request() -> None:
    request_id = new_request_id()
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        command_id = new_command_id()
    assert command_id.startswith(request_id)
    assert request_of(command_id) == request_id == request_of(f"{command_id}{AGAIN}")


def test_one_request_id_gives_commands_that_are_apart() -> None:
    """A proxy that gives every request the same id must not make two commands one."""
    with structlog.contextvars.bound_contextvars(request_id="the-same-id"):
        assert len({new_command_id() for _ in range(1000)}) == 1000


def test_a_command_without_a_request_has_an_id_of_its_own() -> None:
    assert new_command_id() != new_command_id()
    assert request_of(new_command_id()) is None


def test_an_id_of_ours_makes_histories_no_longer_than_a_uuid_did() -> None:
    with structlog.contextvars.bound_contextvars(request_id=new_request_id()):
        assert len(new_command_id()) <= 37


def test_the_longest_id_that_is_taken_over_fits_the_column() -> None:
    longest = "x" * 40
    assert GIVEN.fullmatch(longest) and not GIVEN.fullmatch(longest + "x")
    with structlog.contextvars.bound_contextvars(request_id=longest):
        assert len(new_command_id()) < KEY


@pytest.mark.parametrize(
    "command_id",
    [
        "register",
        "overdue_1:1790000000:",
        "calendar:0a1b2c:3",
        "attach:5b0f4c8e-1d2a-4c3b-9e8f-7a6b5c4d3e2f",
        "short~0123456789abcdef",
        "proxy-made-id~not-hexadecimal-",
        "",
    ],
)
def test_what_came_with_no_request_names_none(command_id: str) -> None:
    assert request_of(command_id) is None


def test_a_log_line_says_what_is_known_and_no_more() -> None:
    assert traced("c1", "proxy-made-id~0123456789abcdef") == {
        "case_id": "c1",
        "command_id": "proxy-made-id~0123456789abcdef",
        "request_id": "proxy-made-id",
    }
    assert traced("c1", "triage_late::1") == {"case_id": "c1", "command_id": "triage_late::1"}
    assert traced(None, None) == {}
