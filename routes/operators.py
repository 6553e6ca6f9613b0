"""Who asks: a proxy of ours, an operator, or anybody."""

from ipaddress import IPv6Address, ip_address

from fastapi import Request
from starlette.types import Scope

from casework.watch import Networks

# Whatever stands between adds one of them.
_FORWARDING = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")


def came_through_our_proxy(scope: Scope) -> bool:
    """Whether the request was handed on by a proxy that is trusted, or came from this machine itself.

    uvicorn reads `X-Forwarded-For` from trusted addresses only (`FORWARDED_ALLOW_IPS`), and then names
    the client with port 0, which no connection has.
    """
    client = scope.get("client")
    return client is not None and (client[1] == 0 or _is_loopback(client[0]))


def is_operator(request: Request, networks: Networks) -> bool:
    """Whether the request came from one of these networks, and straight: no proxy handed it on."""
    if request.client is None or any(name in request.headers for name in _FORWARDING):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
