"""Finds out who makes a request, before its route reads anything."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from benchmark_manager.api.http.hosts import caller_of
from benchmark_manager.api.http.problems import problem
from benchmark_manager.errors import BenchmarkManagerError, UnauthenticatedError
from benchmark_manager.incoming import (
    keep_credentials,
    keep_principal,
    own_path,
    request_id_of,
)
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.access.identities import (
    ANONYMOUS,
    Credentials,
    IdentityService,
)
from benchmark_manager.session_cookie import session_secret

#: Paths that need no identity, and what is below those that end with a slash.
OPEN_PATHS: Final = (
    "/",
    "/auth/",
    "/docs",
    "/docs/",
    "/health",
    "/livez",
    "/openapi.json",
    "/readyz",
    "/setup",
    "/ui/preferences",
    "/ui/set-up",
    "/ui/sign-in",
    "/ui/static/",
    "/webhooks/github",
)
_BELOW: Final = tuple(path for path in OPEN_PATHS if path != "/" and path.endswith("/"))
#: Open for one method: signing in.
_OPEN_CALLS: Final = frozenset({("POST", "/sessions")})
#: Of probes and of files for browsers nobody is asked who they are, and none is counted.
_UNCOUNTED: Final = frozenset({"/health", "/livez", "/readyz", "/webhooks/github"})
_UNCOUNTED_BELOW: Final = ("/docs/", "/ui/static/")
_METRICS: Final = "/metrics"
_BEARER: Final = b"bearer "
#: Bytes of a name in a proxy's header; a longer one names nobody.
_LONGEST_NAME: Final = 500
#: Who reads figures that are open to everybody.
_METRICS_READER: Final = Principal(
    kind="anonymous", id="", name=ANONYMOUS, via="open", role="reader"
)


class Identification:
    """Refuse requests without an identity, and keep the principal of the others for their routes.

    Where every request is served, they all have one. Requests of each identity, and without one of
    each address, are limited.
    """

    def __init__(
        self, app: ASGIApp, *, user_header: str, groups_header: str, metrics_open: bool
    ) -> None:
        """Take PROXY_USER_HEADER, PROXY_GROUPS_HEADER and METRICS_OPEN."""
        self._app = app
        self._user_header = user_header.lower().encode()
        self._groups_header = groups_header.lower().encode()
        self._metrics_open = metrics_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._identify(scope)
        except BenchmarkManagerError as error:
            await problem(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope) -> None:
        """Keep the request's credentials, and its principal if it has one.

        Raises:
            UnauthenticatedError, SignedTokenError, IssuerError, RateLimitedError
        """
        found = scope["app"].state.services
        identities: IdentityService = found.identities
        credentials = self._credentials(scope)
        keep_credentials(scope, credentials)
        path = own_path(scope)
        if path in _UNCOUNTED or path.startswith(_UNCOUNTED_BELOW):
            if not identities.is_required:
                keep_principal(scope, await _known(identities, credentials))
            return
        address = f"address {caller_of(scope)}"
        limits = found.access.requests
        try:
            principal = await identities.identify(credentials)
        except BenchmarkManagerError:
            # Too many wrong secrets are 429. A right one is served however many wrong ones came
            # from its address, which all clients behind a proxy may share.
            limits.take(address)
            raise
        limits.take(_counted_as(principal) or address)
        if principal is None and self._metrics_open and path == _METRICS:
            principal = _METRICS_READER
        if principal is not None:
            keep_principal(scope, principal)
        elif not is_open(scope["method"], path):
            raise UnauthenticatedError("session" if credentials.session else "")

    def _credentials(self, scope: Scope) -> Credentials:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"")
        is_bearer = authorization[: len(_BEARER)].lower() == _BEARER
        client = scope.get("client")
        users = _values(scope, self._user_header)
        groups = _values(scope, self._groups_header)
        # Of two lines one may be forged, and an empty one may be the proxy's.
        is_named = len(users) == 1 and len(groups) <= 1 and 0 < len(users[0]) <= _LONGEST_NAME
        return Credentials(
            session=session_secret(scope),
            bearer=authorization[len(_BEARER) :].strip().decode("latin-1") if is_bearer else None,
            proxy_user=users[0] if is_named else None,
            proxy_groups=tuple(
                name for value in groups for part in value.split(",") if (name := part.strip())
            ),
            address="" if client is None else client[0],
            request_id=request_id_of(scope),
        )


def is_open(method: str, path: str) -> bool:
    """Return whether a request needs no identity."""
    return path in OPEN_PATHS or path.startswith(_BELOW) or (method, path) in _OPEN_CALLS


async def _known(identities: IdentityService, credentials: Credentials) -> Principal:
    principal = await identities.identify(credentials)
    assert principal is not None  # noqa: S101 -- every request has one where none is required
    return principal


def _counted_as(principal: Principal | None) -> str | None:
    """Return whose requests are counted together: a person's programs apart from the person."""
    if principal is None or not principal.id:
        return None
    return f"{principal.via} {principal.id}"


def _values(scope: Scope, wanted: bytes) -> list[str]:
    """Return the values of a header's lines, each as UTF-8 if it is that."""
    found = []
    for name, value in scope["headers"]:
        if name == wanted:
            try:
                found.append(value.strip().decode())
            except UnicodeDecodeError:
                found.append(value.strip().decode("latin-1"))
    return found
