"""What the client raises.

ClientError
 + InvalidCallError         a value that was given cannot be sent
    + InvalidAddressError   the service's address is not a URL
 + RefusedError             the service answered with a problem document
 + UnreachableError         there is no answer, or not one of Benchmark Manager
 + ReleaseContentError      a release's list of files is unreadable, unsafe or too large
"""

from collections.abc import Mapping
from typing import Any, Final

#: The statuses that a proxy without its service, or an overloaded service, answers with.
_TEMPORARY: Final = frozenset({429, 502, 503, 504})
#: Characters of a sentence that are kept, since servers may send any number.
_LONGEST_SENTENCE: Final = 2000


class ClientError(Exception):
    """Base of all: `detail` is a sentence, `code` a stable word for programs."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code

    @property
    def is_temporary(self) -> bool:
        """Return whether the same request may succeed a little later."""
        return False


class InvalidCallError(ClientError):
    """A value that was given cannot be sent to the service."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "usage")


class InvalidAddressError(InvalidCallError):
    """The service's address is not an HTTP URL."""


class RefusedError(ClientError):
    """The service refused the request.

    Attributes:
        status: of the answer.
        problem: the problem document.
        text: the same document, exactly as it came.
        field_errors: the names and messages of the request's fields that are wrong.
        retry_after: the seconds that the service asks to wait, if it does.
    """

    def __init__(
        self,
        status: int,
        problem: Mapping[str, Any],
        text: str,
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(_cut(str(problem["detail"])), _cut(str(problem["code"])))
        self.status = status
        self.problem = problem
        self.text = text
        self.retry_after = retry_after

    @property
    def is_temporary(self) -> bool:
        return self.status in _TEMPORARY

    @property
    def field_errors(self) -> list[tuple[str, str]]:
        errors = self.problem.get("errors")
        rows = errors if isinstance(errors, list) else []
        return [
            (_cut(str(row.get("field"))), _cut(str(row.get("message"))))
            for row in rows
            if isinstance(row, dict)
        ]


class UnreachableError(ClientError):
    """No service answered at the address, or a server that is not Benchmark Manager."""

    def __init__(self, detail: str, *, is_temporary: bool = True) -> None:
        super().__init__(detail, "unreachable")
        self._is_temporary = is_temporary

    @property
    def is_temporary(self) -> bool:
        return self._is_temporary


class ReleaseContentError(ClientError):
    """A release's list of files is unreadable, unsafe or too large.

    Its code is `release_unreadable`, `path_unsafe` or `release_too_large`.
    """


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SENTENCE else f"{text[:_LONGEST_SENTENCE]}..."
