"""The task queues. Outside channels have one of their own: a dead gateway delays no case."""

CASES = "cases"
NOTIFICATIONS = "notifications"
