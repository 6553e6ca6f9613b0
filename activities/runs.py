"""Which runs of its workflow wrote into a case's ledger, so that the history of each is exported."""

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from temporalio import activity

from activities.tables import RUNS

_NOTE = {
    dialect: insert_(RUNS).on_conflict_do_nothing(index_elements=["run_id"])
    for dialect, insert_ in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
# A run that was exported already stays so.
_END = (
    update(RUNS).where(RUNS.c.run_id == bindparam("ended"), RUNS.c.state == "running").values(state="ended")
)


def run_of_activity() -> str | None:
    """Return the run that asks for this activity; None outside of one, as in a test."""
    return activity.info().workflow_run_id if activity.in_activity() else None


def note_run(connection: Connection, case_id: str, run_id: str, before: str | None) -> None:
    """Note that a case is written by another run than before; that one has ended.

    Retention counts from a run's own end, so a long case's first runs can't wait for its last.
    """
    row = {"run_id": run_id, "case_id": case_id, "state": "running"}
    connection.execute(_NOTE[connection.dialect.name], row)
    note_ended(connection, before)


def note_ended(connection: Connection, run_id: str | None) -> None:
    """Note that a run writes nothing any more."""
    if run_id is not None:
        connection.execute(_END, {"ended": run_id})
