"""Write results to standard output, and everything else to standard error."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from benchmark_manager.cli.terminal.failures import printable
from benchmark_manager.client.errors import RefusedError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

#: Without a terminal, no line is folded: programs that read a table can rely on one line a row.
_WIDTH_OF_A_PIPE: Final = 100_000
_KILO: Final = 1000
#: Texts may still differ, such as in comments.
NO_KEYS_DIFFER: Final = "No differences in keys."
#: Characters of a cell.
_LONGEST_CELL: Final = 5000
#: Characters that a terminal executes or hides. JSON has them only in strings, where an escape
#: means the same.
_UNSHOWN_IN_JSON: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ud800-\udfff]"
)
#: Colours of a patch's lines by how they begin, as git has them.
_PATCH_COLOURS: Final = (
    ("--- ", "\x1b[1m"),
    ("+++ ", "\x1b[1m"),
    ("@@ ", "\x1b[36m"),
    ("-", "\x1b[31m"),
    ("+", "\x1b[32m"),
)
_END_COLOUR: Final = "\x1b[0m"
_UNITS: Final = ("B", "kB", "MB", "GB")


def say(message: str) -> None:
    """Write a message for people to standard error."""
    print(printable(message), file=sys.stderr)


def write(text: str) -> None:
    """Write a text to standard output, as `write_bytes` does."""
    write_bytes(text.encode("utf-8", "backslashreplace"))


def write_bytes(data: bytes) -> None:
    """Write a content to standard output: exactly, or on a terminal with escaped controls."""
    if sys.stdout.isatty():
        lines = data.decode("utf-8", "backslashreplace").split("\n")
        data = "\n".join(printable(line.replace("\t", "    ")) for line in lines).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write_patch(data: bytes) -> None:
    """Write a patch to standard output as `write_bytes` does, with colours on a terminal."""
    if not sys.stdout.isatty() or not _has_colours():
        write_bytes(data)
        return
    for line in data.decode("utf-8", "backslashreplace").removesuffix("\n").split("\n"):
        shown = printable(line.replace("\t", "    "))
        colour = next((code for start, code in _PATCH_COLOURS if line.startswith(start)), "")
        print(f"{colour}{shown}{_END_COLOUR}" if colour else shown)


def _has_colours() -> bool:
    console = _console()
    return console.color_system is not None and not console.no_color


def write_json(answer: object) -> None:
    """Write the API's JSON: an answer's text as it came, or the rows of all pages together."""
    text = (
        answer
        if isinstance(answer, str)
        else json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    )
    escaped = _UNSHOWN_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    sys.stdout.flush()
    sys.stdout.buffer.write((escaped if escaped.endswith("\n") else f"{escaped}\n").encode())
    sys.stdout.buffer.flush()


@contextmanager
def refusals_as_json(as_json: bool) -> Iterator[None]:
    """With `--json`, also write a refusal's problem document to standard output, for programs."""
    try:
        yield
    except RefusedError as error:
        if as_json:
            write_json(error.text)
        raise


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; a heading that begins with `>` is of a column of numbers."""
    from rich.table import Table  # noqa: PLC0415 -- most commands start faster without it
    from rich.text import Text  # noqa: PLC0415

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        name = Text(_shown(heading.removeprefix(">")))
        shown.add_column(
            name, justify="right" if heading.startswith(">") else "left", overflow="fold"
        )
    for row in rows:
        shown.add_row(*(Text(_shown(_cell(value))) for value in row))
    _console().print(shown)


def differences(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, none: str = "No differences."
) -> None:
    """Print a table of differences; if there are none, the sentence `none` on standard error."""
    if rows:
        table(columns, rows)
    else:
        say(none)


def fields(pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and values, one pair a line, without those that have no value."""
    shown = [
        (printable(name), _cell(value))
        for name, value in pairs
        if value is not None and value != ""
    ]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print(f"{name:{width}}  {printable(value)}")


def _shown(cell: str) -> str:
    return printable(cell if len(cell) <= _LONGEST_CELL else f"{cell[:_LONGEST_CELL]}...")


def _cell(value: object) -> str:
    return (
        "" if value is None else "yes" if value is True else "no" if value is False else str(value)
    )


def _console(*, to_stderr: bool = False) -> "Console":
    from rich.console import Console  # noqa: PLC0415 -- see `table`

    class PipedConsole(Console):
        def on_broken_pipe(self) -> None:
            # Rich itself would end the process with 1.
            raise BrokenPipeError

    stream = sys.stderr if to_stderr else sys.stdout
    return PipedConsole(
        stderr=to_stderr,
        width=None if stream.isatty() else _WIDTH_OF_A_PIPE,
        highlight=False,
        markup=False,
    )


class ProgressBar:
    """Progress that is not shown."""

    def show(self, done: int, total: int | None, description: str | None = None) -> None:
        """Show how much is done; `total` is None while it is unknown."""


class _ShownBar(ProgressBar):
    def __init__(self, progress: "Progress", task: "TaskID") -> None:
        self._progress = progress
        self._task = task

    def show(self, done: int, total: int | None, description: str | None = None) -> None:
        self._progress.update(self._task, completed=done, total=total, description=description)


@contextmanager
def progress(description: str, *, by_bytes: bool = False) -> Iterator[ProgressBar]:
    """Show a bar on standard error until the end; without a terminal, one that does nothing."""
    if not sys.stderr.isatty():
        yield ProgressBar()
        return
    from rich import progress as bars  # noqa: PLC0415 -- see `table`

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.DownloadColumn() if by_bytes else bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=_console(to_stderr=True), transient=True) as shown:
        yield _ShownBar(shown, shown.add_task(description, total=None))


def files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Return a number of bytes in three digits, with a unit in steps of 1,000."""
    value: float = count
    for unit in _UNITS[:-1]:
        if value < _KILO:
            return f"{value:.3g} {unit}"
        value /= _KILO
    return f"{value:.3g} {_UNITS[-1]}"


def moment(timestamp: str | None) -> str:
    """Return a time of the API to the second, in UTC."""
    if timestamp is None:
        return ""
    try:
        return datetime.fromisoformat(timestamp).strftime("%Y-%m-%d %H:%M:%SZ")
    except ValueError:
        return timestamp


def problem_line(path: str, problem: dict[str, Any]) -> str:
    """Return a problem in the form that compilers use; 1:1 if it concerns the whole text."""
    line, column = problem.get("line") or 1, problem.get("column") or 1
    return printable(
        f"{path}:{line}:{column}: {problem['severity']} {problem['code']} {problem['message']}"
    )


def value_at(values: Mapping[str, Any], key: str) -> str:
    """Return a value of a configuration as JSON in one line; "" if there is none."""
    try:
        return json.dumps(values[key], ensure_ascii=False) if key in values else ""
    except RecursionError:
        return "(too deep to show)"
