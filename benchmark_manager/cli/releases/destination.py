"""Where a release is put: whole and at once, or not at all."""

import hashlib
import os
import re
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmark_manager.cli.client.sha256sums import MAX_FILES, MAX_PARTS, digits_of, write_sums
from benchmark_manager.cli.releases.download import sync_to_disk
from benchmark_manager.cli.releases.folder_swap import FolderLock, exchange
from benchmark_manager.cli.terminal.failures import CommandError


class Place:
    """A folder which becomes a release."""

    def __init__(self, directory: Path, *, force: bool) -> None:
        """Take `directory`, which need not exist; `force` replaces what it holds.

        Raises:
            CommandError: `not_a_folder`, or `mount_point`.
        """
        # Another name for a folder stays one: what it leads to is replaced.
        self.directory = Path(os.path.realpath(directory))
        self._force = force
        if self.directory.exists() and not self.directory.is_dir():
            raise CommandError(f"{directory} is a file; name a folder.", "not_a_folder")
        if os.path.ismount(self.directory):
            raise CommandError(
                f"{directory} is a mount point, which cannot be put in place at once; "
                f"name a folder inside of it, such as {directory / 'release'}.",
                "mount_point",
            )

    def held_digits(self) -> str | None:
        """The digest of the release which the folder holds, and nothing else; None where it holds none."""
        try:
            files: dict[str, str] = {}
            for path, sha256 in _hashed(self.directory, "", MAX_PARTS):
                files[path] = sha256
                if len(files) > MAX_FILES:
                    return None
            return digits_of(write_sums(files)) if files else None
        except (OSError, _NoRelease, UnicodeEncodeError):
            return None

    def check_free(self, digits: str) -> None:
        """See that nobody's files would be lost, but those of the release whose digest begins with `digits`.

        Raises:
            CommandError: `folder_not_empty`.
        """
        if self._force or not (self.directory.is_dir() and any(self.directory.iterdir())):
            return
        # Another pull of the same release may have been faster.
        if not (self.held_digits() or "").startswith(digits):
            raise CommandError(
                f"{self.directory} holds something else; name another folder, or replace it by --force.",
                "folder_not_empty",
            )

    @contextmanager
    def filled(self, digits: str) -> Iterator[Path]:
        """A new folder to be filled with the release of these digits, which then takes its place.

        If the filling fails, the folder is gone and the place untouched. If this process is killed,
        the place holds what it held or the whole release, and `clear_leftovers` removes the rest.

        Raises:
            CommandError: `folder_not_empty`; somebody else put something there meanwhile.
            OSError
        """
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._beside("partial")
        lock: FolderLock | None = None
        try:
            # Not tempfile's: whoever runs the benchmark may be another user. Made inside, as a
            # signal may come at once.
            lock = self._made(temporary)
            yield temporary
            sync_to_disk(temporary)
            with _undisturbed():
                self._put(temporary, digits)
        finally:
            with _undisturbed():
                shutil.rmtree(temporary, ignore_errors=True)
                if lock is not None:
                    lock.give_back()

    def clear_leftovers(self) -> None:
        """Remove what pulls to this place left that were killed; those which still run have locked theirs.

        Where such a pull was killed between moving the old folder away and putting the new one in
        its place, the old one comes back.
        """
        leftover = re.compile(rf"\.{re.escape(self.directory.name)}\.[0-9a-f]{{8}}\.(partial|old)")
        try:
            with os.scandir(self.directory.parent) as entries:
                found = [
                    Path(entry.path)
                    for entry in entries
                    if leftover.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
                ]
        except OSError:
            return
        for folder in found:
            with suppress(OSError):
                self._clear(folder)

    def _clear(self, folder: Path) -> None:
        lock = FolderLock.take(folder)
        if lock is None:
            return
        try:
            if not lock.is_of(folder):
                return
            if folder.suffix == ".old" and not self.directory.exists():
                folder.rename(self.directory)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            lock.give_back()

    def _beside(self, ending: str) -> Path:
        return self.directory.with_name(f".{self.directory.name}.{secrets.token_hex(4)}.{ending}")

    def _made(self, folder: Path) -> FolderLock | None:
        """Make a folder and lock it; None where there are no locks."""
        while True:
            folder.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                # Another pull may take it for a leftover and remove it, until it is locked.
                lock = FolderLock.take(folder, wait=True)
                if lock is None or lock.is_of(folder):
                    return lock
                lock.give_back()

    def _put(self, temporary: Path, digits: str) -> None:
        if not self._force:
            self._rename(temporary, digits)
        elif self.directory.exists():
            self._replace(temporary)
        else:
            temporary.rename(self.directory)
        with suppress(OSError):
            # Where a parent cannot be opened, the files in it are safe all the same.
            _sync_folder(self.directory.parent)

    def _rename(self, temporary: Path, digits: str) -> None:
        try:
            # POSIX: an empty folder is replaced, any other is not.
            temporary.rename(self.directory)
        except OSError:
            self.check_free(digits)
            if self.held_digits() != digits:
                raise

    def _replace(self, temporary: Path) -> None:
        if exchange(temporary, self.directory):
            # What was in the place has the temporary name now, under which it is removed.
            return
        old = self._beside("old")
        lock = FolderLock.take(self.directory)
        self.directory.rename(old)
        try:
            temporary.rename(self.directory)
        except OSError:
            old.rename(self.directory)
            raise
        finally:
            if lock is not None:
                lock.give_back()
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM until the end: between two renames there is no folder in the place."""
    if threading.current_thread() is not threading.main_thread():
        # Signals are the main thread's alone.
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda n, _: came.append(n))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


class _NoRelease(Exception):  # noqa: N818 -- an answer, not a failure
    """The folder holds what no release has: links, devices, empty folders."""


def _hashed(folder: Path, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    """Paths below `prefix` and their SHA-256s; `depth` is how many parts a path may have."""
    if not depth:
        raise _NoRelease
    with os.scandir(folder) as found:
        entries = list(found)
    if prefix and not entries:
        raise _NoRelease
    for entry in entries:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _hashed(Path(entry.path), f"{path}/", depth - 1)
        elif entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:  # noqa: PTH123 -- the entry is no Path
                yield path, hashlib.file_digest(file, "sha256").hexdigest()
        else:
            raise _NoRelease


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
