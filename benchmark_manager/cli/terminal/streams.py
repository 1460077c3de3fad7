"""The arguments and standard streams of a command, whatever the locale, the terminal and the reader of a pipe are."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmark_manager.errors import reason_of

#: As a shell reports a program which SIGPIPE has ended.
READER_GONE: Final = 141
#: Why what output goes to takes no more.
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_UTF8_MODE: Final = "PYTHONUTF8"


def ensure_utf8_arguments() -> None:
    """Begin anew in Python's UTF-8 mode where the locale knows ASCII only.

    Python does so itself in the C locale, unless PYTHONUTF8=0 or a launcher forbids it; then names
    in arguments and on the disk are bytes which cannot be sent or shown.
    """
    knows_more = (
        not sys.getfilesystemencoding().lower().startswith(("ascii", "us-ascii", "ansi_x3.4"))
    )
    if knows_more or os.environ.get(_UTF8_MODE) == "1" or not sys.executable:
        return
    os.environ[_UTF8_MODE] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 -- this very program


@contextmanager
def standard_streams() -> Iterator[None]:
    """Write what a terminal cannot show as a replacement, and end quietly where nobody reads on.

    Contents and JSON are written as bytes, which this leaves alone.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Closed by whoever started the command.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 -- until the process ends
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


def drop_output() -> None:
    """Lead standard output nowhere: Python would complain at its end of what it could not write."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
