"""Keep a content in a file, and let a person edit it."""

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.given_texts import decoded

#: Characters of a file's name, each of which may take four bytes.
_LONGEST_NAME = 60


def keep(text: str, name: str) -> Path:
    """Write a text to a new file that only this user can read, and that is not deleted.

    Its name is like `name`, since editors recognise the language by a name's ending.
    """
    # The name comes from a server, so it must not lead to another folder.
    last = re.sub(r"[^\w.+-]", "_", name.rpartition("/")[2])[-_LONGEST_NAME:]
    path = Path(tempfile.mkdtemp(prefix="benchmark-manager-")) / (last.lstrip(".") or "content")
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def forget(path: Path) -> None:
    """Remove a file that `keep` has made."""
    path.unlink(missing_ok=True)
    path.parent.rmdir()


def edit(path: Path) -> str:
    """Open a file in the user's editor, and return its text when the editor has ended.

    Raises:
        CommandError: `editor_failed`.
        WrongUsageError: the saved text is not UTF-8.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        arguments = [*shlex.split(command), str(path)]
        ended = subprocess.run(arguments, check=False).returncode  # noqa: S603 -- the user's editor
    except (OSError, ValueError) as error:
        reason = f"The editor '{command}' cannot be started ({error}); set VISUAL or EDITOR."
        raise CommandError(reason, "editor_failed") from None
    if ended != 0:
        raise CommandError(
            f"The editor '{command}' ended with exit code {ended}; nothing was saved.",
            "editor_failed",
        )
    return decoded(path.read_bytes(), str(path))
