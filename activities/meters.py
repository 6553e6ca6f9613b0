"""What the activities count for Prometheus. Every metric stands in docs/reference/metrics.md."""

from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Histogram

from models.messages import Recorded, RecordRequest

LATE = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400)  # seconds
LASTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds


class Meters:
    """The meters of one process, in a registry of their own: several houses may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.alarm_lateness = Histogram(
            "bancheng_alarm_lateness_seconds",
            "From the instant that an alarm was due to the instant that it fired.",
            ["alarm"],
            buckets=LATE,
            registry=self.registry,
        )
        self.activity_duration = Histogram(
            "bancheng_activity_duration_seconds",
            "How long one try of an activity took; `record` and `register` write the ledger.",
            ["activity", "outcome"],
            buckets=LASTS,
            registry=self.registry,
        )

    def note_activity(self, name: str, outcome: str, seconds: float) -> None:
        """Count one try of an activity."""
        self.activity_duration.labels(name, outcome).observe(seconds)

    def note_recorded(self, request: RecordRequest, recorded: Recorded) -> None:
        """Count the alarms among the events that were written; rows of another command are no news."""
        if all(row.command_id != request.command_id for row in recorded.rows):
            return
        for event in request.events:
            if due := event["data"].get("was_due_at"):
                self.alarm_lateness.labels(event["type"]).observe(_seconds(due, event))


def _seconds(due: Any, event: dict[str, Any]) -> float:
    late = datetime.fromisoformat(event["at"]) - datetime.fromisoformat(str(due))
    return max(0.0, late.total_seconds())
