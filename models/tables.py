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
from models.imported import Import, ImportRow, Integration
from models.inbox import Delivery, Notification
from models.kept_form import KeptForm
from models.outside import DeliveryChoice, DeliveryProgress, PersonalDelivery
from models.report import Report, ReportCase, ReportFile, ReportingPlan, ReportReceipt
from models.retention import Erasure, ErasureHold
from models.terms import CalendarSnapshot, CalendarYear, PolicyVersion
from models.typical import TypicalCase
from models.volume import MonthlyVolume

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
    "Erasure",
    "ErasureHold",
    "Filing",
    "Grant",
    "Hall",
    "HeadLeaf",
    "HeadPublication",
    "HistoryExport",
    "HouseKey",
    "Import",
    "ImportRow",
    "Integration",
    "KeptForm",
    "KeyHolder",
    "KnownEngine",
    "LedgerCheck",
    "LedgerEvent",
    "LedgerHead",
    "MonthlyVolume",
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
