"""What casework needs, given once by the entry point and handed down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from activities.archiving import FileOutlet
from activities.facts import FactsWriter
from casework.engine import Engine
from casework.evidence import Evidence
from casework.one_at_a_time import OneAtATime
from casework.pinned import PinnedTerms
from casework.sign_in_rules import SignInRules
from casework.watch import Watch
from models.crypto import Keyring
from models.database import Database
from rules.delivering import Means
from rules.policy import HallOffer, Policy
from rules.reporting import ReportingTimes
from rules.retention import Retention


class Clock(Protocol):
    """Tells T0 and what is allowed now: the machine's clock, or the rehearsal's."""

    async def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


@dataclass(frozen=True)
class Services:
    """The dependencies of every function in casework. ``wall`` is the real clock, for sign-ins."""

    database: Database
    keyring: Keyring
    engine: Engine
    clock: Clock
    wall: Clock
    policies: Mapping[str, Policy]
    attachments: Path
    policies_folder: Path | None = None  # None: the packaged ones
    offers: Mapping[str, HallOffer] = field(default_factory=dict)  # by the policies' ids
    # Codes of halls where citizens may file beside those whose policy offers it; with OFF: nowhere.
    online_filing: frozenset[str] = frozenset()
    temporal_ui: str = ""  # origin of Temporal's own UI; empty: it gets nothing of us
    public_url: str = ""  # where browsers reach us, without a slash at the end; empty: as they asked
    pinned: PinnedTerms = field(default_factory=PinnedTerms)
    sign_in: SignInRules = field(default_factory=SignInRules)
    reporting: Mapping[str, ReportingTimes] = field(default_factory=dict)  # by policy; else as proposed
    facts: FactsWriter = field(default_factory=FactsWriter)
    retention: Mapping[str, Retention] = field(default_factory=dict)  # by policy; else nothing is erased
    templates: Path | None = None  # where an operator keeps templates of their own
    means: tuple[Means, ...] = ()  # by which users may be reached outside
    outlets: tuple[str, ...] = (FileOutlet.name,)  # by which heads leave
    heavy: OneAtATime = field(default_factory=OneAtATime)  # what-if runs and exports under way
    watch: Watch = field(default_factory=Watch)
    keys_file: Path | None = None  # generated payload keys; None where the settings give them
    given_evidence: Evidence | None = None  # None where nobody signs: most tests

    @property
    def erased_list(self) -> Path:
        """Return the file that names every erased case, for a restore from an older backup."""
        return self.attachments.parent / "erased.txt"

    @property
    def evidence(self) -> Evidence:
        """Return what evidence needs. Raises RuntimeError where the entry point gave nothing."""
        if self.given_evidence is None:
            raise RuntimeError("no signing key was given to the services")
        return self.given_evidence
