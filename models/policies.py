"""Reads policy files: the packaged ones, or a folder of the operator's own."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from rules.policy import HallOffer, Policy, parse_offer, parse_policy
from rules.reporting import ReportingTimes, parse_times
from rules.retention import Retention, parse_retention
from rules.weights import parse_weights


def read_policies(folder: Path | None) -> dict[str, Policy]:
    """The policies of a folder by their id; None means the packaged ones.

    Raises ValueError naming the file when it is faulty or not named after its policy's id, and when
    the folder holds no policy.
    """
    policies = {}
    for name, text in policy_texts(folder).items():
        try:
            policy = parse_policy(text)
            parse_weights(text)  # read where scores are made; a fault must show at the start
        except ValueError as error:
            raise ValueError(f"{name}.toml: {error}") from error
        if policy.id != name:
            raise ValueError(f"{name}.toml: must be named after its policy, {policy.id}")
        policies[policy.id] = policy
    return policies


def read_offers(folder: Path | None) -> dict[str, HallOffer]:
    """What the halls under each policy offer, by its id. Raises ValueError as `read_policies`."""
    return {name: parse_offer(text) for name, text in policy_texts(folder).items()}


def read_reporting_times(folder: Path | None) -> dict[str, ReportingTimes]:
    """When reports are due, by the id of the policy. Raises ValueError naming a faulty file."""
    found = {}
    for name, text in policy_texts(folder).items():
        try:
            found[name] = parse_times(text)
        except ValueError as error:
            raise ValueError(f"{name}.toml: {error}") from error
    return found


def read_retentions(folder: Path | None) -> dict[str, Retention]:
    """How long personal data is kept, by the id of the policy. Raises ValueError naming a faulty file."""
    found = {}
    for name, text in policy_texts(folder).items():
        try:
            found[name] = parse_retention(text)
        except ValueError as error:
            raise ValueError(f"{name}.toml: {error}") from error
    return found


def policy_texts(folder: Path | None) -> dict[str, str]:
    """The text of each policy file by its name without suffix, in order of names.

    Raises ValueError when there is none.
    """
    place: Traversable = folder or resources.files("policies")
    inside = place.iterdir() if place.is_dir() else ()
    files = {file.name: file for file in inside if file.name.endswith(".toml")}
    if not files:
        raise ValueError(f"no policy file (*.toml) in {place}")
    return {
        name.removesuffix(".toml"): file.read_text(encoding="utf-8") for name, file in sorted(files.items())
    }
