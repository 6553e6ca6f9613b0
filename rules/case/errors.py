"""Why a command is refused. These types know facts; only the HTTP edge knows status codes."""


class Refusal(Exception):
    """A command was refused; nothing was recorded.

    ``seq`` is the number of the last event known to whoever refused, None where no event mattered.
    """

    seq: int | None = None


class Forbidden(Refusal):
    """The actor's role, or unit, may not give this command on this case."""

    def __init__(self, command: str, role: str) -> None:
        """Name the command and the role that may not give it."""
        super().__init__(f"{role} may not {command}")
        self.command, self.role = command, role


class Illegal(Refusal):
    """The command is not allowed as the case stands; `rule` is the name of what forbids it."""

    def __init__(self, command: str, status: str, rule: str = "status") -> None:
        """Name the command, the status the case is in, and the rule (``status`` for a wrong one)."""
        super().__init__(f"{command} is not allowed in {status}: {rule}")
        self.command, self.status, self.rule = command, status, rule


class Invalid(Refusal):
    """Values of the command are wrong in themselves, whatever the status; all of them at once."""

    def __init__(self, faults: dict[str, str]) -> None:
        """Take field name → name of the fault."""
        super().__init__("; ".join(f"{field}: {fault}" for field, fault in faults.items()))
        self.faults = faults
