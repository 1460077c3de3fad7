"""Which host names the service has, which proxies it trusts, and whom a request comes from."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import urlsplit

from starlette.types import Scope

from benchmark_manager.domain.http.callers import ip_of, quota_of

#: A name or an address, and a port.
_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
#: Names that only the resolver of a machine or a cluster knows: no other site can have one.
_CLUSTER: Final = (".svc", ".cluster.local")
#: Answers that are remembered for hosts and for addresses.
_REMEMBERED: Final = 1024
_DEFAULT_PORTS: Final = {"http": b":80", "https": b":443"}


class AllowedHosts:
    """The host names of the service.

    A page of another site can have its own name resolved to this service's address and then read
    every answer as its own (DNS rebinding). It cannot choose the name: that of its own site stays
    in `Host`.
    """

    def __init__(self, names: Collection[str], public_url: str | None) -> None:
        """Accept `names` as ALLOWED_HOSTS has them: exact ones, `*.DOMAIN`, or `*`.

        Without any, names are accepted that no other site can have.
        """
        self._any = "*" in names
        self._exact = {name for name in names if not name.startswith("*")}
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._defaults = not names
        if public_url is not None:
            self._exact.add(urlsplit(public_url).hostname or "")
        self.accepts = lru_cache(_REMEMBERED)(self._accepts)

    def _accepts(self, host: bytes) -> bool:
        """Return whether this value of a Host header names the service."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].decode("ascii").lower().rstrip(".")
        return (
            self._any
            or name in self._exact
            or name.endswith(self._suffixes)
            or self._is_always_accepted(name)
        )

    def _is_always_accepted(self, name: str) -> bool:
        if (
            name == "localhost"
            or name.endswith(".localhost")
            or ip_of(name.strip("[]")) is not None
        ):
            # Probes use these, and they are the name of no site.
            return True
        return self._defaults and bool(name) and ("." not in name or name.endswith(_CLUSTER))


class TrustedProxies:
    """The proxies whose X-Forwarded headers are trusted."""

    def __init__(self, networks: Sequence[str]) -> None:
        """Trust `networks` as TRUSTED_PROXIES has them."""
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(network) for network in networks
        ]
        self.include = lru_cache(_REMEMBERED)(self._include)

    def _include(self, address: str) -> bool:
        found = ip_of(address)
        return found is not None and any(found in network for network in self._networks)

    def client(self, address: str, forwarded_for: str) -> str:
        """Return the client behind a chain of trusted proxies; `address` is the nearest one's.

        Each proxy adds on the right the address of its client. Everything left of the first address
        that is not trusted may be forged.
        """
        for hop in reversed(forwarded_for.split(",")):
            found = ip_of(_without_port(hop.strip()))
            if found is None:
                break
            address = str(found)
            if not self.include(address):
                break
        return address


def last_of(value: bytes) -> bytes:
    """Return what the nearest proxy added to a header to which each proxy adds on the right."""
    return value.rpartition(b",")[2].strip()


def origin_of(scheme: str, host: bytes) -> bytes:
    """Return the origin that a browser sends for pages of this scheme and Host."""
    return f"{scheme}://".encode() + host.removesuffix(_DEFAULT_PORTS.get(scheme, b"")).lower()


def caller_of(scope: Scope) -> str:
    """Return what clients with a common quota share: an address, of IPv6 the site's prefix."""
    client = scope.get("client")
    return "" if client is None else quota_of(client[0])


def _without_port(hop: str) -> str:
    """Return the address of a hop; some proxies write it with its port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
