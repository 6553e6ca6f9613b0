"""docker-compose.yml as an engine would read it: merged, with its variables filled in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
SITE = "hall.example.gov.cn"
_VARIABLE = re.compile(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}")

Service = Mapping[str, Any]


def filled(text: str, variables: Mapping[str, str]) -> str:
    """A text with `${NAME}`, `${NAME:-default}` and `${NAME:?why}` filled in. Raises KeyError."""

    def value(match: re.Match[str]) -> str:
        name, how, more = match.groups()
        if variables.get(name):
            return variables[name]
        if how == ":-":
            return str(more)
        raise KeyError(f"{name}: {more or 'not given'}")

    return _VARIABLE.sub(value, text)


def composed(**variables: str) -> dict[str, Any]:
    """The whole file; without the name of the site it can't be read."""
    made: dict[str, Any] = yaml.safe_load(
        filled(FILE.read_text(encoding="utf-8"), {"BANCHENG_SITE": SITE} | variables)
    )
    return made


def environment_of(service: Service) -> dict[str, str]:
    """What a service finds in its environment."""
    return {str(name): str(value) for name, value in service.get("environment", {}).items()}


def ours() -> dict[str, Service]:
    """The services that run our image."""
    services: dict[str, Service] = composed()["services"]
    return {name: service for name, service in services.items() if service["image"].startswith("bancheng:")}
