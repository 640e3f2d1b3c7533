"""Whose address a request comes from, when a proxy that the operator named stands in between."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The named addresses or networks. Raises ValueError, with a sentence on what is neither."""
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError:
            raise ValueError(
                f"The trusted proxy {text!r} is neither an address, such as 10.0.0.1, "
                "nor a network, such as 10.0.0.0/8."
            ) from None
    return tuple(networks)


def read_address(text: str) -> Address | None:
    """An address without port, brackets or zone; an IPv4 one in IPv6 clothes is the IPv4 one."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(peer: str, networks: Sequence[Network]) -> bool:
    """Whether the peer is a proxy that was named."""
    address = read_address(peer)
    return address is not None and any(address in network for network in networks)


def forwarded_address(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The last hop of X-Forwarded-For: our own proxy wrote it, and none of the others."""
    hops = [value for name, value in headers if name == b"x-forwarded-for"]
    if not hops:
        return None
    address = read_address(hops[-1].rpartition(b",")[2].decode("latin-1"))
    return str(address) if address else None
