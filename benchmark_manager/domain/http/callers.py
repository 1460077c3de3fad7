"""Addresses of clients, and what those with a common quota share."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_REMEMBERED: Final = 1024
#: Bits of the prefix that one household or machine has of IPv6 addresses.
_IPV6_SITE: Final = 64


@lru_cache(_REMEMBERED)
def quota_of(address: str) -> str:
    """Return what clients with a common quota share: an address, of IPv6 the site's prefix."""
    found = ip_of(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _IPV6_SITE), strict=False))
    return address if found is None else str(found)


def ip_of(text: str) -> IPv4Address | IPv6Address | None:
    """Return a text as an address; one of IPv4 in the form of IPv6 as one of IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
