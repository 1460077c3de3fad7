"""What ends a command of the client: one line on standard error, and an exit code.

    CommandError                      1
     + RefusedError                   1, the service answered with a problem document
     + WrongUsageError                2
     + DigestMismatchError            3, bytes are not those which a digest names
     + UnreachableError               4, nobody answered, or not as Benchmark Manager does

The codes are listed for people in docs/guides/command-line.md. Typer ends wrong command lines with
2 by itself.
"""

import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import typer
from typer.core import TyperGroup

from benchmark_manager.cli.terminal.streams import READER_GONE, drop_output

#: What the answers of a proxy whose service is away, or of a service which is overtaxed, have as
#: status.
_PASSING: Final = frozenset({429, 502, 503, 504})
#: Of a problem document: characters of a sentence, and fields at fault.
_LONGEST_SHOWN: Final = 2000
_ERRORS_SHOWN: Final = 20


class CommandError(Exception):
    """Base of all; `lines` follow the first one, which says `error:`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str, code: str, *lines: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.lines = lines

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed a little later."""
        return False


class RefusedError(CommandError):
    """The service understood and said no; `problem` is its document, `text` the same to the byte."""

    def __init__(
        self,
        status: int,
        problem: Mapping[str, Any],
        text: str,
        *,
        retry_after: float | None = None,
    ) -> None:
        detail, code = (_cut(str(problem[name])) for name in ("detail", "code"))
        super().__init__(detail, code, *_field_lines(problem))
        self.status = status
        self.problem = problem
        self.text = text
        self.retry_after = retry_after

    @property
    def passes(self) -> bool:
        return self.status in _PASSING


def _field_lines(problem: Mapping[str, Any]) -> list[str]:
    """A line for each field at fault, unless the detail says the same."""
    errors = problem.get("errors")
    rows = (
        [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    )
    told = [(str(row.get("field")), str(row.get("message"))) for row in rows[:_ERRORS_SHOWN]]
    lines = [
        f"  {_cut(field)}: {_cut(message)}"
        for field, message in told
        if message not in str(problem["detail"])
    ]
    more = len(rows) - len(told)
    return [*lines, *([f"  ... and {more} more"] if more else [])]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def is_refusal(error: CommandError, code: str) -> bool:
    """Whether the service refused with this code."""
    return isinstance(error, RefusedError) and error.code == code


class WrongUsageError(CommandError):
    """What was asked for cannot be meant."""

    exit_code = 2

    def __init__(self, detail: str, *lines: str) -> None:
        super().__init__(detail, "usage", *lines)


class DigestMismatchError(CommandError):
    """Bytes arrived which are not those that were asked for."""

    exit_code = 3

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "digest_mismatch", "Nothing was changed here.")


class UnreachableError(CommandError):
    """Nobody answered at the address, or somebody else."""

    exit_code = 4

    def __init__(self, detail: str, *, passes: bool = True) -> None:
        super().__init__(detail, "unreachable")
        self._passes = passes

    @property
    def passes(self) -> bool:
        return self._passes


class Commands(TyperGroup):
    """The root of all commands: every `CommandError` below it becomes its lines and its exit code."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # its own class is not public  # noqa: ANN401
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CommandError as error:
            tell(error)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            # Typer would end with 1, as if the service had refused.
            drop_output()
            raise typer.Exit(READER_GONE) from None


def tell(error: CommandError) -> None:
    """Write an error to standard error: `error: DETAIL (code)`, and what belongs to it below."""
    for line in (f"error: {error.detail} ({error.code})", *error.lines):
        print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    r"""Escape what a terminal would obey or hide, as `\x1b` or `\u202e`: anybody may write names and titles."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
