"""Folders put in place of each other, and locks which show whose process still runs."""

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
#: What systems and file systems say that cannot exchange two names.
_UNABLE: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


def exchange(one: Path, other: Path) -> bool:
    """Give each of two folders the other's name, in one step (renameat2(2)).

    Returns False where the system or the file system cannot do that.

    Raises:
        OSError
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNABLE:
        return False
    raise OSError(number, os.strerror(number), str(one))


class FolderLock:
    """A lock on a folder, which the system gives back when this process ends, however it ends."""

    def __init__(self, number: int) -> None:
        self._number = number

    @classmethod
    def take(cls, folder: Path, *, wait: bool = False) -> "FolderLock | None":
        """Lock a folder; None where another process has locked it, or locks are not known here.

        `wait`: until the other process gives it back.

        Raises:
            OSError: there is no such folder.
        """
        if sys.platform == "win32":
            return None
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            os.close(number)
            return None
        return cls(number)

    def is_of(self, folder: Path) -> bool:
        """Whether this is what has the name now."""
        try:
            return os.path.samestat(os.fstat(self._number), folder.lstat())
        except OSError:
            return False

    def give_back(self) -> None:
        os.close(self._number)
