"""Policies as people read them: every value with its unit and the phrase it comes from; read-only."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from casework.services import Services
from models.directory import Hall
from models.policies import policy_texts
from models.terms import PolicyVersion
from rules.policy import HallOffer, Policy, Sourced, parse_offer, parse_policy, policy_sources


@dataclass(frozen=True)
class ShownPolicy:
    """A policy in force, and what its halls offer.

    `older` are versions that cases were accepted under, with their values.

    `sources` is None where the file no longer says what was loaded: it counts from the next start.
    """

    policy: Policy
    offer: HallOffer
    sources: Mapping[str, Sourced] | None
    halls: int
    older: Sequence[tuple[str, Mapping[str, Any]]]


async def shown_policies(services: Services) -> Sequence[ShownPolicy]:
    """Return every policy by its id. Raises DatabaseUnavailable."""
    texts = await asyncio.to_thread(policy_texts, services.policies_folder)
    async with services.database.read() as session:
        counted = await session.exec(select(Hall.policy_id, func.count()).group_by(col(Hall.policy_id)))
        halls = dict(counted.all())
        rows = (await session.exec(select(PolicyVersion).order_by(col(PolicyVersion.version).desc()))).all()
    return [
        ShownPolicy(
            policy=policy,
            offer=(offer := services.offers.get(policy.id, HallOffer())),
            sources=_sources(policy, offer, texts.get(policy.id, "")),
            halls=halls.get(policy.id, 0),
            older=[(r.version, r.values) for r in rows if r.id == policy.id and r.version != policy.version],
        )
        for policy in sorted(services.policies.values(), key=lambda each: each.id)
    ]


def _sources(policy: Policy, offer: HallOffer, text: str) -> Mapping[str, Sourced] | None:
    try:
        same = (parse_policy(text), parse_offer(text)) == (policy, offer)
        return policy_sources(text) if same else None
    except ValueError:
        return None
