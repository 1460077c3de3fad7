"""Requests to the service's HTTP API, problem documents, and lists in pages.

Only httpx2 and platformdirs are imported, and nothing of the service, so that commands start fast
in a small container.
"""

import getpass
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Self, TypeAlias

import httpx2 as httpx

from benchmark_manager.client.address import DEFAULT_URL, URL_VARIABLE, parse_address, shown
from benchmark_manager.client.errors import (
    InvalidCallError,
    RefusedError,
    UnreachableError,
)
from benchmark_manager.client.progress_watch import ProgressWatch
from benchmark_manager.client.shapes import PROBLEM, Shape, fits
from benchmark_manager.client.tokens import BearerAuth, Token, find_token
from benchmark_manager.domain.http.content_codings import ACCEPTED, is_readable
from benchmark_manager.domain.text.json_size import counted_values

Json: TypeAlias = dict[str, Any]
JsonValue: TypeAlias = Any
"""A value of JSON, whose shape was checked."""
Parameter: TypeAlias = str | int | None
"""A parameter of a query; None leaves it out."""

ACTOR_VARIABLE: Final = "BENCHMARK_MANAGER_ACTOR"

#: Seconds for a connection, and between two pieces of an answer.
_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 60.0
#: Benchmark Manager asks for no more; another server's answer must not stop a command for a day.
_LONGEST_RETRY_AFTER: Final = 30.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PAGE: Final = 1000
#: Consecutive pages without rows, as a search of many files may have.
_EMPTY_PAGES: Final = 1000

#: Bytes of a problem document.
MAX_PROBLEM: Final = 1024 * 1024
#: Bytes of the JSON answers of one list or resource, and the values and names in them: a value of
#: three bytes takes a hundred in memory. A list of 200,000 files has 130 MB and 7,500,000 values.
MAX_JSON: Final = 128 * 1024 * 1024
MAX_VALUES: Final = 8_000_000
#: Rows of one list.
MAX_ROWS: Final = 200_000


class _AnswerBudget:
    """How many bytes, and values in JSON, the answers to one request may still have."""

    def __init__(self) -> None:
        self.bytes = MAX_JSON
        self.values = MAX_VALUES


@dataclass(frozen=True, slots=True)
class MultipartForm:
    """Fields and a file, which are sent as `multipart/form-data`."""

    fields: Mapping[str, str]
    file_name: str
    data: bytes


class Body:
    """An answer's body as it arrives, decompressed.

    Attributes:
        length: the length that the answer's header announces, if it does.
        pieces: the body.
    """

    def __init__(self, answer: httpx.Response, pieces: Iterator[bytes]) -> None:
        length = answer.headers.get("content-length", "")
        self.length = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        self.pieces = pieces


