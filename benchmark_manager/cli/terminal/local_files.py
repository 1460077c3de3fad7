"""Files of the machine that are only looked through: what is no plain file is never opened."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmark_manager.errors import reason_of

#: Bytes: the most that MAX_FILE_SIZE allows.
LARGEST: Final = 15_728_640
_KINDS: Final = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


class UnreadableError(Exception):
    """Why a file was not read."""


@dataclass
class Found:
    """What arguments name."""

    files: list[Path] = field(default_factory=list)
    #: What cannot be looked at, with the reasons.
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    #: Sentences on what was left out.
    notes: list[str] = field(default_factory=list)
    #: Sentences on arguments that name nothing to check.
    wrong: list[str] = field(default_factory=list)


def find_files(arguments: Sequence[Path]) -> Found:
    """Return what the arguments name, in their order; files of a folder by path.

    Links to files are followed; links to folders only where they are arguments, so that no loop of
    links is.
    """
    found = Found()
    for path in arguments:
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            found.wrong.append(f"{path} is not there.")
        except OSError as error:
            found.unreadable.append((path, reason_of(error)))
        else:
            _add(path, found)
    return found


def _add(path: Path, found: Found) -> None:
    try:
        is_folder = path.is_dir()
    except OSError as error:
        # A link whose end cannot be looked at.
        found.unreadable.append((path, reason_of(error)))
        return
    if is_folder:
        unread = len(found.unreadable)
        inside = sorted(file for file in _files_below(path, found) if _is_text_file(file))
        if not inside and len(found.unreadable) == unread:
            found.wrong.append(f"{path} holds no .yaml, .yml or .json.")
        found.files += inside
    elif _is_text_file(path):
        found.files.append(path)
    else:
        found.wrong.append(f"{path} must end in .yaml, .yml or .json.")


def _files_below(folder: Path, found: Found) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        found.unreadable.append((Path(error.filename), reason_of(error)))

    for place, folders, names in os.walk(folder, onerror=refused):
        # What tools keep beside the files is nobody's configuration.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for linked in (path for name in folders if _is_link(path := Path(place, name))):
            found.notes.append(
                f"{linked} is a link to a folder, which is not followed; name it to have it checked."
            )
        yield from (Path(place, name) for name in names)


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        # The folder lists its names and nothing else; walking on says why.
        return False


def _is_text_file(path: Path) -> bool:
    from benchmark_manager.domain.sync.classification import format_of  # noqa: PLC0415 -- takes long to import

    return format_of(path.name) is not None


def read_file(path: Path) -> bytes:
    """Return the content of a plain file; of one that is larger, the first `LARGEST` + 1 bytes.

    Raises:
        UnreadableError
    """
    try:
        # Before it is opened: that would wait for a pipe's other end, or rewind a tape.
        _refuse_others(path.stat().st_mode)
        # It may have become something else meanwhile.
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with open(opened, "rb") as file:  # noqa: PTH123 -- by its number
            _refuse_others(os.fstat(opened).st_mode)
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise UnreadableError(
            "a link that leads nowhere" if path.is_symlink() else "it is gone"
        ) from None
    except OSError as error:
        raise UnreadableError(reason_of(error)) from None


def _refuse_others(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnreadableError(
            next((name for is_one, name in _KINDS if is_one(mode)), "no plain file")
        )
