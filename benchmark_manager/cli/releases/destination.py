"""The folder of a release, which is replaced as a whole and in one step, or not at all."""

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

from benchmark_manager.cli.releases.download import sync_to_disk
from benchmark_manager.cli.releases.folder_swap import FolderLock, exchange
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.client.sha256sums import MAX_FILES, MAX_PARTS, digits_of, write_sums


class ReleaseFolder:
    """A folder whose content becomes a release."""

    def __init__(self, directory: Path, *, force: bool) -> None:
        """Use `directory`, which need not exist; `force` replaces what it contains.

        Raises:
            CommandError: `not_a_folder`, or `mount_point`.
        """
        # Of a link, the target is replaced and not the link.
        self.directory = Path(os.path.realpath(directory))
        self._force = force
        if self.directory.exists() and not self.directory.is_dir():
            raise CommandError(f"{directory} is a file; name a folder.", "not_a_folder")
        if os.path.ismount(self.directory):
            raise CommandError(
                f"{directory} is a mount point, which cannot be replaced in one step; "
                f"name a folder inside it, such as {directory / 'release'}.",
                "mount_point",
            )

    def held_digits(self) -> str | None:
        """Return the digest of the release that the folder is; None if it is not a release."""
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
        """Check that no files would be lost other than those of the release with these digits.

        Raises:
            CommandError: `folder_not_empty`.
        """
        if self._force or not (self.directory.is_dir() and any(self.directory.iterdir())):
            return
        # Another pull of the same release may have been faster.
        if not (self.held_digits() or "").startswith(digits):
            raise CommandError(
                f"{self.directory} contains other files; name another folder, "
                "or replace it with --force.",
                "folder_not_empty",
            )

    @contextmanager
    def filled(self, digits: str) -> Iterator[Path]:
        """Yield a new folder for the files of a release, and put it at this path at the end.

        If filling it fails, the new folder is removed and the old one stays. If this process is
        killed, either the old folder or the whole release is at the path, and `clear_leftovers`
        removes the rest.

        Raises:
            CommandError: `folder_not_empty`; other files were put there in the meantime.
            OSError
        """
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._beside("partial")
        lock: FolderLock | None = None
        try:
            # Not tempfile's, which other users, who may run the benchmark, cannot read. Created
            # inside the `try`, since a signal may arrive at once.
            lock = self._made(temporary)
            yield temporary
            sync_to_disk(temporary)
            with _delayed_signals():
                self._put(temporary, digits)
        finally:
            try:
                with _delayed_signals():
                    _remove(temporary, lock)
            except BaseException:
                # A signal came before signals were delayed.
                _remove(temporary, lock)
                raise

    def clear_leftovers(self) -> None:
        """Remove what killed pulls to this path have left; running pulls have locked their folders.

        If a pull was killed after it moved the old folder away and before it moved the new one to
        its path, the old folder is restored.
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
            lock.release()

    def _beside(self, ending: str) -> Path:
        return self.directory.with_name(f".{self.directory.name}.{secrets.token_hex(4)}.{ending}")

    def _made(self, folder: Path) -> FolderLock | None:
        """Create a folder and return its lock, or None if the system has no locks."""
        while True:
            folder.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                # Until it is locked, another pull may treat it as a leftover and remove it.
                lock = FolderLock.take(folder, wait=True)
                if lock is None or lock.is_of(folder):
                    return lock
                lock.release()

    def _put(self, temporary: Path, digits: str) -> None:
        if not self._force:
            self._rename(temporary, digits)
        elif self.directory.exists():
            self._replace(temporary)
        else:
            temporary.rename(self.directory)
        with suppress(OSError):
            # If the parent cannot be opened, the files are on the disk all the same.
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
            # The old folder now has the temporary name, under which it is removed.
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
                lock.release()
        shutil.rmtree(old, ignore_errors=True)


def _remove(folder: Path, lock: FolderLock | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        lock.release()


@contextmanager
def _delayed_signals() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the end: between renames there is no folder at the path."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread can handle signals.
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


class _NoRelease(Exception):  # noqa: N818 -- a result, not a failure
    """The folder contains what no release has: links, devices, empty folders."""


def _hashed(folder: Path, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield paths below `prefix` with their SHA-256s; a path may have `depth` parts at most."""
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
            with open(entry.path, "rb") as file:  # noqa: PTH123 -- the entry is not a Path
                yield path, hashlib.file_digest(file, "sha256").hexdigest()
        else:
            raise _NoRelease


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
