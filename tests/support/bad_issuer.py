"""An OpenID Connect provider over a plain socket, whose every lie is a switch.

Without a switch it behaves: it has discovery, keys, an authorization endpoint that signs in at
once, a token endpoint that checks the code, the redirect address and PKCE, and userinfo.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

Json = dict[str, Any]
Key = RSAKey | ECKey | OKPKey

DISCOVERY: Final = "/.well-known/openid-configuration"
JWKS: Final = "/jwks"
TOKEN: Final = "/token"
USERINFO: Final = "/userinfo"
#: Seconds since 1970 at which its tokens begin; they last five minutes. MongoDB deletes by itself
#: what is old by its own clock, so this is no fixed time.
NOW: Final = int(time.time())
LASTING: Final = 300
CLIENT: Final = "bench"
CLIENT_SECRET: Final = "a secret: with/odd signs"

_REGISTRY: Final = JWSRegistry(
    algorithms=["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "Ed25519", "EdDSA"]
)


@cache
def rsa_key(kid: str = "one", bits: int = 2048) -> RSAKey:
    """A key pair that all tests of a run share: making one takes a tenth of a second."""
    with warnings.catch_warnings():
        # Small ones are what issuers must not have.
        warnings.simplefilter("ignore", SecurityWarning)
        return RSAKey.generate_key(bits, {"kid": kid})


@cache
def ec_key(kid: str = "ec", curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid})


@cache
def ed_key(kid: str = "ed") -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": kid})


def public(key: Key, **members: Any) -> Json:
    """A key as issuers publish it, with other members where they are given."""
    return {**key.as_dict(private=False), "use": "sig", **members}


def signed(
    claims: Mapping[str, Any], key: Key | None = None, alg: str = "RS256", **header: Any
) -> str:
    """A signed token; a member of the header that is None is left out."""
    key = key or rsa_key()
    members = {"alg": alg, "kid": key.kid, "typ": "JWT", **header}
    kept = {name: value for name, value in members.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(kept, json.dumps(claims), key, registry=_REGISTRY)


def handmade(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes | None) -> str:
    """A token as no library makes it: without a signature, or with HMAC of any secret."""
    parts = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    if secret is None:
        return f"{parts}."
    return f"{parts}.{_encoded(hmac.digest(secret, parts.encode(), hashlib.sha256))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class IssuerClock:
    """The issuer's time; it stands still between calls of `pass_by`."""

    now: datetime = field(default_factory=lambda: datetime.fromtimestamp(NOW, UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class IssuerReply:
    """What is sent for a request; `pause` seconds pass between pieces of the body."""

    status: int = 200
    body: Iterable[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0

    @classmethod
    def of(cls, content: object, status: int = 200) -> "IssuerReply":
        return cls(status, [json.dumps(content).encode()], {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class IssuerRequest:
    """A request that reached the issuer."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass
class BadIssuer:
    """The provider. What tests set makes it lie.

    Attributes:
        document: members of the discovery document instead of the right ones; None: left out.
        claims: the same for the claims of ID tokens.
        keys: the published keys.
        key: what it signs with.
        header: members of the header of ID tokens.
        id_token: sent instead of one that it signs.
        userinfo: what the userinfo endpoint answers.
        back: parameters with which browsers come back instead of the right ones.
        replies: by path, what is sent whatever is asked for.
        asked: every request.
    """

    url: str
    document: Json = field(default_factory=dict)
    claims: Json = field(default_factory=dict)
    keys: list[Any] = field(default_factory=lambda: [public(rsa_key())])
    key: Key = field(default_factory=rsa_key)
    alg: str = "RS256"
    header: Json = field(default_factory=dict)
    id_token: object = None
    userinfo: Json = field(default_factory=lambda: {"sub": "kim", "groups": ["bench"]})
    back: Json = field(default_factory=dict)
    replies: dict[str, IssuerReply] = field(default_factory=dict)
    asked: list[IssuerRequest] = field(default_factory=list)
    _codes: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(each.path == path for each in self.asked)

    def claims_for(self, audience: object, **claims: Any) -> Json:
        """The claims of a good token, with others where they are given; None: left out."""
        good = {
            "iss": self.url,
            "sub": "kim",
            "aud": audience,
            "iat": NOW,
            "exp": NOW + LASTING,
            **claims,
        }
        return {name: value for name, value in good.items() if value is not None}

    def token(self, audience: object = CLIENT, **claims: Any) -> str:
        """A token that it signs, with `header` and these claims."""
        return signed(self.claims_for(audience, **claims), self.key, self.alg, **self.header)

    def sign_in(self, address: str) -> dict[str, str]:
        """Sign in at the address to which a browser was sent; return with what it comes back."""
        query = dict(parse_qsl(urlsplit(address).query))
        code = f"code-{len(self._codes)}"
        self._codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.url, **self.back}
        return {name: value for name, value in back.items() if value is not None}

    def answer(self, asked: IssuerRequest) -> IssuerReply:
        """What it sends for a request."""
        if asked.path in self.replies:
            return self.replies[asked.path]
        answers: dict[str, Callable[[IssuerRequest], IssuerReply]] = {
            DISCOVERY: lambda _: IssuerReply.of(self._discovery()),
            JWKS: lambda _: IssuerReply.of({"keys": self.keys}),
            "/authorize": self._authorize,
            TOKEN: self._token,
            USERINFO: lambda _: IssuerReply.of(self.userinfo),
        }
        answer = answers.get(asked.path)
        return IssuerReply.of({"error": "not found"}, 404) if answer is None else answer(asked)

    def _authorize(self, asked: IssuerRequest) -> IssuerReply:
        address = f"{self.url}/authorize?{urlencode(asked.query)}"
        back = f"{asked.query['redirect_uri']}?{urlencode(self.sign_in(address))}"
        return IssuerReply(303, headers={"Location": back})

    def _discovery(self) -> Json:
        right = {
            "issuer": self.url,
            "jwks_uri": self.url + JWKS,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": self.url + TOKEN,
            "userinfo_endpoint": self.url + USERINFO,
            **self.document,
        }
        return {name: value for name, value in right.items() if value is not None}

    def _token(self, asked: IssuerRequest) -> IssuerReply:
        begun = self._codes.pop(asked.form.get("code", ""), None)
        verifier = asked.form.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        if (
            begun is None
            or not self._is_client(asked)
            or asked.form.get("redirect_uri") != begun["redirect_uri"]
            or _encoded(digest) != begun["code_challenge"]
        ):
            return IssuerReply.of({"error": "invalid_grant"}, 400)
        if self.id_token is not None:
            return IssuerReply.of({"id_token": self.id_token, "access_token": "opaque"})
        claims = {"nonce": begun["nonce"], "name": "Kim Min", **self.claims}
        return IssuerReply.of({"id_token": self.token(CLIENT, **claims), "access_token": "opaque"})

    def _is_client(self, asked: IssuerRequest) -> bool:
        scheme, _, encoded = asked.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, CLIENT_SECRET)
        secret = asked.form.get("client_secret", CLIENT_SECRET)
        return (asked.form.get("client_id"), secret) == (CLIENT, CLIENT_SECRET)


@asynccontextmanager
async def bad_issuer() -> AsyncIterator[BadIssuer]:
    """A provider on a free port of this machine, in this event loop."""
    issuer = BadIssuer("")
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _serve(issuer, reader, writer)
        writer.close()
        serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    issuer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield issuer
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _serve(
    issuer: BadIssuer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    target = urlsplit(head[0].split(" ")[1])
    asked = IssuerRequest(
        target.path, dict(parse_qsl(target.query)), headers, dict(parse_qsl(body.decode()))
    )
    issuer.asked.append(asked)
    reply = issuer.answer(asked)
    lines = [f"HTTP/1.1 {reply.status} Whatever", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    for piece in reply.body:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(reply.pause)
    await writer.drain()
