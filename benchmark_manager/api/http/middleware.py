"""Checks and headers that all requests and answers have in common."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmark_manager.api.http.bodies import BodyBudget, BodyLimit, LimitedBody
from benchmark_manager.api.http.hosts import (
    AllowedHosts,
    TrustedProxies,
    caller_of,
    last_of,
    origin_of,
)
from benchmark_manager.api.http.problems import body_too_large, problem, upload_too_large
from benchmark_manager.domain.http.root_path import normalise_root_path
from benchmark_manager.domain.results.paths import BESIDE_FILE, UPLOAD_FORM, UPLOADS
from benchmark_manager.domain.webhooks.payload import MAX_PAYLOAD
from benchmark_manager.domain.webhooks.signature import PATH as WEBHOOK_PATH
from benchmark_manager.errors import InvalidInputError, RequestError
from benchmark_manager.incoming import own_path, root_path
from benchmark_manager.session_cookie import session_secret
from benchmark_manager.workers.caller import Caller, calling_as

#: Bytes of a request's body.
MAX_BODY: Final = 4 * 1024 * 1024
#: Bytes of the bodies which certain paths take.
_OWN_LIMITS: Final[Mapping[str, int]] = {WEBHOOK_PATH: MAX_PAYLOAD}
#: Paths whose routes check the media type themselves: a webhook's signature is checked first, and
#: an upload may be any file.
_ANY_MEDIA_TYPE: Final = frozenset({UPLOADS, WEBHOOK_PATH})
#: Reading these sends requests to GitHub with the service's token and uses its rate limit.
_COSTLY_PATHS: Final = frozenset({"/repositories/preview"})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: Set in the scope of a HEAD request: for routes whose bodies have no end.
HEAD_ONLY: Final = "benchmark_manager.head_only"
#: Set in the scope to the origin that the browser used, where scheme and Host were replaced.
_ORIGIN: Final = "benchmark_manager.origin"
_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
#: Headers of every answer: browsers must neither guess what a file is nor let another site's page
#: embed it.
_MARKS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_MARKED: Final = frozenset(name for name, _ in _MARKS)
#: Two lengths of a body: a proxy may believe the other one than this service, and then take the
#: rest of the body for another client's request (RFC 9112, 6.1).
_TWO_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})
_CLOSE: Final = (b"connection", b"close")
_WHOLE_SITE: Final = re.compile(rb"(?i); path=/(?=;|$)")


class Edge:
    """Accept only requests to the service's own names, and add common headers to answers.

    Routes and redirects do not know the prefix that a proxy puts before their paths: this adds it
    to the request's path, if the proxy has removed it, and to the `Location` and the cookies of
    answers.

    HEAD is answered as GET without its body (RFC 9110, 9.3.2). After a request with two lengths the
    connection ends.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: Collection[str],
        public_url: str | None,
        root_path: str,
        proxies: Sequence[str],
        identity_headers: Collection[str] = (),
    ) -> None:
        """Take the settings ALLOWED_HOSTS, PUBLIC_URL, ROOT_PATH and TRUSTED_PROXIES.

        `identity_headers` name people, and are removed from requests of others than those proxies.
        """
        self._app = app
        self._identity_headers = frozenset(name.lower().encode() for name in identity_headers)
        self._hosts = AllowedHosts(allowed_hosts, public_url)
        self._proxies = TrustedProxies(proxies)
        self._root = root_path
        self._public: tuple[str, bytes] | None = None
        if public_url is not None:
            scheme, _, host = public_url.partition("://")
            self._public = scheme, host.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        ends = {name for name, _ in scope["headers"]} >= _TWO_LENGTHS
        marks = (*_MARKS, _CLOSE) if ends else _MARKS
        root = ""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [
                    header
                    for header in message.get("headers", ())
                    if header[0].lower() not in _MARKED
                ]
                message = {**message, "headers": [*(_below(root, kept) if root else kept), *marks]}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            seen = self._seen(scope)
        except RequestError as error:
            await problem(error)(scope, receive, send_marked)
            return
        root = root_path(seen)
        if head:
            seen = {**seen, "method": "GET", HEAD_ONLY: True}
        await self._app(seen, receive, send_marked)

    def _seen(self, scope: Scope) -> Scope:
        """Return the request with the address that its sender used.

        Raises:
            RequestError: the host is not this service's, or the prefix is invalid.
        """
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (hosts and not self._hosts.accepts(hosts[0])):
            raise RequestError("host_not_allowed")
        client = scope.get("client")
        root = self._root
        if client is not None and self._proxies.include(client[0]):
            scope = self._forwarded(scope, client[0])
            root = root or _forwarded_prefix(scope)
        else:
            scope = self._without_identity(scope)
        scope = _at_root_path(scope, root)
        return scope if self._public is None else self._at_public_url(scope, self._public)

    def _without_identity(self, scope: Scope) -> Scope:
        headers = scope["headers"]
        if self._identity_headers.isdisjoint(name for name, _ in headers):
            return scope
        kept = [header for header in headers if header[0] not in self._identity_headers]
        return {**scope, "headers": kept}

    def _forwarded(self, scope: Scope, proxy: str) -> Scope:
        """Return the request as the client sent it to the proxies.

        Raises:
            RequestError: the proxies received it for another host.
        """
        headers = dict(scope["headers"])
        changes: dict[str, object] = {}
        scheme = last_of(headers.get(b"x-forwarded-proto", b"")).lower()
        if scheme in {b"http", b"https"}:
            changes["scheme"] = scheme.decode()
        if chain := _joined(scope, b"x-forwarded-for"):
            changes["client"] = (self._proxies.client(proxy, chain), 0)
        if host := last_of(headers.get(b"x-forwarded-host", b"")):
            # Some proxies pass this header on as a page sent it.
            if not self._hosts.accepts(host):
                raise RequestError("host_not_allowed")
            changes["headers"] = _with_host(scope, host)
        return {**scope, **changes}

    def _at_public_url(self, scope: Scope, public: tuple[str, bytes]) -> Scope:
        """Return the request as if it was sent to PUBLIC_URL, from which all links are made."""
        scheme, host = public
        arrived = _origin_asked(scope)
        return {**scope, "scheme": scheme, "headers": _with_host(scope, host), _ORIGIN: arrived}


