"""Whose address a request comes from, behind proxies that are trusted. Without any, headers say nothing."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

__all__ = ["client_behind", "trusted"]

Network = IPv4Network | IPv6Network


def trusted(texts: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


def client_behind(scope: Scope, proxies: Sequence[Network]) -> tuple[str, int] | None:
    """The nearest address that is none of the proxies'. What stands left of it in X-Forwarded-For anyone may write."""
    client: tuple[str, int] | None = scope.get("client")
    if client is None or not is_among(client[0], proxies):
        return client
    sent = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    for text in reversed([part.strip() for part in sent.split(",") if part.strip()]):
        address = read(text)
        if address is None:
            break
        client = (str(address), 0)
        if not is_among(client[0], proxies):
            break
    return client


def is_among(text: str, networks: Sequence[Network]) -> bool:
    address = read(text)
    return address is not None and any(address in network for network in networks)


def read(text: str) -> IPv4Address | IPv6Address | None:
    """`203.0.113.7`, `203.0.113.7:4711`, `[2001:db8::1]:4711`; one of IPv4 in IPv6 is that of IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
