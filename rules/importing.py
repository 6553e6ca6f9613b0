"""What may be imported: when a case may have been received elsewhere.

T0 is the moment the filing was received (domain.md, section 3). A case that another system received, or
a counter before it had this one, brings its own; the ledger says beside it when it was imported.
"""

from datetime import datetime, timedelta

OLDEST = timedelta(days=366)
"""A calendar reaches so far back from a receipt; what is older has no open limit to keep. [P]"""
SLACK = timedelta(minutes=5)
"""Clocks of two systems differ by so much. [P]"""


def receipt_fault(received_at: datetime, now: datetime) -> str | None:
    """Return the slug of what is wrong with a receipt elsewhere, None if nothing is."""
    if received_at > now + SLACK:
        return "in_the_future"
    return "received_too_long_ago" if received_at < now - OLDEST else None
