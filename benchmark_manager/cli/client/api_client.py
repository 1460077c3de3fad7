"""The service's HTTP API as commands use it: requests, problem documents, pages.

Only httpx2 is imported, and nothing of the service, so that a command starts fast in a small
container.
"""

import getpass
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Self, TypeAlias

import httpx2 as httpx

from benchmark_manager.cli.client.progress_watch import ProgressWatch
from benchmark_manager.cli.client.shapes import PROBLEM, Shape, fits
from benchmark_manager.cli.terminal.failures import RefusedError, UnreachableError, WrongUsageError
from benchmark_manager.domain.http.content_codings import ACCEPTED, is_readable
from benchmark_manager.domain.text.json_size import counted_values

Json = dict[str, Any]
#: Of a query; None leaves it out.
Parameter: TypeAlias = str | int | None

DEFAULT_URL: Final = "http://127.0.0.1:8001"
URL_VARIABLE: Final = "BENCHMARK_MANAGER_URL"
ACTOR_VARIABLE: Final = "BENCHMARK_MANAGER_ACTOR"

#: Seconds: for a connection, and between two pieces of an answer.
_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 60.0
#: No service asks for more; somebody else's answer must not make a command sleep for a day.
_LONGEST_RETRY_AFTER: Final = 30.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PAGE: Final = 1000
#: Pages in a row in which a search found nothing yet.
_EMPTY_PAGES: Final = 1000

#: Bytes of a problem document.
MAX_PROBLEM: Final = 1024 * 1024
#: Bytes of the JSON answers of one command's list or resource, and the values and names in them: a
#: value of three bytes takes a hundred in memory. A list of 200,000 files has 130 MB and 7,500,000.
MAX_JSON: Final = 128 * 1024 * 1024
MAX_VALUES: Final = 8_000_000
#: Rows of one list.
MAX_ROWS: Final = 200_000


class _Budget:
    """What the answers to one question may still take: bytes, and values in their JSON."""

    def __init__(self) -> None:
        self.bytes = MAX_JSON
        self.values = MAX_VALUES


class Body:
    """An answer's body as it arrives, decompressed; `length` is what its header announces, if it does."""

    def __init__(self, answer: httpx.Response, pieces: Iterator[bytes]) -> None:
        length = answer.headers.get("content-length", "")
        self.length = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        self.pieces = pieces


