"""Make arguments and standard streams work with any locale, terminal and pipe."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmark_manager.errors import reason_of

#: The exit code that a shell reports for a program ended by SIGPIPE.
READER_GONE: Final = 141
#: Errors of a disk or quota that is full or broken.
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_UTF8_MODE: Final = "PYTHONUTF8"


def ensure_utf8_arguments() -> None:
    """Restart in Python's UTF-8 mode if the locale's encoding is ASCII.

    Python does so itself in the C locale, unless PYTHONUTF8=0 or a launcher forbids it. Otherwise
    names in arguments and on the disk would be bytes that cannot be sent or shown.
    """
    is_other = (
        not sys.getfilesystemencoding().lower().startswith(("ascii", "us-ascii", "ansi_x3.4"))
    )
    if is_other or os.environ.get(_UTF8_MODE) == "1" or not sys.executable:
        return
    os.environ[_UTF8_MODE] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 -- this program


@contextmanager
def standard_streams() -> Iterator[None]:
    """Replace characters that a terminal cannot show, and end quietly if a pipe's reader is gone.

    Contents and JSON are written as bytes, which this does not change.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # The parent process has closed it.
            # Stays open until the process ends.
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        raise SystemExit(READER_GONE) from None
    except OSError as error:
        if error.errno not in _FULL:
            raise
        drop_output()
        print(f"benchmark-manager: output cannot be written ({reason_of(error)}).", file=sys.stderr)
        raise SystemExit(1) from None


def is_interactive() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def drop_output() -> None:
    """Redirect standard output to nothing, so that Python reports no error when it ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
