"""The address of a running embedded database, for other commands of the same user."""

import contextlib
import os
from pathlib import Path

from benchmark_manager.errors import StartError
from benchmark_manager.stores.embedded.process import try_lock, until


class AddressFile:
    """`database.url` in the data folder: the URL, while the server runs, for its owner alone."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "database.url"
        self._lock = data_dir / "service.lock"

    def write(self, url: str) -> None:
        """Make the address known; the file appears whole."""
        part = self._path.with_name(f"{self._path.name}.part")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(url)
        part.replace(self._path)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    async def wait(self, seconds: float) -> str | None:
        """Return the URL of the service that runs on the folder; None where none runs.

        Of one that is starting, it is awaited for at most `seconds`.

        Raises:
            StartError: the service has no address yet.
        """
        await until(lambda: not self._is_awaited(), seconds)
        if self._is_awaited():
            raise StartError(
                f"The service on the data folder {self._path.parent} is starting or stopping; "
                "try again in a moment."
            )
        return self._read()

    def _is_awaited(self) -> bool:
        return self._has_service() and not self._path.exists()

    def _read(self) -> str | None:
        # A service that was killed leaves the file behind.
        if not self._has_service():
            return None
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _has_service(self) -> bool:
        if not self._lock.exists():
            return False
        descriptor = try_lock(self._lock)
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None
