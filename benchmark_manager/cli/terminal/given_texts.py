"""Read the texts that a person gives, from a file or from standard input."""

import sys
from pathlib import Path

from benchmark_manager.cli.terminal.failures import WrongUsageError
from benchmark_manager.errors import reason_of


def read_text(source: str) -> str:
    """Return the exact text of a file, or of standard input if `source` is `-`.

    Raises:
        WrongUsageError: it cannot be read, or is not UTF-8.
    """
    name = "standard input" if source == "-" else source
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise WrongUsageError(not_read(name, error)) from None
    return decoded(data, name)


def not_read(name: str | Path, error: OSError) -> str:
    """Return the sentence about a file that a person named and that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return f"There is no such file: {name}."
    return f"{name} cannot be read ({reason_of(error)})."


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file's bytes.

    Raises:
        WrongUsageError: they are not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise WrongUsageError(f"{name} is not UTF-8 (byte {error.start}).") from None
