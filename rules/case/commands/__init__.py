"""The commands of a case, by their names in domain.md, section 4; field names by contract.md.

They stand by topic, as their handlers do; whoever imports one has them all in `COMMANDS`. A field of type
`Text`, `Name` or `AnyPhone` holds what a person typed: the ledger seals it. All other fields are facts.
``name`` is the command's name everywhere.
"""

from rules.case.commands.base import (
    COMMANDS,
    Command,
)
from rules.case.commands.closing import (
    Archive,
    CheckReply,
    JudgeRevisit,
    Object,
    Rate,
    ReplyCommand,
    Revisit,
)
from rules.case.commands.handling import (
    Attach,
    Convene,
    Coordinate,
    DecideReturn,
    Inform,
    MarkUnable,
    Opine,
    Progress,
    Reassign,
    ReferralReply,
    ReturnOrder,
    Sign,
)
from rules.case.commands.intake import (
    Guidance,
    Merge,
    OneTimeNotice,
    Register,
    Transfer,
    Triage,
    Withdraw,
)
from rules.case.commands.limits import (
    CalendarChanged,
    ConfirmUnsolvable,
    DecideExtension,
    DeclareUnsolvable,
    Reclassify,
    ReferUp,
    ReportComplex,
    RequestExtension,
    Resume,
    SetLimit,
    Suspend,
)
from rules.case.commands.oversight import (
    AnswerOrder,
    Excuse,
    OrderCommand,
    Remind,
)

__all__ = [
    "CITIZEN_COMMANDS",
    "COMMANDS",
    "SYSTEM_COMMANDS",
    "AnswerOrder",
    "Archive",
    "Attach",
    "CalendarChanged",
    "CheckReply",
    "Command",
    "ConfirmUnsolvable",
    "Convene",
    "Coordinate",
    "DecideExtension",
    "DecideReturn",
    "DeclareUnsolvable",
    "Excuse",
    "Guidance",
    "Inform",
    "JudgeRevisit",
    "MarkUnable",
    "Merge",
    "Object",
    "OneTimeNotice",
    "Opine",
    "OrderCommand",
    "Progress",
    "Rate",
    "Reassign",
    "Reclassify",
    "ReferUp",
    "ReferralReply",
    "Register",
    "Remind",
    "ReplyCommand",
    "ReportComplex",
    "RequestExtension",
    "Resume",
    "ReturnOrder",
    "Revisit",
    "SetLimit",
    "Sign",
    "Suspend",
    "Transfer",
    "Triage",
    "Withdraw",
]

# Given by the system or the citizen, never by a signed-in user.
SYSTEM_COMMANDS = frozenset({"register", "calendar_changed"})
CITIZEN_COMMANDS = frozenset({"rate", "object"})
