"""Exchange folders in one step, and lock folders until a process ends."""

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
#: Errors of systems and file systems that cannot exchange two names.
_UNABLE: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step (renameat2(2)).

    Returns False if the system or the file system cannot do that.

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
    """A lock on a folder, which the system releases when this process ends."""

    def __init__(self, number: int) -> None:
        self._number: int | None = number

    @classmethod
    def take(cls, folder: Path, *, wait: bool = False) -> "FolderLock | None":
        """Lock a folder; return None if another process has locked it, or there are no locks.

        `wait`: until the other process releases it.

        Raises:
            OSError: the folder does not exist.
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
        """Return whether the locked folder still has this path."""
        if self._number is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._number), folder.lstat())
        except OSError:
            return False

    def release(self) -> None:
        """Unlock the folder; a lock that is released already stays so."""
        number, self._number = self._number, None
        if number is not None:
            os.close(number)
