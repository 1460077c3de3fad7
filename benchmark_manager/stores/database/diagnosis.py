"""Says why the servers of a MongoDB URL cannot be used, when a start failed.

The driver searches for servers that suit its URL, and only reports that it found none. So this
module asks each server by itself: whether its name is known, its port answers and it speaks TLS,
and what its replica set is. It needs no password, and shows none.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from benchmark_manager.errors import reason_of

#: Servers that are asked; a URL rarely names more.
_AT_MOST: Final = 10
_DEFAULT_PORT: Final = 27017

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class DiagnosisTiming:
    """How long a server may take, seconds."""

    connect: float = 2.0
    hello: float = 3.0


@dataclass(frozen=True, slots=True)
class _Url:
    """What a URL says of its servers."""

    servers: tuple[Address, ...]
    set_name: str | None
    direct: bool
    tls: Mapping[str, Any]


async def diagnose(
    url: str, resolved: list[Address], timing: DiagnosisTiming = DiagnosisTiming()
) -> str:
    """Return a sentence for each server; `resolved` are those that an SRV record names."""
    wanted = _url(url, resolved)
    servers = wanted.servers[:_AT_MOST]
    findings = await asyncio.gather(*(_finding(server, wanted, timing) for server in servers))
    return " ".join(
        f"{_name(server)} {finding}." for server, finding in zip(servers, findings, strict=True)
    )


def _url(url: str, resolved: list[Address]) -> _Url:
    if url.startswith("mongodb+srv://"):
        # The options of its TXT record stay unknown; TLS is the rule.
        return _Url(tuple(resolved), None, direct=False, tls={"tls": True})
    parsed = parse_uri(url, warn=False)
    options = parsed["options"]
    # A socket's path comes without a port.
    servers = tuple(
        (str(host), port or _DEFAULT_PORT) for host, port in parsed["nodelist"] if port is not None
    )
    tls = {name: value for name, value in options.items() if name.lower().startswith("tls")}
    return _Url(servers, options.get("replicaSet"), bool(options.get("directConnection")), tls)


async def _finding(server: Address, wanted: _Url, timing: DiagnosisTiming) -> str:
    obstacle = await _obstacle(server, timing)
    if obstacle is not None:
        return obstacle
    try:
        hello = await _hello(server, wanted.tls, timing)
    except PyMongoError as error:
        return await _why_no_hello(server, wanted, error, timing)
    return await _of_hello(hello, wanted, timing)


async def _obstacle(server: Address, timing: DiagnosisTiming) -> str | None:
    """Return why no connection can be opened; None where one can."""
    try:
        async with asyncio.timeout(timing.connect):
            _, writer = await asyncio.open_connection(*server)
    except socket.gaierror:
        return "is a name that is unknown here"
    except ConnectionRefusedError:
        return "refuses connections: no server listens on this port"
    except TimeoutError:
        return (
            f"does not accept a connection within {timing.connect:.0f} s: "
            "check firewalls and the address"
        )
    except OSError as error:
        return f"cannot be reached ({reason_of(error)})"
    await _close(writer)
    return None


async def _hello(
    server: Address, tls: Mapping[str, Any], timing: DiagnosisTiming
) -> Mapping[str, Any]:
    # In a thread: PyMongo's async client leaves a socket unclosed where TLS fails.
    return await asyncio.to_thread(_hello_of, server, tls, timing)


def _hello_of(
    server: Address, tls: Mapping[str, Any], timing: DiagnosisTiming
) -> Mapping[str, Any]:
    host, port = server
    milliseconds = int(timing.hello * 1000)
    client: MongoClient[dict[str, Any]] = MongoClient(
        host,
        port,
        directConnection=True,
        serverMonitoringMode="poll",
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
        socketTimeoutMS=milliseconds,
        **tls,
    )
    with client:
        return client.admin.command("hello")


async def _why_no_hello(
    server: Address, wanted: _Url, error: PyMongoError, timing: DiagnosisTiming
) -> str:
    if not wanted.tls.get("tls"):
        if await _speaks_tls(server, timing):
            return "speaks TLS only: add tls=true to MONGO_URL"
        return (
            f"accepts connections but answers nothing within {timing.hello:.0f} s: "
            "it hangs, or is no MongoDB"
        )
    try:
        await _hello(server, {}, timing)
    except PyMongoError:
        pass
    else:
        return "speaks no TLS: remove tls=true from MONGO_URL"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        reason = (
            str(error)
            .partition("CERTIFICATE_VERIFY_FAILED] ")[2]
            .partition(" (")[0]
            .partition(", Timeout:")[0]
        )
        return (
            f"has a certificate that is not accepted ({reason}): "
            "check tlsCAFile and the host's name"
        )
    return "does not complete TLS: check tlsCertificateKeyFile and tlsCAFile"


async def _speaks_tls(server: Address, timing: DiagnosisTiming) -> bool:
    """Return whether a TLS handshake succeeds; nothing is sent, so nothing has to be trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(timing.connect):
            _, writer = await asyncio.open_connection(*server, ssl=context)
    except (OSError, TimeoutError):
        return False
    await _close(writer)
    return True


async def _close(writer: asyncio.StreamWriter) -> None:
    # At once: nothing was sent, and a peer need not take part.
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _of_hello(hello: Mapping[str, Any], wanted: _Url, timing: DiagnosisTiming) -> str:
    set_name = hello.get("setName")
    if set_name is None:
        return _without_set(hello)
    if wanted.set_name not in {None, set_name}:
        return (
            f"belongs to the replica set {set_name!r}, not to {wanted.set_name!r}: "
            f"write replicaSet={set_name}"
        )
    if not wanted.direct and (own_name := hello.get("me")):
        # The driver then uses the addresses that members have in their set, whatever the URL says.
        address = _address(own_name)
        obstacle = None if address in wanted.servers else await _obstacle(address, timing)
        if obstacle is not None:
            return (
                f"calls itself {own_name} in its replica set, which from here {obstacle}: "
                "give the member an address that is reachable from here (rs.reconfig()), "
                "or add directConnection=true to MONGO_URL"
            )
    if not hello.get("primary"):
        return "belongs to a replica set without a primary: a majority of its members has to run"
    return "answers"


def _without_set(hello: Mapping[str, Any]) -> str:
    if hello.get("msg") == "isdbgrid":
        return "answers as mongos"
    if hello.get("isreplicaset"):
        return "belongs to a replica set that was not initiated: run rs.initiate() once"
    return (
        "runs without a replica set, which transactions need: "
        "start it with --replSet and run rs.initiate() once"
    )


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _name(server: Address) -> str:
    host, port = server
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
