"""A policy that is in force nowhere: read from a TOML text, for a what-if."""

import tomllib

from rules.policy import FaultyPolicy, Policy, parse_policy

LARGEST = 64_000  # bytes; ours have some 10,000


class BadPolicy(Exception):
    """The text is no policy. ``faults`` are the phrases of `rules.policy`, or one of ours."""

    def __init__(self, *faults: str) -> None:
        """Take the faults; there is at least one."""
        super().__init__("; ".join(faults))
        self.faults = faults


def read_policy_draft(content: bytes) -> Policy:
    """Return the policy. Raises `BadPolicy` naming every fault."""
    if len(content) > LARGEST:
        raise BadPolicy("too large")
    try:
        return parse_policy(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise BadPolicy("not utf-8") from error
    except FaultyPolicy as error:
        raise BadPolicy(*error.faults) from error
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"no TOML: {error}") from error
    except (ValueError, RecursionError) as error:  # a number without end, a table nested without end
        raise BadPolicy("no TOML: nested or written too deep") from error
