"""The service's HTTP API as commands use it: requests, problem documents, pages.

Only httpx2 is imported, and nothing of the service, so that a command starts fast in a small container.
"""

import getpass
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self, TypeAlias

import httpx2 as httpx

from benchmark_manager.cli.failures import RefusedError, UnreachableError, WrongUsageError

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


class Api:
    """One service. Every method raises `RefusedError` or `UnreachableError` for what is no success."""

    def __init__(
        self,
        url: str,
        *,
        actor: str | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: float = _READ_SECONDS,
    ) -> None:
        """Speak to the service at `url`, in the name of `actor`; nothing is sent yet.

        Raises:
            WrongUsageError: `url` is no address.
        """
        address = _address(url)
        # A user name or password in it must not be shown.
        self.place = f"{address.scheme}://{address.netloc.decode('ascii', 'replace')}{address.path.rstrip('/')}"
        # As bytes: httpx2 would take a text for ASCII, and people are called Jörg.
        is_elsewhere = address.host not in _LOOPBACK
        headers = [(b"Accept", b"application/json"), *([(b"X-Actor", actor.encode())] if actor else [])]
        try:
            self._http = httpx.Client(
                base_url=address,
                headers=headers,
                timeout=httpx.Timeout(timeout, connect=min(_CONNECT_SECONDS, timeout)),
                # No proxy stands between this machine and itself.
                trust_env=is_elsewhere,
                # Certificates take longer to load than a request; where nothing is encrypted, none is looked at.
                verify=is_elsewhere or address.scheme == "https",
                transport=transport,
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
        with self._telling():
            request = self._http.build_request(
                method,
                path,
                params=_given(params),
                json=body,
                headers=None if if_match is None else {"If-Match": if_match},
            )
            answer = self._http.send(request)
        return self._checked(answer)

    @contextmanager
    def stream(self, path: str) -> Iterator[httpx.Response]:
        """An answer's body as it comes. A body which is cut short raises `UnreachableError` where it is read."""
        with self._telling(), self._http.stream("GET", path, headers={"Accept": "*/*"}) as answer:
            if not answer.is_success:
                answer.read()
            yield self._checked(answer)

    def rows(self, path: str, **params: Parameter) -> list[Json]:
        """A list's rows, of all its pages."""
        found: list[Json] = []
        answer = self.get(path, limit=_PAGE, **params)
        while True:
            found += self.json(answer, list)
            if (following := answer.links.get("next", {}).get("url")) is None:
                return found
            # Only the cursor is taken: behind a proxy, the service may know itself by another address.
            cursor = httpx.URL(following).params.get("cursor")
            answer = self.get(path, limit=_PAGE, cursor=cursor, **params)

    def json(self, answer: httpx.Response, kind: type = dict) -> Any:  # noqa: ANN401 -- of that kind
        """What an answer says."""
        try:
            told = answer.json()
        except ValueError:
            told = None
        if not isinstance(told, kind):
            raise self._stranger(f"it answers {answer.status_code} without the JSON that was to come")
        return told

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise self._away(f"no answer in time ({type(error).__name__})") from None
        except httpx.HTTPError as error:
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
            raise RefusedError(answer.status_code, problem, answer.text, retry_after=_retry_after(answer))
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


def _reason(error: httpx.HTTPError) -> str:
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _problem(answer: httpx.Response) -> Json | None:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        told = answer.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) and {"code", "detail"} <= told.keys() else None


def _retry_after(answer: httpx.Response) -> float | None:
    seconds = answer.headers.get("retry-after", "")
    return min(float(seconds), _LONGEST_RETRY_AFTER) if seconds.isascii() and seconds.isdigit() else None
