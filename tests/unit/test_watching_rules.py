"""Who may see the metrics, how an alarm's lateness is counted, when a disk counts as full."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from fastapi import Request

from activities.meters import Meters
from casework.readiness import disk_part
from casework.watch import THIS_MACHINE
from models.messages import Recorded, RecordRequest, StoredEvent
from routes.operators import came_through_our_proxy, is_operator

CONTAINERS = (*THIS_MACHINE, ip_network("172.16.0.0/12"))
DUE = datetime(2026, 3, 4, 9, 30, 1, tzinfo=UTC)


def request(client: tuple[str, int] | None, **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "client": client, "headers": sent})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "172.18.0.5", "::ffff:172.18.0.5"])
def test_an_address_of_the_networks_is_an_operators(host: str) -> None:
    assert is_operator(request((host, 4711)), CONTAINERS)


@pytest.mark.parametrize(
    "client", [("10.0.0.7", 1), ("2001:db8::1", 1), ("not an address", 1), ("", 0), None]
)
def test_any_other_address_is_not(client: tuple[str, int] | None) -> None:
    assert not is_operator(request(client), CONTAINERS)


@pytest.mark.parametrize("header", ["x_forwarded_for", "x_forwarded_host", "x_real_ip", "forwarded", "via"])
def test_what_a_proxy_handed_on_is_never_an_operators(header: str) -> None:
    """A proxy on this machine has this machine's address, whoever stands behind it."""
    assert not is_operator(request(("127.0.0.1", 4711), **{header: "127.0.0.1"}), CONTAINERS)


def test_a_request_id_is_believed_from_a_trusted_proxy_and_from_this_machine() -> None:
    """Port 0 is uvicorn's for a client that a trusted proxy told of."""
    assert came_through_our_proxy({"client": ("203.0.113.9", 0)})
    assert came_through_our_proxy({"client": ("127.0.0.1", 51000)})
    assert not came_through_our_proxy({"client": ("203.0.113.9", 51000)})
    assert not came_through_our_proxy({"client": ("testclient", 51000)})
    assert not came_through_our_proxy({"client": None})


def event(type_: str, late: float, **data: Any) -> dict[str, Any]:
    at = DUE + timedelta(seconds=late)
    return {"type": type_, "at": at.isoformat(), "data": {"was_due_at": DUE.isoformat()} | data}


def recorded(command_id: str) -> Recorded:
    return Recorded([StoredEvent(7, command_id, "overdue_1", DUE, {})])


def lateness(meters: Meters, alarm: str) -> dict[str, float]:
    samples = next(iter(meters.alarm_lateness.collect())).samples
    return {
        sample.labels.get("le", sample.name.rpartition("_")[2]): sample.value
        for sample in samples
        if sample.labels.get("alarm") == alarm
    }


def test_an_alarm_counts_with_how_late_it_fired() -> None:
    meters = Meters()
    for late in (0.2, 45.0):
        request_ = RecordRequest("c1", 6, "overdue_1:x", [event("overdue_1", late)], None)
        meters.note_recorded(request_, recorded("overdue_1:x"))
    counted = lateness(meters, "overdue_1")
    assert (counted["count"], counted["sum"]) == (2, 45.2)
    assert (counted["0.1"], counted["0.25"], counted["60.0"]) == (0, 1, 2)


def test_rows_of_another_command_are_no_alarm_that_fired_now() -> None:
    """The activity hands back what a killed worker had written: it was not written again."""
    meters = Meters()
    meters.note_recorded(
        RecordRequest("c1", 6, "overdue_1:x", [event("overdue_1", 1)], None), recorded("reply~1")
    )
    assert lateness(meters, "overdue_1") == {}


def test_a_command_of_a_person_is_no_alarm() -> None:
    meters = Meters()
    reply = {"type": "reply", "at": DUE.isoformat(), "data": {}}
    meters.note_recorded(RecordRequest("c1", 6, "reply~1", [reply], None), recorded("reply~1"))
    assert lateness(meters, "reply") == {}


def test_a_clock_that_went_back_makes_no_alarm_early() -> None:
    meters = Meters()
    meters.note_recorded(RecordRequest("c1", 6, "k", [event("overdue_1", -3)], None), recorded("k"))
    assert lateness(meters, "overdue_1")["sum"] == 0


@pytest.mark.parametrize(
    ("total", "free", "ok"),
    [
        (10_000_000_000, 1_000_000_000, True),
        (10_000_000_000, 999_000_000, False),
        (100_000_000_000, 2_000_000_000, True),
        (100_000_000_000, 1_900_000_000, False),
        (4_000_000_000_000, 70_000_000_000, False),  # a large disk is filled by as much the faster
        (100_000_000_000, 0, False),
    ],
)
def test_a_disk_is_nearly_full_when_little_is_left_in_all_or_of_it(total: int, free: int, ok: bool) -> None:
    part = disk_part(total, free)
    assert (part.ok, part.required) == (ok, False)
    assert f"{free // 1_000_000_000} GB" in part.detail or f"{free // 1_000_000} MB" in part.detail