class Api:
    """One service. Every method raises `RefusedError` or `UnreachableError` for what is no success.

    Nothing that the server at the address sends makes a command wait, or take memory, without end:
    answers which are read as a whole have a limit, and a connection on which too little arrives is
    closed.
    """

    def __init__(
        self,
        url: str,
        *,
        actor: str | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: float = _READ_SECONDS,
        page_size: int = _PAGE,
    ) -> None:
        """Speak to the service at `url`, in the name of `actor`; nothing is sent yet.

        `timeout`: the seconds in which an answer has to begin, and then to bring 64 kB or its end.

        Raises:
            WrongUsageError: `url` is no address.
        """
        address = _address(url)
        self._page_size = page_size
        # A user name or password in it must not be shown.
        self.place = f"{address.scheme}://{address.netloc.decode('ascii', 'replace')}{address.path.rstrip('/')}"
        # As bytes: httpx2 would take a text for ASCII, and people are called Jörg.
        is_elsewhere = address.host not in _LOOPBACK
        headers = [
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", ACCEPTED.encode()),
            *([(b"X-Actor", actor.encode())] if actor else []),
        ]
        self._watch = ProgressWatch(timeout)
        try:
            self._http = httpx.Client(
                base_url=address,
                headers=headers,
                timeout=httpx.Timeout(timeout, connect=min(_CONNECT_SECONDS, timeout)),
                # No proxy stands between this machine and itself.
                trust_env=is_elsewhere,
                # Certificates take longer to load than a request; where nothing is encrypted, none
                # is looked at.
                verify=is_elsewhere or address.scheme == "https",
                transport=transport,
                # The service sets no cookie; another server's would pile up.
                cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            )
        except (httpx.InvalidURL, ValueError, OSError, ImportError) as error:
            # Not the message: it may tell the password for the proxy.
            raise WrongUsageError(
                f"The proxy (HTTP_PROXY, ...) or certificates (SSL_CERT_FILE) set here are of no use "
                f"({type(error).__name__})."
            ) from None

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
        if_match: str | None = None,
    ) -> httpx.Response:
        """One request, and its whole answer; parameters which are None are left out."""
        return self._send(method, path, _Budget(), params=params, body=body, if_match=if_match)

    def _send(
        self,
        method: str,
        path: str,
        budget: _Budget,
        *,
        params: Mapping[str, Parameter] | None = None,
        body: Mapping[str, Any] | None = None,
        if_match: str | None = None,
    ) -> httpx.Response:
        try:
            request = self._http.build_request(
                method,
                path,
                params=_given(params),
                json=body,
                headers=None if if_match is None else {"If-Match": if_match},
            )
        except UnicodeEncodeError:
            raise WrongUsageError(
                "A text that was given is not UTF-8, as every text sent to the service is."
            ) from None
        with self._answer(request) as answer:
            whole = self._whole(answer, budget.bytes if answer.is_success else MAX_PROBLEM)
        budget.bytes -= len(whole.content)
        return self._checked(whole)

    @contextmanager
    def stream(self, path: str) -> Iterator[Body]:
        """An answer's body as it comes. A body which is cut short raises `UnreachableError` where it is read."""
        request = self._http.build_request("GET", path, headers={"Accept": "*/*"})
        with self._answer(request) as answer:
            if not answer.is_success:
                self._checked(self._whole(answer, MAX_PROBLEM))
            yield Body(answer, self._pieces(answer))

    def rows(self, path: str, shape: Shape, **params: Parameter) -> list[Json]:
        """A list's rows, of all its pages, each of the `shape`."""
        found: list[Json] = []
        budget = _Budget()
        answer = self._send("GET", path, budget, params={"limit": self._page_size, **params})
        while True:
            page = self._json(answer, [shape], budget)
            found += page
            if (following := answer.links.get("next", {}).get("url")) is None:
                return found
            if not page or len(found) > MAX_ROWS:
                raise self._stranger(
                    f"its list has over {MAX_ROWS} rows, or an empty page amid them"
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
        """A list's rows as its pages come, each of the `shape`; pages amid them may be empty.

        `on_page` is called with the headers of each page.
        Whoever has enough stops asking.
        """
        count = empty = 0
        while True:
            budget = _Budget()
            answer = self._send("GET", path, budget, params={"limit": self._page_size, **params})
            page = self._json(answer, [shape], budget)
            if on_page is not None:
                on_page(answer.headers)
            yield from page
            count, empty = count + len(page), 0 if page else empty + 1
            if (following := answer.links.get("next", {}).get("url")) is None:
                return
            if count > MAX_ROWS or empty > _EMPTY_PAGES:
                raise self._stranger(
                    f"its list has over {MAX_ROWS} rows, or {_EMPTY_PAGES} empty pages amid them"
                )
            params = {**params, "cursor": self._cursor(following)}

    def _cursor(self, following: str) -> str:
        """Only the cursor is taken: behind a proxy, the service may know itself by another address."""
        try:
            cursor = httpx.URL(following).params.get("cursor")
        except (httpx.InvalidURL, ValueError):
            cursor = None
        if not cursor:
            raise self._stranger("the next page of its list has no cursor")
        return str(cursor)

    def json(self, answer: httpx.Response, shape: Shape) -> Any:  # noqa: ANN401 -- of that shape
        """What an answer says."""
        return self._json(answer, shape, _Budget())

    def _json(self, answer: httpx.Response, shape: Shape, budget: _Budget) -> Any:  # noqa: ANN401 -- of that shape
        before = budget.values
        for most, _ in counted_values(answer.content):
            budget.values = before - most
            if budget.values < 0:
                raise self._stranger(f"it answers with over {MAX_VALUES} values")
        value = _parsed(answer.content)
        if not fits(value, shape):
            raise self._stranger(
                f"it answers {answer.status_code} without the JSON that was to come"
            )
        return value

    @contextmanager
    def _answer(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """An answer whose body is still to be read."""
        request.extensions["trace"] = self._watch.trace
        with self._telling(), self._watch.request(len(request.content)):
            answer = self._http.send(request, stream=True)
            try:
                self._watch.begun()
                if not is_readable(answer.headers.get_list("content-encoding", split_commas=True)):
                    raise self._stranger("it answers in a content coding which was not asked for")
                yield answer
            finally:
                answer.close()

    def _pieces(self, answer: httpx.Response) -> Iterator[bytes]:
        with self._telling():
            for piece in answer.iter_bytes():
                self._watch.arrived(len(piece))
                yield piece
            # A body without a length ends with its connection, by whomever that is closed.
            if self._watch.expired:
                raise httpx.ReadTimeout("too slow")

    def _whole(self, answer: httpx.Response, at_most: int) -> httpx.Response:
        body = bytearray()
        for piece in self._pieces(answer):
            body += piece
            if len(body) > at_most:
                raise self._stranger(f"it answers with more than {at_most} bytes")
        coded = {"content-encoding", "content-length", "transfer-encoding"}
        headers = [
            (name, value) for name, value in answer.headers.multi_items() if name not in coded
        ]
        whole = httpx.Response(answer.status_code, headers=headers, content=bytes(body))
        # Whatever its header says: some of Python's codecs take quadratic time, and some make no
        # text.
        whole.encoding = "utf-8"
        return whole

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if self._watch.expired:
                raise self._away("no answer in time, or too slow a one") from None
            if isinstance(error, httpx.TimeoutException):
                raise self._away(f"no answer in time ({type(error).__name__})") from None
            raise self._away(_reason(error)) from None

    def _away(self, reason: str) -> UnreachableError:
        return UnreachableError(
            f"{self.place} cannot be reached: {reason}; name the service by --url or {URL_VARIABLE}."
        )

    def _stranger(self, reason: str) -> UnreachableError:
        return UnreachableError(
            f"{self.place} is not Benchmark Manager: {reason}; name the service by --url or {URL_VARIABLE}.",
            passes=False,
        )

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        if answer.is_redirect:
            raise self._stranger(f"it redirects to {answer.headers.get('location', 'nowhere')}")
        problem = _problem(answer)
        if problem is not None:
            raise RefusedError(
                answer.status_code, problem, answer.text, retry_after=_retry_after(answer)
            )
        if answer.status_code in {429, 502, 503, 504}:
            raise self._away(f"something before it answers {answer.status_code}")
        raise self._stranger(f"it answers {answer.status_code}")


def connect(url: str) -> Api:
    """The service at `url`, spoken to in the name of whoever runs the command."""
    return Api(url, actor=actor())


def actor() -> str | None:
    """BENCHMARK_MANAGER_ACTOR, else the user's name; None where the machine knows none, as in many containers.

    Raises:
        WrongUsageError: it holds what no header can.
    """
    name = os.environ.get(ACTOR_VARIABLE, "").strip() or _user()
    if name is not None and not name.isprintable():
        raise WrongUsageError(f"{ACTOR_VARIABLE} must be printable.")
    return name


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        address = httpx.URL("")
    if address.scheme not in {"http", "https"} or not address.host:
        raise WrongUsageError(f"--url (or {URL_VARIABLE}) is no address such as {DEFAULT_URL}.")
    return address


def _given(params: Mapping[str, Parameter] | None) -> dict[str, str | int] | None:
    return {name: value for name, value in params.items() if value is not None} if params else None


def _reason(error: Exception) -> str:
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _problem(answer: httpx.Response) -> Json | None:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    problem = _parsed(answer.content)
    return problem if fits(problem, PROBLEM) else None


def _parsed(body: bytes) -> Any:  # noqa: ANN401 -- JSON
    """A body as JSON; None where it is none, or nested more deeply than Python reads."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _retry_after(answer: httpx.Response) -> float | None:
    seconds = answer.headers.get("retry-after", "")
    return (
        min(float(seconds), _LONGEST_RETRY_AFTER) if re.fullmatch("[0-9]{1,9}", seconds) else None
    )
