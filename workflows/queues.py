"""The task queues, each with workers of its own: what is slow or dead on one delays nothing on another.

Cases and every workflow; what goes to people outside; reports, and heads with the check of the ledger.
"""

CASES = "cases"
NOTIFICATIONS = "notifications"
REPORTING = "reporting"
QUEUES = (CASES, NOTIFICATIONS, REPORTING)
