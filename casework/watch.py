"""What a process keeps for whoever watches it; given once by the entry point."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from activities.meters import Meters

Networks = Sequence[IPv4Network | IPv6Network]
THIS_MACHINE: Networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass
class Watch:
    """Meters of this process; who may read them; where the engine's client has its own (`host:port`).

    `kept` and `read_at` are the last samples and when they were read, `turn` lets one at a time read.
    """

    meters: Meters = field(default_factory=Meters)
    operators: Networks = THIS_MACHINE
    engine_metrics: str | None = None
    kept: list[Any] = field(default_factory=list)
    read_at: float | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
