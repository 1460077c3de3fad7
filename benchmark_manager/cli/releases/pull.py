"""benchmark-manager pull: write the files that a digest names into a folder of their own."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from benchmark_manager.cli.releases.destination import ReleaseFolder
from benchmark_manager.cli.releases.download import Download, RetryBudget, fetch_sums
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.lookup import digest_digits
from benchmark_manager.cli.terminal.options import AsJson, ReleaseArgument, Url
from benchmark_manager.client.client import DEFAULT_URL, Client, connect
from benchmark_manager.client.sha256sums import digits_of, read_sums
from benchmark_manager.errors import reason_of

_PREFIX: Final = "sha256:"
_TERMINATED: Final = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Pulled:
    """The result of a pull; `files` is None if the folder was right and no request was needed."""

    digest: str
    directory: str
    outcome: Literal["pulled", "present"]
    files: int | None = None


def pull_release(
    digest: ReleaseArgument,
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="DIR",
            help="The folder for the release; its parents are created.",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace what DIR contains.")] = False,
    patience: Annotated[
        float,
        typer.Option(help="Retry temporary failures for so many seconds.", min=0, max=86_400),
    ] = 60.0,
    max_size: Annotated[
        int,
        typer.Option("--max-size", metavar="BYTES", help="Refuse a larger release.", min=1),
    ] = 10_000_000_000,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Download a release into a folder, and verify every byte by its digest.

    The folder is replaced in one step when all files are complete and right; else it stays as it
    was. If it already is exactly this release, nothing is done; with a whole digest, not even a
    request is sent.

    A release may have 100,000 files of 15 MiB each, and --max-size bytes in all.

    Exit code 3: the bytes do not match the digest. Exit code 4: the service cannot be reached.
    """
    digits = digest_digits(digest)
    with output.refusals_as_json(as_json), cleanup_at_sigterm(), connect(url) as client:
        try:
            retries = RetryBudget(patience, say=output.say)
            pulled = _pull(client, digits, ReleaseFolder(to, force=force), retries, max_size)
        except OSError as error:
            path = error.filename or to
            raise CommandError(
                f"{path} cannot be written ({reason_of(error)}).", "cannot_write"
            ) from None
    if as_json:
        output.write_json(asdict(pulled))
    else:
        output.say(_sentence(pulled))


def _sentence(pulled: Pulled) -> str:
    if pulled.outcome == "present":
        return f"{pulled.directory} already holds {pulled.digest}."
    return f"{pulled.directory} holds {pulled.digest} now: {output.files(pulled.files or 0)}."


def _pull(
    client: Client, digits: str, target: ReleaseFolder, retries: RetryBudget, max_size: int
) -> Pulled:
    target.clear_leftovers()
    held = target.held_digits()
    if held is None:
        # Checked now too, to fail before a long download.
        target.check_free(digits)
    if held == digits:
        return Pulled(_PREFIX + digits, str(target.directory), "present")
    sums = fetch_sums(client, digits, retries)
    digits = digits_of(sums)
    files = read_sums(sums)
    # Frees up to 32 MB.
    del sums
    if held == digits:
        return Pulled(_PREFIX + digits, str(target.directory), "present", len(files))
    target.check_free(digits)
    with target.filled(digits) as folder, output.progress("fetching", by_bytes=True) as bar:
        Download(
            client, digits, files, folder, retries=retries, on_bytes=bar.show, max_size=max_size
        ).run()
    return Pulled(_PREFIX + digits, str(target.directory), "pulled", len(files))


@contextmanager
def cleanup_at_sigterm() -> Iterator[None]:
    """Remove incomplete files at SIGTERM, with which Kubernetes ends containers."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread can handle signals.
        yield
        return

    def end(*_: object) -> None:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
