"""What verifying finds: one finding names a case, an event or a head, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class NotEvidence(Exception):
    """What was given to verify against is no head and no key; the message says what it is not."""


@dataclass(frozen=True)
class Finding:
    """Something that does not hold. `what` is a stable name in English.

    Of the chain: `event_missing` (number `seq` is not there), `event_unlinked` (it does not follow the
    one before), `event_changed`, `events_cut` (the newest ones are gone), `event_unknown` (the case does
    not know of it), `case_missing`, `case_unknown`. Against a head (`head`, its number): `rewritten`,
    `shortened`, `history_replaced`, `access_log_rewritten`, `access_log_shortened`.

    Of a record of acts (`item`, whose it is: ``bulletin/3``): `act_missing`, `act_unlinked`,
    `act_changed`, `acts_cut`, `act_unknown`, `acts_end_otherwise` (of a typical case, which keeps no
    count), `acts_of_nothing` (the item is gone), `acts_elsewhere` (the item names another case);
    against a head `acts_missing` (all of them), `acts_rewritten`, `acts_shortened`.

    Of a head itself: `head_missing`, `head_changed`, `head_unsigned`, `head_key_unknown`,
    `head_unlinked`, `head_leaves`, `head_differs`. Of the history: `history_lost`, `history_missing`,
    `history_changed`, `history_erased`, `not_deterministic`, `heard_otherwise`, `decided_otherwise`,
    `never_heard`. Of the access log: `access_log_changed`. Of a file: `file_changed`, `file_missing`,
    `file_unknown`, `unsigned`, `key_unknown`, `unreadable`.
    """

    what: str
    case_id: str | None = None
    seq: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {"what": self.what, "case_id": self.case_id, "seq": self.seq, "facts": dict(self.facts)}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Finding":
        """Return the finding that `values` wrote."""
        return cls(values["what"], values["case_id"], values["seq"], values["facts"])
