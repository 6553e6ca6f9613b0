"""Every table in one place: who imports this module has the whole metadata (migrations, tests)."""

from models.access import AccessLog, AccessToken, Attempt
from models.act import Act
from models.attachment import Attachment
from models.base import Base
from models.case import Bulletin, Case, CaseCoUnit, LedgerEvent, NumberCounter
from models.command import SentCommand
from models.directory import ContactEntry, Hall, Unit, User
from models.evidence import CaseRun, HeadLeaf, HeadPublication, HistoryExport, LedgerCheck, LedgerHead
from models.facts import CASE_FACTS
from models.filing import CaseSecret, Filing, Petitioner
from models.grants import Grant
from models.house_key import HouseKey, KeyHolder, KnownEngine
from models.inbox import Delivery, Notification
from models.kept_form import KeptForm
from models.outside import DeliveryChoice, DeliveryProgress, PersonalDelivery
from models.report import Report, ReportCase, ReportFile, ReportingPlan, ReportReceipt
from models.terms import CalendarSnapshot, CalendarYear, PolicyVersion
from models.typical import TypicalCase

metadata = Base.metadata

__all__ = [
    "CASE_FACTS",
    "AccessLog",
    "AccessToken",
    "Act",
    "Attachment",
    "Attempt",
    "Bulletin",
    "CalendarSnapshot",
    "CalendarYear",
    "Case",
    "CaseCoUnit",
    "CaseRun",
    "CaseSecret",
    "ContactEntry",
    "Delivery",
    "DeliveryChoice",
    "DeliveryProgress",
    "Filing",
    "Grant",
    "Hall",
    "HeadLeaf",
    "HeadPublication",
    "HistoryExport",
    "HouseKey",
    "KeptForm",
    "KeyHolder",
    "KnownEngine",
    "LedgerCheck",
    "LedgerEvent",
    "LedgerHead",
    "Notification",
    "NumberCounter",
    "PersonalDelivery",
    "Petitioner",
    "PolicyVersion",
    "Report",
    "ReportCase",
    "ReportFile",
    "ReportReceipt",
    "ReportingPlan",
    "SentCommand",
    "TypicalCase",
    "Unit",
    "User",
    "metadata",
]
