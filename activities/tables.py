"""The tables that activities write, as SQLAlchemy Core knows them."""

from typing import cast

from sqlalchemy import Table

from models.base import Base
from models.case import Bulletin, Case, CaseCoUnit, LedgerEvent, NumberCounter
from models.directory import ContactEntry, User
from models.evidence import CaseRun
from models.facts import CASE_FACTS
from models.filing import CaseSecret, Filing, Petitioner
from models.inbox import Delivery, Notification
from models.terms import CalendarSnapshot, PolicyVersion


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


BULLETINS = _table(Bulletin)
CALENDARS = _table(CalendarSnapshot)
CASES = _table(Case)
CO_UNITS = _table(CaseCoUnit)
CONTACTS = _table(ContactEntry)
COUNTERS = _table(NumberCounter)
DELIVERIES = _table(Delivery)
EVENTS = _table(LedgerEvent)
FACTS = CASE_FACTS
FILINGS = _table(Filing)
NOTIFICATIONS = _table(Notification)
PETITIONERS = _table(Petitioner)
POLICIES = _table(PolicyVersion)
RUNS = _table(CaseRun)
SECRETS = _table(CaseSecret)
USERS = _table(User)
