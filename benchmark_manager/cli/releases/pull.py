"""benchmark-manager pull: write the files that a digest names into a folder of their own."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from benchmark_manager.cli.releases.destination import ReleaseFolder
from benchmark_manager.cli.releases.download import Download, fetch_sums
from benchmark_manager.cli.releases.receipts import (
    ReceiptMaker,
    check_receipt_file,
    write_receipts,
)
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.lookup import (
    digest_digits,
    find_release,
    find_release_and_project,
    find_sweep,
)
from benchmark_manager.cli.terminal.options import (
    AsJson,
    ReleaseArgument,
    SweepProjectOption,
    Url,
)
from benchmark_manager.cli.terminal.retries import RetryBudget, RetrySeconds
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.sha256sums import digits_of, read_sums
from benchmark_manager.client.sweeps import Sweeps
from benchmark_manager.client.tokens import TokenFile
from benchmark_manager.domain.sweeps.limits import MOST_CELLS
from benchmark_manager.errors import reason_of

_PREFIX: Final = "sha256:"
_TERMINATED: Final = 128 + signal.SIGTERM
#: Differing paths that are shown.
_PATHS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Pulled:
    """The result of a pull; `files` is None if the folder was right and no request was needed.

    `receipt` is None where none was asked for.
    """

    digest: str
    directory: str
    outcome: Literal["pulled", "present"]
    files: int | None = None
    receipt: Json | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A release to pull: the digits of its digest, its folder, and its project if it is known."""

    digits: str
    folder: Path
    project_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Puller:
    """Pulls releases, and makes their receipts if those are wanted."""

    client: Client
    retries: RetryBudget
    force: bool
    max_size: int
    receipts: ReceiptMaker | None

    def pulled(self, wanted: _Wanted) -> Pulled:
        """Put a release into its folder.

        Raises:
            ClientError, CommandError, OSError
        """
        target = ReleaseFolder(wanted.folder, force=self.force)
        done = _pull(self.client, wanted.digits, target, self.retries, self.max_size)
        if self.receipts is None:
            return done
        receipt = self.receipts.make(done.digest, target.directory, wanted.project_id)
        return replace(done, receipt=receipt)


_Destination = Annotated[
    Path,
    typer.Option(
        "--to",
        metavar="DIR",
        help="The folder for the release; its parents are created.",
    ),
]
_Force = Annotated[bool, typer.Option("--force", help="Replace what DIR contains.")]
_MaxSize = Annotated[
    int,
    typer.Option("--max-size", metavar="BYTES", help="Refuse a larger release.", min=1),
]
_TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="A file with a token, such as the signed one that Kubernetes projects into a pod.",
    ),
]
_Receipt = Annotated[
    bool,
    typer.Option(
        "--receipt", help="Read the files back, send a receipt of them, and write its id."
    ),
]
_ReceiptFile = Annotated[
    Path | None,
    typer.Option(
        "--receipt-file",
        metavar="FILE",
        help="Write the receipt as JSON to FILE too, which must not be in DIR.",
    ),
]
_Cells = Annotated[
    bool,
    typer.Option("--cells", help="Pull every cell of the sweep DIGEST, each into DIR/INDEX."),
]


def pull_release(
    digest: ReleaseArgument,
    to: _Destination,
    force: _Force = False,
    retry_seconds: RetrySeconds = 60.0,
    max_size: _MaxSize = 10_000_000_000,
    token_file: _TokenFileOption = None,
    cells: _Cells = False,
    receipt: _Receipt = False,
    receipt_file: _ReceiptFile = None,
    project: SweepProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Download a release into a folder, and verify every byte by its digest.

    The folder is replaced in one step when all files are complete and right; else it stays as it
    was. If it already is exactly this release, nothing is done; with a whole digest, not even a
    request is sent.

    A release may have 100,000 files of 15 MiB each, and --max-size bytes in all.

    For example:

        benchmark-manager pull sha256:923ab580f8df --to release

        benchmark-manager pull "batch size/3" --project vllm --to cell

        benchmark-manager pull "batch size" --cells --project vllm --to cells

    With --receipt, the files are then read back from the disk, and their checksums are sent, with
    the names of this node (NODE_NAME, or the host's), of its GPUs (nvidia-smi) and of the
    container's image (BENCHMARK_MANAGER_IMAGE_ID). Standard output has the receipt's id, for
    `result upload --receipt`. It takes an editor.

    Exit code 3: the bytes do not match the digest. Exit code 4: the service cannot be reached. If
    only the receipt fails, the exit code is 1 or 4, and the files stay.
    """
    if receipt_file is not None:
        check_receipt_file(receipt_file, to)
    with _connected(url, token_file, to, as_json=as_json) as client:
        retries = RetryBudget(retry_seconds, say=output.say)
        makes_receipts = receipt or receipt_file is not None
        receipts = ReceiptMaker(client, retries) if makes_receipts else None
        find = partial(_wanted, client, project, digest, to, cells=cells, projects=makes_receipts)
        puller = _Puller(client, retries, force, max_size, receipts)
        pulled = [puller.pulled(one) for one in retries.until_done(find)]
        _show(pulled, as_json=as_json, as_list=cells)
        if receipt_file is not None:
            write_receipts(receipt_file, [one.receipt for one in pulled], as_list=cells)


@contextmanager
def _connected(url: str, token_file: Path | None, to: Path, *, as_json: bool) -> Iterator[Client]:
    """Connect to the service; report failures of it and of the disk, and clean up at SIGTERM."""
    token = None if token_file is None else TokenFile(token_file)
    with (
        output.refusals_as_json(as_json),
        cleanup_at_sigterm(),
        connect(url, token=token) as client,
        _readable_disk_errors(to),
    ):
        yield client


@contextmanager
def _readable_disk_errors(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        path = error.filename or to
        raise CommandError(
            f"{path} cannot be written ({reason_of(error)}).", "cannot_write"
        ) from None


def _wanted(
    client: Client,
    project: str | None,
    reference: str,
    to: Path,
    *,
    cells: bool,
    projects: bool,
) -> list[_Wanted]:
    """Return what to pull; `projects` finds its project too, for which a request may be needed.

    Raises:
        CommandError: the sweep has more cells than one may have.
    """
    if not cells and not projects:
        return [_Wanted(find_release(client, project, reference), to)]
    if not cells:
        digits, project_id = find_release_and_project(client, project, reference)
        return [_Wanted(digits, to, project_id)]
    sweep = find_sweep(client, project, reference)
    found = list(islice(Sweeps(client).cells(sweep["id"]), MOST_CELLS + 1))
    if len(found) > MOST_CELLS:
        raise CommandError(f"The sweep has over {MOST_CELLS} cells.", "too_many_cells")
    return [
        _Wanted(digest_digits(cell["digest"]), to / str(cell["index"]), sweep["project_id"])
        for cell in found
    ]


def _show(pulled: Sequence[Pulled], *, as_json: bool, as_list: bool) -> None:
    if as_json:
        rows = [
            {name: value for name, value in asdict(one).items() if name != "receipt" or value}
            for one in pulled
        ]
        output.write_json(rows if as_list else rows[0])
        return
    for one in pulled:
        output.say(_sentence(one))
        if one.receipt is not None:
            print(one.receipt["id"])
            _say_differing(one.receipt)


def _say_differing(receipt: Json) -> None:
    if receipt["status"] != "verified":
        paths = ", ".join(receipt["differing"][:_PATHS_SHOWN])
        output.say(f"warning: the files are not those of the release any more: {paths}")


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
