"""Receipts: hash the files that are in place, and say so to the service."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmark_manager.cli.releases.machine import image_id, installed_gpus, node_name
from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError
from benchmark_manager.cli.terminal.retries import RetryBudget
from benchmark_manager.client.client import Client, Json
from benchmark_manager.client.errors import ClientError
from benchmark_manager.client.results import Results
from benchmark_manager.client.sha256sums import digits_of, write_sums
from benchmark_manager.domain.results.receipt_limits import MOST_FILES
from benchmark_manager.errors import reason_of

#: Stands for the checksum of a link or a device, which no release has.
_NO_FILE: Final = "0" * 64


class ReceiptMaker:
    """Makes the receipts of folders on this machine."""

    def __init__(self, client: Client, retries: RetryBudget) -> None:
        self._results = Results(client)
        self._retries = retries
        self._machine: Json | None = None

    def make(self, digest: str, folder: Path, project_id: str | None) -> Json:
        """Hash what is in a folder, send it as a receipt of a release, and return that.

        Raises:
            ClientError: the service is away, or refuses it; the error says that files stay.
            CommandError: `receipt_too_large`, or a file cannot be read.
        """
        body = {**self._said(), **_content(digest, folder)}
        if project_id is not None:
            body["project_id"] = project_id
        try:
            return self._retries.until_done(lambda: self._results.add_receipt(digest, body))
        except ClientError as error:
            error.add_note(f"The files are in {folder}; only their receipt is missing.")
            raise

    def _said(self) -> Json:
        """Return what this machine is; it is found out once."""
        if self._machine is None:
            gpus = installed_gpus()
            self._machine = {
                "node": node_name(),
                "image_id": image_id(),
                "gpus": list(gpus.names),
                "driver": gpus.driver,
            }
        return self._machine


def _content(digest: str, folder: Path) -> Json:
    """Return the digest of a folder's files where it is the release's; else their checksums.

    An empty folder has its digest, too: a receipt without files would say nothing about them.
    """
    try:
        files = read_back(folder)
    except OSError as error:
        path = error.filename or folder
        raise CommandError(
            f"{path} cannot be read back ({reason_of(error)}); there is no receipt.",
            "receipt_unreadable",
        ) from None
    found = f"sha256:{digits_of(write_sums(files))}"
    return {"digest": found} if found == digest or not files else {"files": files}


def read_back(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder by its path, as the disk has it now.

    Raises:
        CommandError: `receipt_too_large`.
        OSError
    """
    found: dict[str, str] = {}
    for path in _below(os.fsencode(folder)):
        name = os.path.relpath(path, os.fsencode(folder)).replace(os.sep.encode(), b"/")
        # Names that are not UTF-8 are none of the release's.
        found[name.decode("utf-8", "backslashreplace")] = _sha256(path)
        if len(found) > MOST_FILES:
            raise CommandError(
                f"{folder} has over {MOST_FILES} files, which is more than a receipt takes.",
                "receipt_too_large",
            )
    return found


def _below(folder: bytes) -> Iterator[bytes]:
    def refuse(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        linked = [name for name in folders if os.path.islink(_joined(parent, name))]  # noqa: PTH114
        yield from (_joined(parent, name) for name in sorted([*names, *linked]))


def _joined(folder: bytes, name: bytes) -> bytes:
    # `pathlib` takes no bytes.
    return os.path.join(folder, name)  # noqa: PTH118


def _sha256(path: bytes) -> str:
    if os.path.islink(path) or not os.path.isfile(path):  # noqa: PTH113, PTH114
        return _NO_FILE
    with open(path, "rb") as file:  # noqa: PTH123
        _forget_cached(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget_cached(number: int) -> None:
    """Make the system read a file from the disk, and not from its memory, where it can."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)


def check_receipt_file(file: Path, folder: Path) -> None:
    """Accept a file for receipts that is not in the folder of a release.

    Raises:
        WrongUsageError: it is; or it is a folder.
    """
    inside, outside = os.path.realpath(file), os.path.realpath(folder)
    if inside == outside or inside.startswith(f"{outside}{os.sep}"):
        raise WrongUsageError(f"{file} is in {folder}, which holds the release and nothing else.")
    if file.is_dir():
        raise WrongUsageError(f"{file} is a folder; name a file for the receipt.")


def write_receipts(file: Path, receipts: Sequence[Json | None], *, as_list: bool) -> None:
    """Write receipts as JSON, as a whole or not at all.

    Raises:
        OSError
    """
    content = receipts if as_list else receipts[0]
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(f"{json.dumps(content)}\n", encoding="utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
