"""Find and read files of this machine; only regular files are ever opened."""

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


class UnreadableFileError(Exception):
    """Why a file was not read."""


class NoSuchFileError(UnreadableFileError):
    """A path that does not exist, or no longer does."""


@dataclass
class Found:
    """The files that arguments name."""

    files: list[Path] = field(default_factory=list)
    #: Paths that cannot be read, with the reasons.
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    #: Sentences about what was left out.
    notes: list[str] = field(default_factory=list)
    #: Sentences about arguments that name nothing to check.
    wrong: list[str] = field(default_factory=list)


def find_files(arguments: Sequence[Path]) -> Found:
    """Return the files that the arguments name, in order; files of a folder sorted by path.

    Links to files are followed. Links to folders are followed only if they are arguments, so that
    loops of links are not.
    """
    found = Found()
    for path in arguments:
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            found.wrong.append(f"{path} does not exist.")
        except OSError as error:
            found.unreadable.append((path, reason_of(error)))
        else:
            _add(path, found)
    return found


def _add(path: Path, found: Found) -> None:
    try:
        is_folder = path.is_dir()
    except OSError as error:
        # A link whose target cannot be read.
        found.unreadable.append((path, reason_of(error)))
        return
    if is_folder:
        unread = len(found.unreadable)
        inside = sorted(file for file in _files_below(path, found) if _is_text_file(file))
        if not inside and len(found.unreadable) == unread:
            found.wrong.append(f"{path} has no .yaml, .yml or .json files.")
        found.files += inside
    elif _is_text_file(path):
        found.files.append(path)
    else:
        found.wrong.append(f"{path} must end in .yaml, .yml or .json.")


def _files_below(folder: Path, found: Found) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        found.unreadable.append((Path(error.filename), reason_of(error)))

    for parent, folders, names in os.walk(folder, onerror=refused):
        # Hidden folders belong to tools, such as .git.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for linked in (path for name in folders if _is_link(path := Path(parent, name))):
            found.notes.append(
                f"{linked} is a link to a folder and was not followed; name it to check its files."
            )
        yield from (Path(parent, name) for name in names)


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        # The folder's names can be listed but not used; the walk will report why.
        return False


def _is_text_file(path: Path) -> bool:
    # Imported here, since it takes long.
    from benchmark_manager.domain.sync.classification import format_of  # noqa: PLC0415

    return format_of(path.name) is not None


def read_file(path: Path, *, most: int = LARGEST) -> bytes:
    """Return the content of a regular file; of a larger one, the first `most` + 1 bytes.

    Raises:
        NoSuchFileError, UnreadableFileError
    """
    try:
        # Checked before opening, which would wait for a pipe's other end, or rewind a tape.
        _refuse_others(path.stat().st_mode)
        # It may have been replaced in the meantime.
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with open(opened, "rb") as file:  # noqa: PTH123 -- by its number
            _refuse_others(os.fstat(opened).st_mode)
            return file.read(most + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise UnreadableFileError("a link without a target") from None
        raise NoSuchFileError("it is gone") from None
    except OSError as error:
        raise UnreadableFileError(reason_of(error)) from None


def _refuse_others(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnreadableFileError(
            next((name for is_one, name in _KINDS if is_one(mode)), "not a regular file")
        )
