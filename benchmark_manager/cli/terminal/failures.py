"""The errors that end a command: one line on standard error, and an exit code.

    CommandError                      1
     + WrongUsageError                2
     + DigestMismatchError            3, the bytes are not those that a digest names

The client's errors end a command too: `InvalidCallError` with 2, `UnreachableError` with 4, all
others with 1. The codes are documented in docs/guides/command-line.md. Typer itself ends wrong
command lines with 2.
"""

import sys
from typing import Any, ClassVar, Final, TypeAlias

import typer
from typer.core import TyperGroup

from benchmark_manager.cli.terminal.help_texts import unwrapped
from benchmark_manager.cli.terminal.streams import READER_GONE, drop_output
from benchmark_manager.client.address import DEFAULT_URL, URL_VARIABLE
from benchmark_manager.client.errors import (
    ClientError,
    InvalidAddressError,
    InvalidCallError,
    RefusedError,
    UnreachableError,
)
from benchmark_manager.client.tokens import TOKEN_FILE_VARIABLE, TOKEN_VARIABLE

#: Wrong fields of a request that are shown.
_FIELDS_SHOWN: Final = 20
_SIGN_IN: Final = (
    f"Sign in with `benchmark-manager login`, or set {TOKEN_VARIABLE} or {TOKEN_FILE_VARIABLE}."
)
_NOT_A_PAGE: Final = (
    f"Give --url or {URL_VARIABLE} the service's own address, such as {DEFAULT_URL}, and not that "
    "of a page of it."
)


class CommandError(Exception):
    """Base of the command line's own errors.

    Args:
        detail: a sentence.
        code: a stable word for programs.
        lines: shown below the line that begins with `error:`.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str, code: str, *lines: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        for line in lines:
            self.add_note(line)


class WrongUsageError(CommandError):
    """The arguments of a command make no sense together."""

    exit_code = 2

    def __init__(self, detail: str, *lines: str) -> None:
        super().__init__(detail, "usage", *lines)


class DigestMismatchError(CommandError):
    """Bytes arrived that are not those that were asked for."""

    exit_code = 3

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "digest_mismatch", "Nothing was changed here.")


Failure: TypeAlias = CommandError | ClientError
FAILURES: Final = (CommandError, ClientError)
"""For `except` clauses."""


def exit_code_of(failure: Failure) -> int:
    if isinstance(failure, CommandError):
        return failure.exit_code
    if isinstance(failure, InvalidCallError):
        return WrongUsageError.exit_code
    return 4 if isinstance(failure, UnreachableError) else 1


def is_refusal(failure: Failure, code: str) -> bool:
    """Return whether the service refused with this code."""
    return isinstance(failure, RefusedError) and failure.code == code


class CommandGroup(TyperGroup):
    """The root of all commands: every failure below it becomes its lines and its exit code.

    The help texts of all commands are unwrapped here, before Typer wraps them for the terminal.
    """

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 -- Typer's
        super().__init__(**attributes)
        _unwrap_help_texts(self)

    # The class of the context in the base's signature is private.
    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FAILURES as failure:
            report(failure)
            raise typer.Exit(exit_code_of(failure)) from None
        except BrokenPipeError:
            # Typer would end with 1, as if the service had refused.
            drop_output()
            raise typer.Exit(READER_GONE) from None


def _unwrap_help_texts(group: TyperGroup) -> None:
    """Unwrap the help texts of a group and of all commands below it."""
    group.help = unwrapped(group.help or "")
    for command in group.commands.values():
        if isinstance(command, TyperGroup):
            _unwrap_help_texts(command)
        else:
            command.help = unwrapped(command.help or "")


def report(failure: Failure) -> None:
    """Write a failure to standard error: `error: DETAIL (code)`, then its fields and notes."""
    lines = [
        f"error: {_sentence(failure)} ({failure.code})",
        *_field_lines(failure),
        *_advice(failure),
    ]
    for line in (*lines, *getattr(failure, "__notes__", ())):
        print(printable(line), file=sys.stderr)


def _sentence(failure: Failure) -> str:
    if isinstance(failure, (UnreachableError, InvalidAddressError)):
        return f"{failure.detail.rstrip('.')}; name the service by --url or {URL_VARIABLE}."
    return failure.detail


def _advice(failure: Failure) -> list[str]:
    if is_refusal(failure, "unauthenticated"):
        return [_SIGN_IN]
    # Commands ask for routes that there are, so the address they are asked at is a wrong one.
    return [_NOT_A_PAGE] if is_refusal(failure, "route_not_found") else []


def _field_lines(failure: Failure) -> list[str]:
    """Return a line for each wrong field, unless the detail says the same."""
    if not isinstance(failure, RefusedError):
        return []
    errors = failure.field_errors
    detail = str(failure.problem["detail"])
    lines = [
        f"  {field}: {message}"
        for field, message in errors[:_FIELDS_SHOWN]
        if message not in detail
    ]
    more = len(errors) - _FIELDS_SHOWN
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


def printable(text: str) -> str:
    r"""Escape characters that a terminal would execute or hide, as `\x1b` or `\u202e`.

    Names and titles may hold any characters.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
