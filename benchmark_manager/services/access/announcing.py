"""What the log says at the start of who is served."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final, Literal

import structlog

from benchmark_manager.errors import StorageError
from benchmark_manager.services.access.sign_in import SignInService

_log = structlog.get_logger(__name__)

#: The log, GET /status and every page say so where AUTH=open.
OPEN_WARNING: Final = (
    "AUTH=open: anyone who reaches the port may change everything; set AUTH=required."
)
#: Logged where AUTH=proxy and TRUSTED_PROXIES has more than single addresses.
NETWORKS_WARNING: Final = (
    "TRUSTED_PROXIES has whole networks: with AUTH=proxy, everything in them may name itself "
    "anybody, an administrator too; list the addresses of the proxies instead."
)


async def announce(
    sign_in: SignInService,
    mode: Literal["open", "required", "proxy"],
    address: str,
    proxies: Sequence[str] = (),
) -> None:
    """Log that everybody is served, or the link that makes the first administrator.

    `address` is where browsers reach the service, without a slash at its end. Networks among the
    trusted `proxies` are logged where these name people.
    """
    if mode == "open":
        _log.warning(OPEN_WARNING)
        return
    networks = [each for each in proxies if ip_network(each).num_addresses > 1]
    if mode == "proxy" and networks:
        _log.warning(NETWORKS_WARNING, networks=networks)
    try:
        secret = await sign_in.setup_secret()
    except StorageError as error:
        # A full disk or a frozen database must not keep the service from those it knows.
        _log.warning("a set-up link could not be made", code=error.code)
        return
    if secret is not None:
        # The one secret that is logged: it is valid once, and only while nobody administers.
        _log.warning(
            "there is no administrator yet; open this link to make one",
            link=f"{address}/ui/set-up?token={secret}",
        )