def _forwarded_prefix(scope: Scope) -> str:
    """Return the prefix that the nearest proxy puts before the service's paths.

    Raises:
        RequestError: it is invalid. Ignored, every link of the answer would lead elsewhere.
    """
    try:
        return normalise_root_path(
            last_of(_joined(scope, b"x-forwarded-prefix").encode("latin-1")).decode("latin-1")
        )
    except InvalidInputError:
        raise RequestError("prefix_not_allowed", "header") from None


def _at_root_path(scope: Scope, root: str) -> Scope:
    """Return the request with its whole path, though a proxy may have removed the prefix."""
    root = root or scope.get("root_path", "")
    if not root:
        return scope
    path: str = scope["path"]
    below = path.removeprefix(root) if path == root or path.startswith(f"{root}/") else path
    return {**scope, "root_path": root, "app_root_path": root, "path": root + (below or "/")}


def _below(root: str, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer for browsers that reach the service below `root`."""
    return [(name, _value_below(root.encode(), name.lower(), value)) for name, value in headers]


def _value_below(root: bytes, name: bytes, value: bytes) -> bytes:
    if name == b"location" and value.startswith(b"/") and not value.startswith(b"//"):
        return root + value
    if name == b"set-cookie":
        return _WHOLE_SITE.sub(b"; Path=" + root, value)
    return value


def _joined(scope: Scope, wanted: bytes) -> str:
    """Return all values of a header, as one list (RFC 9110, 5.3)."""
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def _with_host(scope: Scope, host: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"host", host), *(header for header in scope["headers"] if header[0] != b"host")]


def _origin_asked(scope: Scope) -> bytes:
    """Return the origin of a page at this request's own scheme and host."""
    given = scope.get(_ORIGIN)
    if isinstance(given, bytes):
        return given
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return origin_of(scope["scheme"], host)


class Gate:
    """Accept changes only from the service's own pages and programs, and bodies within limits.

    Browsers name the origin of the page in every request that changes something; programs do not.
    `Sec-Fetch-Site` does not suffice: it is absent on plain http, and `same-site` is another port
    or another name of the domain.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        forms: str,
        max_form: int,
        max_result: int,
        origins: Collection[str],
        public_url: str | None,
        body_seconds: float,
        identity_header: str | None = None,
        needs_identity: bool = False,
    ) -> None:
        """Accept `origins`, or `*`: the origins of other pages that may call the API.

        Below the path `forms` a body is a form of at most `max_form` bytes, protected by its own
        token, and only the service's own pages may send one. An uploaded result has at most
        `max_result` bytes, and its form a few more.

        `needs_identity`: requests are served for what they carry. A browser adds a session's cookie
        by itself, and a proxy the `identity_header`, whoever wrote the page that sends them. So
        changes that carry one of these need an origin that is the service's own. No page of
        another site can add a bearer token, unless `origins` allow it.
        """
        self._identity_header = (
            None if identity_header is None else identity_header.lower().encode()
        )
        self._needs_identity = needs_identity
        self._app = app
        self._forms = forms
        self._max_form = BodyLimit(max_form, body_too_large(max_form))
        self._max_upload = BodyLimit(max_result + BESIDE_FILE, upload_too_large(max_result))
        self._own_limits = {
            UPLOADS: self._max_upload,
            **{path: BodyLimit(size, body_too_large(size)) for path, size in _OWN_LIMITS.items()},
        }
        self._max_body = BodyLimit(MAX_BODY, body_too_large(MAX_BODY))
        self._any_origin = "*" in origins
        self._origins = frozenset(origin.lower().rstrip("/").encode() for origin in origins)
        self._public = None if public_url is None else public_url.encode()
        self._budget = BodyBudget()
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        # The time of worker processes that it uses counts for its address.
        with calling_as(Caller(f"address:{caller or 'unknown'}", request=True)):
            await self._admit(scope, receive, send, caller)

    async def _admit(self, scope: Scope, receive: Receive, send: Send, caller: str) -> None:
        headers = dict(scope["headers"])
        is_safe = scope["method"] in _SAFE_METHODS and not _is_costly(scope)
        if not is_safe and self._is_foreign(scope, headers):
            await problem(RequestError("origin_not_allowed"))(scope, receive, send)
            return
        has_body = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        if not has_body and scope["method"] not in _BODY_METHODS:
            await self._app(scope, receive, send)
            return
        limit = self._limit(own_path(scope))
        refusal = self._refusal(scope, headers, limit) if has_body else None
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        body = LimitedBody(receive, limit, self._budget, caller, seconds=self._body_seconds)
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.close()

    def _is_foreign(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Return whether a page of another site made a browser send this."""
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if self._needs_identity and scope["method"] not in _SAFE_METHODS:
            if not self._takes_form(scope) and _has_bearer(headers):
                return False
            if self._is_identified_by_browser(scope, headers):
                return not self._is_own(scope, origin)
        if not self._takes_form(scope) and self._is_allowed(origin):
            return False
        if site not in {None, b"same-origin", b"none"}:
            return True
        return origin is not None and origin not in {_origin_asked(scope), self._public}

    def _is_identified_by_browser(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Return whether the request carries an identity that its sender need not know."""
        by_proxy = self._identity_header is not None and self._identity_header in headers
        return by_proxy or session_secret(scope) is not None

    def _is_own(self, scope: Scope, origin: bytes | None) -> bool:
        """Return whether a page of the service, or of a site that may act for people, sent this."""
        if origin is None:
            return False
        named = not self._takes_form(scope) and origin in self._origins
        return named or origin in {_origin_asked(scope), self._public}

    def _is_allowed(self, origin: bytes | None) -> bool:
        # `null` is that of any page in a sandbox.
        return (
            origin is not None
            and origin != b"null"
            and (self._any_origin or origin in self._origins)
        )

    def _takes_form(self, scope: Scope) -> bool:
        return own_path(scope).startswith(self._forms)

    def _limit(self, path: str) -> BodyLimit:
        if path.startswith(self._forms):
            is_upload = UPLOAD_FORM.fullmatch(path, len(self._forms) - 1) is not None
            return self._max_upload if is_upload else self._max_form
        return self._own_limits.get(path, self._max_body)

    def _refusal(
        self, scope: Scope, headers: Mapping[bytes, bytes], limit: BodyLimit
    ) -> Response | None:
        """Return the answer to a body that is too long, or does not claim to be JSON; else None."""
        length = headers.get(b"content-length", b"")
        digits = len(str(limit.size))
        if length.isdigit() and (len(length) > digits or int(length) > limit.size):
            return problem(limit.error)
        if (
            scope["method"] in _BODY_METHODS
            and own_path(scope) not in _ANY_MEDIA_TYPE
            and not self._takes_form(scope)
            and not _is_json(headers.get(b"content-type", b""))
        ):
            return problem(RequestError("unsupported_media_type"))
        return None


def _is_costly(scope: Scope) -> bool:
    """Return whether reading this sends requests to GitHub."""
    return scope["method"] in {"GET", "HEAD"} and own_path(scope) in _COSTLY_PATHS


def _has_bearer(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"authorization", b"").lower().startswith(b"bearer ")


def _is_json(content_type: bytes) -> bool:
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == b"application/json" or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )
