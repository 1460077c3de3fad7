"""benchmark-manager pull: the very bytes that a digest names, in a folder of their own."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from benchmark_manager.cli.client.api_client import DEFAULT_URL, Api, connect
from benchmark_manager.cli.client.sha256sums import digits_of, read_sums
from benchmark_manager.cli.releases.destination import Place
from benchmark_manager.cli.releases.download import Download, Patience, fetch_sums
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.lookup import digest_digits
from benchmark_manager.cli.terminal.options import AsJson, ReleaseArgument, Url
from benchmark_manager.errors import reason_of

_PREFIX: Final = "sha256:"
_TERMINATED: Final = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to; `files` is None where the folder was right already and nobody was asked."""

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
            help="The folder which becomes the release; its parents are made.",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace whatever DIR holds.")] = False,
    patience: Annotated[
        float,
        typer.Option(
            help="Seconds for which what fails for now is tried again.", min=0, max=86_400
        ),
    ] = 60.0,
    max_size: Annotated[
        int,
        typer.Option(
            "--max-size", metavar="BYTES", help="Refuse a release whose files are more.", min=1
        ),
    ] = 10_000_000_000,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Fetch a release into a folder, and hold every byte to its digest.

    The folder is put in place at once, when all is there and right; else it stays as it was. If it
    holds exactly this release already, nothing is done; with a whole digest, nobody is even asked.

    A release may have 100,000 files of 15 MiB each, and --max-size bytes in all; more is refused.

    Exit code 3: what came is not what the digest names. Exit code 4: the service cannot be reached.
    """
    digits = digest_digits(digest)
    with output.refusals_as_json(as_json), _unwinding_when_terminated(), connect(url) as api:
        try:
            pulled = _pull(
                api, digits, Place(to, force=force), Patience(patience, say=output.say), max_size
            )
        except OSError as error:
            place = error.filename or to
            raise CommandError(
                f"{place} cannot be written ({reason_of(error)}).", "cannot_write"
            ) from None
    if as_json:
        output.write_json(asdict(pulled))
    elif pulled.outcome == "present":
        output.say(f"{pulled.directory} holds {pulled.digest} already.")
    else:
        output.say(
            f"{pulled.directory} holds {pulled.digest} now: {output.files(pulled.files or 0)}."
        )


def _pull(api: Api, digits: str, place: Place, patience: Patience, max_size: int) -> Pulled:
    place.clear_leftovers()
    held = place.held_digits()
    if held is None:
        # Better now than after a long download.
        place.check_free(digits)
    if held == digits:
        return Pulled(_PREFIX + digits, str(place.directory), "present")
    sums = fetch_sums(api, digits, patience)
    digits = digits_of(sums)
    files = read_sums(sums)
    # It may have 32 MB, which are of no more use.
    del sums
    if held == digits:
        return Pulled(_PREFIX + digits, str(place.directory), "present", len(files))
    place.check_free(digits)
    with place.filled(digits) as folder, output.progress("fetching", by_bytes=True) as bar:
        Download(
            api, digits, files, folder, patience=patience, on_bytes=bar.show, max_size=max_size
        ).run()
    return Pulled(_PREFIX + digits, str(place.directory), "pulled", len(files))


@contextmanager
def _unwinding_when_terminated() -> Iterator[None]:
    """Let SIGTERM, with which Kubernetes ends containers, remove what is half done."""
    if threading.current_thread() is not threading.main_thread():
        # Signals are the main thread's alone.
        yield
        return

    def end(*_: object) -> None:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
