"""benchmark-manager backup and restore: write the database into a file, and read it back."""

import asyncio
import contextlib
import fcntl
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from benchmark_manager import messages
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.given_texts import not_read
from benchmark_manager.cli.terminal.output import ProgressBar, progress, say, size
from benchmark_manager.config import Settings, load_settings
from benchmark_manager.errors import BackupError, StorageError
from benchmark_manager.factory import open_database
from benchmark_manager.logs import configure_logging
from benchmark_manager.services.operations.backup import BackupService, Report, Summary
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.starting import Purpose

_STREAM: Final = Path("-")
_KEY_IS_NOT_IN_IT: Final = (
    "GitHub tokens are in it as they are stored, encrypted; the key is not. Keep SECRET_KEY (if "
    "none was set, the file secret.key in DATA_DIR) in another location: without it, each token "
    "must be entered again."
)


def back_up(file: Path) -> None:
    """Write the database into a new file, or to standard output for `-`.

    Raises:
        CommandError
        StartError
    """
    settings = _settings()
    if file == _STREAM:
        if sys.stdout.isatty():
            raise CommandError("A terminal cannot show a backup; name a file.", "usage")
        summary = _run(
            settings, "backup", lambda service, report: service.take(sys.stdout.buffer, report)
        )
        sys.stdout.buffer.flush()
    else:
        with _new_file(file) as target:
            summary = _run(settings, "backup", lambda service, report: service.take(target, report))
        say(f"{file} holds {size(file.stat().st_size)}.")
    say(f"Backed up {_described(summary)}.")
    say(_KEY_IS_NOT_IN_IT)


def restore(file: Path) -> None:
    """Write the backup in this file, or from standard input for `-`, into an empty database.

    Raises:
        CommandError
        StartError
    """
    settings = _settings()
    if file == _STREAM:
        summary = _run(
            settings, "restore", lambda service, report: service.restore(sys.stdin.buffer, report)
        )
    else:
        with _readable(file) as source:

            async def work(service: BackupService, report: Report) -> Summary:
                await service.check(source, report)
                source.seek(0)
                return await service.restore(source, report)

            summary = _run(settings, "restore", work)
    say(f"Restored {_described(summary)}. Every content and release was verified.")
    say(
        "Start the service with the SECRET_KEY of that time, "
        "or enter the projects' GitHub tokens again."
    )


def _settings() -> Settings:
    settings = load_settings()
    configure_logging("error", settings.log_format)
    return settings


def _run(
    settings: Settings,
    purpose: Purpose,
    work: Callable[[BackupService, Report], Awaitable[Summary]],
) -> Summary:
    """Do the work on the database of the settings.

    Raises:
        CommandError
        StartError
    """

    async def run(bar: ProgressBar) -> Summary:
        async with open_database(settings, purpose=purpose) as database:
            return await work(
                _service(database), lambda what, done, total: bar.show(done, total, what)
            )

    try:
        with progress("Opening the database") as bar:
            return asyncio.run(run(bar))
    except (BackupError, StorageError) as error:
        raise CommandError(messages.detail(error), error.code) from None
    except OSError as error:
        raise _unwritable("The backup", error) from None


def _service(database: Database) -> BackupService:
    return BackupService(database, lambda: datetime.now(UTC))


def _described(summary: Summary) -> str:
    counts = summary.counts
    parts = {
        "projects": "projects",
        "files": "originals",
        "modified_files": "variants",
        "releases": "releases",
    }
    held = ", ".join(f"{counts.get(name, 0)} {word}" for name, word in parts.items())
    moment = summary.header.taken_at.strftime("%Y-%m-%d %H:%M:%SZ")
    return f"{sum(counts.values())} documents ({held}) of {moment}, schema {summary.header.schema}"


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that appears at `path` only when it is complete, and never over another one.

    Raises:
        CommandError: `backup_exists`, `backup_not_written`.
    """
    if os.path.lexists(path):
        raise _exists(path)
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unwritable(str(path), error) from None
    with os.fdopen(descriptor, "w+b") as target:
        try:
            fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(
                f"Another backup is writing {part}; wait for it, or name another file.", "busy"
            ) from None
        try:
            # A backup that was killed may have left something.
            target.truncate(0)
            yield target
            target.flush()
            os.fsync(target.fileno())
            _publish(part, path)
        except OSError as error:
            raise _unwritable(str(path), error) from None
        finally:
            part.unlink(missing_ok=True)


def _publish(part: Path, path: Path) -> None:
    try:
        os.link(part, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:
        # A file system without hard links.
        if os.path.lexists(path):
            raise _exists(path) from None
        part.rename(path)
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _readable(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(not_read(path, error), "backup_not_read") from None


def _exists(path: Path) -> CommandError:
    return CommandError(
        f"{path} exists, and backups never overwrite files; name another file.", "backup_exists"
    )


def _unwritable(what: str, error: OSError) -> CommandError:
    return CommandError(
        f"{what} cannot be written: {error.strerror or type(error).__name__}.", "backup_not_written"
    )
