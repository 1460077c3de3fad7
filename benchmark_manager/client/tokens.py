"""The token that requests carry: from the environment, a file, or the last sign-in.

A token belongs to the address of one service. It is sent to no other, whatever that service
answers, and is in no error and no `repr`.
"""

import os
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import httpx2 as httpx

from benchmark_manager.client.address import URL_VARIABLE, is_at, parse_address, shown
from benchmark_manager.client.errors import InvalidCallError
from benchmark_manager.client.kept_tokens import kept_token

TOKEN_VARIABLE: Final = "BENCHMARK_MANAGER_TOKEN"  # noqa: S105 -- the name of a variable
TOKEN_FILE_VARIABLE: Final = "BENCHMARK_MANAGER_TOKEN_FILE"  # noqa: S105 -- as above

#: Bytes of a token's file. A signed token has one or two thousand.
_LARGEST_FILE: Final = 64 * 1024
#: RFC 6750, 2.1.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file whose token is read anew for each request: Kubernetes replaces those it signs."""

    path: Path

    def read(self) -> str:
        """Return the token.

        Raises:
            InvalidCallError: the file cannot be read, or has no token.
        """
        try:
            with self.path.open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            raise InvalidCallError(f"There is no such file: {self.path}.") from None
        except OSError as error:
            raise InvalidCallError(
                f"The token file {self.path} cannot be read: {error.strerror}."
            ) from None
        return checked_token(content.decode("utf-8", "replace"), f"The token file {self.path}")


Token: TypeAlias = str | TokenFile


def checked_token(text: str, where: str) -> str:
    """Return a token without the line end of its file.

    Raises:
        InvalidCallError: it cannot be one; the error says only where it is from.
    """
    token = text.strip()
    if len(token) > _LARGEST_FILE or _TOKEN.fullmatch(token) is None:
        raise InvalidCallError(f"{where} holds no token.")
    return token


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A token, and whether the environment has it, for people who ask which one is used."""

    token: Token = field(repr=False)
    source: str


def find_token(address: httpx.URL) -> FoundToken | None:
    """Return the token for a service: of the environment, else of the last sign-in there.

    With BENCHMARK_MANAGER_URL, the environment's token is for that service alone.

    Raises:
        InvalidCallError: what the environment has is no token.
    """
    named = os.environ.get(URL_VARIABLE)
    if not named or shown(parse_address(named)) == shown(address):
        if text := os.environ.get(TOKEN_VARIABLE):
            return FoundToken(checked_token(text, TOKEN_VARIABLE), TOKEN_VARIABLE)
        if path := os.environ.get(TOKEN_FILE_VARIABLE):
            return FoundToken(TokenFile(Path(path)), TOKEN_FILE_VARIABLE)
    kept = kept_token(shown(address))
    return None if kept is None else FoundToken(kept.token, "benchmark-manager login")


class BearerAuth(httpx.Auth):
    """Adds the token to requests to one service, and to no others."""

    def __init__(self, token: Token, address: httpx.URL) -> None:
        """Prepare requests.

        Raises:
            InvalidCallError: it is no token.
        """
        self._token = token if isinstance(token, TokenFile) else checked_token(token, "`token`")
        self._address = address

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the token."""
        if is_at(request.url, self._address):
            token = self._token.read() if isinstance(self._token, TokenFile) else self._token
            request.headers["Authorization"] = f"Bearer {token}"
        yield request
