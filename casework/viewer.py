"""Who is signed in."""

from dataclasses import dataclass, field

from rules.case.events import Actor
from rules.case.vocabulary import Role


@dataclass(frozen=True)
class Viewer:
    """A signed-in user. ``hall`` is None for superior, auditor and admin over all halls.

    `owes` names what has to be done before anything else: a slug of `casework.accounts`, None for nothing.
    """

    username: str
    name: str
    role: Role
    hall: str | None = None
    unit: str | None = None
    owes: str | None = field(default=None, compare=False)

    @property
    def actor(self) -> Actor:
        """Return the viewer as the rules and the ledger know who acts."""
        return Actor(self.role, self.username, self.name, self.hall, self.unit)