class Client:
    """A connection to one service.

    Every method raises `RefusedError` or `UnreachableError` for an answer that is not a success.

    Time and memory are bounded, whatever the server at the address sends: answers that are read as
    a whole have a limit, and a connection on which too little arrives is closed.
    """

    def __init__(
        self,
        url: str,
        *,
        actor: str | None = None,
        token: Token | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: float = _READ_SECONDS,
        page_size: int = _PAGE,
    ) -> None:
        """Prepare requests to a service; nothing is sent yet.

        Args:
            url: the service's address.
            actor: the name that changes are recorded under; with a token, one that may act for
                others.
            token: of a program, or signed by a trusted issuer; a `TokenFile` is read for each
                request. It is sent to this address only.
            transport: instead of the network, for tests.
            timeout: the seconds in which an answer must begin, and then send 64 kB or its end.
            page_size: the rows to request at once from a list.

        Raises:
            InvalidAddressError: `url` is not an HTTP URL.
            InvalidCallError: the proxy or the certificates of the environment cannot be used, or
                `token` is none.
        """
        address = parse_address(url)
        self.shown_url = shown(address)
        self._page_size = page_size
        self._watch = ProgressWatch(timeout)
        auth = None if token is None else BearerAuth(token, address)
        self._http = _http_client(address, actor, auth, transport, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Parameter) -> httpx.Response:
        return self.send("GET", path, params=params)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Parameter] | None = None,
        body: Mapping[str, Any] | None = None,
        form: MultipartForm | None = None,
        if_match: str | None = None,
    ) -> httpx.Response:
        """Send one request and return its whole answer.

        Args:
            method: of HTTP.
            path: below the service's address.
            params: of the query; those that are None are left out.
            body: sent as JSON.
            form: sent instead of `body`.
            if_match: the ETag that the resource must have.

        Raises:
            InvalidCallError: a text is not UTF-8.
        """
        return self._send(
            method,
            path,
            _AnswerBudget(),
            params=params,
            body=body,
            form=form,
            if_match=if_match,
        )

    def _send(
        self,
        method: str,
        path: str,
        budget: _AnswerBudget,
        *,
        params: Mapping[str, Parameter] | None = None,
        body: Mapping[str, Any] | None = None,
        form: MultipartForm | None = None,
        if_match: str | None = None,
    ) -> httpx.Response:
        try:
            request = self._http.build_request(
                method,
                path,
                params=_given(params),
                json=body,
                data=None if form is None else form.fields,
                files=None if form is None else {"file": (form.file_name, form.data)},
                headers=None if if_match is None else {"If-Match": if_match},
            )
            # The watch needs to know how much there is to send.
            request.read()
        except UnicodeEncodeError:
            raise InvalidCallError(
                "A text that was given is not UTF-8, as all texts for the service must be."
            ) from None
        with self._answer(request) as answer:
            whole = self._whole(answer, budget.bytes if answer.is_success else MAX_PROBLEM)
        budget.bytes -= len(whole.content)
        return self._checked(whole)

    @contextmanager
    def stream(self, path: str) -> Iterator[Body]:
        """Yield an answer's body as it arrives.

        Reading a body that is cut short raises `UnreachableError`.
        """
        request = self._http.build_request("GET", path, headers={"Accept": "*/*"})
        with self._answer(request) as answer:
            if not answer.is_success:
                self._checked(self._whole(answer, MAX_PROBLEM))
            yield Body(answer, self._pieces(answer))

    def rows(self, path: str, shape: Shape, **params: Parameter) -> list[Json]:
        """Return the rows of all pages of a list, each of the given shape."""
        found: list[Json] = []
        budget = _AnswerBudget()
        answer = self._send("GET", path, budget, params={"limit": self._page_size, **params})
        while True:
            page = self._json(answer, [shape], budget)
            found += page
            if (following := answer.links.get("next", {}).get("url")) is None:
                return found
            if not page or len(found) > MAX_ROWS:
                raise self._not_ours(
                    f"its list has over {MAX_ROWS} rows, or an empty page before the last"
                )
            params = {**params, "cursor": self._cursor(following)}
            answer = self._send("GET", path, budget, params={"limit": self._page_size, **params})

    def pages(
        self,
        path: str,
        shape: Shape,
        *,
        on_page: Callable[[Mapping[str, str]], None] | None = None,
        **params: Parameter,
    ) -> Iterator[Json]:
        """Yield the rows of a list, each of the given shape, and request pages as they are needed.

        Args:
            path: of the list.
            shape: of a row.
            on_page: called with the headers of each page.
            params: of the query.
        """
        count = empty = 0
        while True:
            budget = _AnswerBudget()
            answer = self._send("GET", path, budget, params={"limit": self._page_size, **params})
            page = self._json(answer, [shape], budget)
            if on_page is not None:
                on_page(answer.headers)
            yield from page
            count, empty = count + len(page), 0 if page else empty + 1
            if (following := answer.links.get("next", {}).get("url")) is None:
                return
            if count > MAX_ROWS or empty > _EMPTY_PAGES:
                raise self._not_ours(
                    f"its list has over {MAX_ROWS} rows, or {_EMPTY_PAGES} empty pages in a row"
                )
            params = {**params, "cursor": self._cursor(following)}

    def _cursor(self, following: str) -> str:
        """Return the cursor in a link; behind a proxy, the rest of the link may be wrong."""
        try:
            cursor = httpx.URL(following).params.get("cursor")
        except (httpx.InvalidURL, ValueError):
            cursor = None
        if not cursor:
            raise self._not_ours("the next page of its list has no cursor")
        return str(cursor)

    def json(self, answer: httpx.Response, shape: Shape) -> JsonValue:
        """Return the JSON value of an answer, which must have the shape."""
        return self._json(answer, shape, _AnswerBudget())

    def _json(self, answer: httpx.Response, shape: Shape, budget: _AnswerBudget) -> JsonValue:
        before = budget.values
        for most, _ in counted_values(answer.content):
            budget.values = before - most
            if budget.values < 0:
                raise self._not_ours(f"it answers with over {MAX_VALUES} values")
        value = _parsed(answer.content)
        if not fits(value, shape):
            raise self._not_ours(f"it answers {answer.status_code} without the expected JSON")
        return value

    @contextmanager
    def _answer(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """Send a request, and yield the answer before its body is read."""
        request.extensions["trace"] = self._watch.trace
        with self._translated_errors(), self._watch.request(len(request.content)):
            answer = self._http.send(request, stream=True)
            try:
                self._watch.begun()
                if not is_readable(answer.headers.get_list("content-encoding", split_commas=True)):
                    raise self._not_ours("it answers in a content coding that was not requested")
                yield answer
            finally:
                answer.close()

    def _pieces(self, answer: httpx.Response) -> Iterator[bytes]:
        with self._translated_errors():
            for piece in answer.iter_bytes():
                self._watch.arrived(len(piece))
                yield piece
            # A body without a length ends with its connection, even if the watch has closed that.
            if self._watch.expired:
                raise httpx.ReadTimeout("too slow")

    def _whole(self, answer: httpx.Response, at_most: int) -> httpx.Response:
        body = bytearray()
        for piece in self._pieces(answer):
            body += piece
            if len(body) > at_most:
                raise self._not_ours(f"it answers with more than {at_most} bytes")
        coded = {"content-encoding", "content-length", "transfer-encoding"}
        headers = [
            (name, value) for name, value in answer.headers.multi_items() if name not in coded
        ]
        whole = httpx.Response(answer.status_code, headers=headers, content=bytes(body))
        # The header's charset is ignored: some of Python's codecs take quadratic time, and some do
        # not make text.
        whole.encoding = "utf-8"
        return whole

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if self._watch.expired:
                raise self._unreachable("no answer in time, or one that is too slow") from None
            if isinstance(error, httpx.TimeoutException):
                raise self._unreachable(f"no answer in time ({type(error).__name__})") from None
            raise self._unreachable(_reason(error)) from None

    def _unreachable(self, reason: str) -> UnreachableError:
        return UnreachableError(f"{self.shown_url} cannot be reached: {reason}.")

    def _not_ours(self, reason: str) -> UnreachableError:
        return UnreachableError(
            f"{self.shown_url} is not Benchmark Manager: {reason}.", is_temporary=False
        )

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        if answer.is_redirect:
            raise self._not_ours(f"it redirects to {answer.headers.get('location', 'nowhere')}")
        problem = _problem(answer)
        if problem is not None:
            raise RefusedError(
                answer.status_code, problem, answer.text, retry_after=_retry_after(answer)
            )
        if answer.status_code in {429, 502, 503, 504}:
            raise self._unreachable(f"a proxy in front of it answers {answer.status_code}")
        raise self._not_ours(f"it answers {answer.status_code}")


def _http_client(
    address: httpx.URL,
    actor: str | None,
    auth: httpx.Auth | None,
    transport: httpx.BaseTransport | None,
    timeout: float,
) -> httpx.Client:
    is_elsewhere = address.host not in _LOOPBACK
    # As bytes, since httpx2 encodes text as ASCII, and names have other letters too.
    headers = [
        (b"Accept", b"application/json"),
        (b"Accept-Encoding", ACCEPTED.encode()),
        *([(b"X-Actor", actor.encode())] if actor else []),
    ]
    try:
        return httpx.Client(
            base_url=address,
            headers=headers,
            auth=auth,
            timeout=httpx.Timeout(timeout, connect=min(_CONNECT_SECONDS, timeout)),
            # There is no proxy between this machine and itself.
            trust_env=is_elsewhere,
            # Loading certificates takes longer than a request, so only HTTPS loads them.
            verify=is_elsewhere or address.scheme == "https",
            transport=transport,
            # The service sets no cookies; another server's would accumulate.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )
    except (httpx.InvalidURL, ValueError, OSError, ImportError) as error:
        # Without the message, which may contain the proxy's password.
        raise InvalidCallError(
            "The proxy (HTTP_PROXY, ...) or certificates (SSL_CERT_FILE) set here cannot be "
            f"used ({type(error).__name__})."
        ) from None


def connect(
    url: str | None = None, *, token: Token | None = None, timeout: float = _READ_SECONDS
) -> Client:
    """Return a client that acts as the owner of a token, or records the user's name without one.

    Args:
        url: the service's address; else BENCHMARK_MANAGER_URL, else http://127.0.0.1:8001.
        token: else BENCHMARK_MANAGER_TOKEN, else the content of BENCHMARK_MANAGER_TOKEN_FILE, else
            that of the last `benchmark-manager login` at this address.
        timeout: as for `Client`.

    Raises:
        InvalidCallError: as `Client` does; or BENCHMARK_MANAGER_ACTOR is not printable; or a token
            cannot be used.
    """
    url = url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    if token is None:
        found = find_token(parse_address(url))
        token = None if found is None else found.token
    # Only tokens that may act for others name somebody else, so the user's name is not assumed.
    name = actor() if token is None else _named_actor()
    return Client(url, actor=name, token=token, timeout=timeout)


def actor() -> str | None:
    """Return BENCHMARK_MANAGER_ACTOR, else the user's name, which many containers do not have.

    Raises:
        InvalidCallError: it has characters that a header cannot hold.
    """
    return _printable(_named_actor() or _user())


def _named_actor() -> str | None:
    return _printable(os.environ.get(ACTOR_VARIABLE, "").strip() or None)


def _printable(name: str | None) -> str | None:
    if name is not None and not name.isprintable():
        raise InvalidCallError(f"{ACTOR_VARIABLE} must be printable.")
    return name


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None


def _given(params: Mapping[str, Parameter] | None) -> dict[str, str | int] | None:
    return {name: value for name, value in params.items() if value is not None} if params else None


def _reason(error: Exception) -> str:
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _problem(answer: httpx.Response) -> Json | None:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    problem = _parsed(answer.content)
    return problem if fits(problem, PROBLEM) else None


def _parsed(body: bytes) -> JsonValue:
    """Return a body's JSON value; None if it is not JSON, or too deep for Python."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _retry_after(answer: httpx.Response) -> float | None:
    seconds = answer.headers.get("retry-after", "")
    return (
        min(float(seconds), _LONGEST_RETRY_AFTER) if re.fullmatch("[0-9]{1,9}", seconds) else None
    )
