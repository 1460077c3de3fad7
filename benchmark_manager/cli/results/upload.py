"""benchmark-manager result upload."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from benchmark_manager.cli.results.options import LabelOption, Tool, labels_of
from benchmark_manager.cli.results.showing import measured
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import (
    CommandError,
    Failure,
    WrongUsageError,
    exit_code_of,
    printable,
    report,
)
from benchmark_manager.cli.terminal.given_texts import read_text
from benchmark_manager.cli.terminal.local_files import (
    NoSuchFileError,
    UnreadableFileError,
    read_file,
)
from benchmark_manager.cli.terminal.lookup import find_release_and_project
from benchmark_manager.cli.terminal.options import AsJson, SweepProjectOption, Url
from benchmark_manager.cli.terminal.retries import RetryBudget, RetrySeconds
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.errors import RefusedError, UnreachableError
from benchmark_manager.client.results import Results
from benchmark_manager.client.shapes import ID, NEW_RECEIPT, fits
from benchmark_manager.client.tokens import TokenFile

#: Bytes of a file that are read; the service's own limit, MAX_RESULT_SIZE, is lower.
_LARGEST: Final = 256 * 1024 * 1024
#: Refusals that the next file would get too.
_OF_ALL_FILES: Final = frozenset({401, 403, 404})
#: What helps where the service does not recognise a file.
_OF_UNKNOWN: Final = "Give --tool, or write the plain form: docs/results.md."


@dataclass(frozen=True, slots=True)
class _Upload:
    """What all files of a command are uploaded with."""

    results: Results
    retries: RetryBudget
    release: str
    more: dict[str, Any]

    def of(self, file: Path) -> Json:
        """Upload a file, say so, and return its result.

        Raises:
            CommandError: `unreadable` or `too_large`.
            ClientError
        """
        data = _content(file)
        send = partial(self.results.uploaded, self.release, data, file.name, **self.more)
        # The same bytes for the same release are one result, so that it may be repeated.
        result, is_new = self.retries.until_done(send)
        _say(file, result, is_new=is_new)
        return result


_Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="What a benchmark tool wrote.")]
_Release = Annotated[
    str,
    typer.Option(
        "--release",
        "-r",
        metavar="DIGEST",
        help="What it ran on: a digest, its first 12 digits, or SWEEP/INDEX.",
    ),
]
_ToolOption = Annotated[
    Tool | None,
    typer.Option(help="The tool that wrote the files; else the service recognises it."),
]
_Note = Annotated[str, typer.Option(help="A note for readers.")]
_Receipt = Annotated[
    str | None,
    typer.Option(
        metavar="ID|FILE",
        help="Of `pull --receipt` or `--receipt-file`; else the last one of the same API token "
        "for this release within a week.",
    ),
]
_TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="A file with a token.")
]


def upload_results(
    files: _Files,
    release: _Release,
    label: LabelOption = None,
    tool: _ToolOption = None,
    note: _Note = "",
    receipt: _Receipt = None,
    retry_seconds: RetrySeconds = 60.0,
    token_file: _TokenFileOption = None,
    project: SweepProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload files that a benchmark tool wrote, bound to the release that it ran on.

    Standard output has the id of each result, in the order of the files. Every byte is kept. A file
    of an unknown format is kept too, without metrics. It may be repeated: the same bytes for the
    same release are one result.

    For example:

        benchmark-manager result upload results/*.json --release "$DIGEST"
        --label gpu=H100 --label engine=vllm-0.11.0

    A file that fails is reported, and the others are uploaded. Exit code 1: some file failed. Exit
    code 4: the service cannot be reached.
    """
    labels = labels_of(label)
    token = None if token_file is None else TokenFile(token_file)
    with output.refusals_as_json(as_json), connect(url, token=token) as client:
        retries = RetryBudget(retry_seconds, say=output.say)
        find = partial(find_release_and_project, client, project, release)
        digits, project_id = retries.until_done(find)
        more = {
            "project_id": project_id,
            "tool": tool,
            "labels": labels,
            "note": note,
            "receipt": None if receipt is None else receipt_id(receipt, digits),
        }
        _upload_all(_Upload(Results(client), retries, digits, more), files, as_json=as_json)


def _upload_all(upload: _Upload, files: Sequence[Path], *, as_json: bool) -> None:
    """Upload each file; end the command if some failed."""
    results: list[Json] = []
    code = 0
    with output.progress("uploading") as bar:
        for number, file in enumerate(files):
            bar.show(number, len(files), printable(file.name))
            try:
                results.append(upload.of(file))
            except (CommandError, RefusedError) as error:
                if _is_of_all_files(error) and not results:
                    raise
                output.say(f"{file}:")
                report(error)
                code = code or exit_code_of(error)
                continue
            except UnreachableError:
                if as_json:
                    output.write_json(results)
                raise
            if not as_json:
                print(results[-1]["id"])
    if any(result["tool"] == "unknown" and not result["problems"] for result in results):
        output.say(_OF_UNKNOWN)
    if as_json:
        output.write_json(results)
    if code:
        raise typer.Exit(code)


def _is_of_all_files(error: Failure) -> bool:
    return isinstance(error, RefusedError) and error.status in _OF_ALL_FILES


def _content(file: Path) -> bytes:
    try:
        data = read_file(file, most=_LARGEST)
    except NoSuchFileError:
        raise CommandError("There is no such file.", "unreadable") from None
    except UnreadableFileError as error:
        raise CommandError(f"It cannot be read ({error}).", "unreadable") from None
    if len(data) > _LARGEST:
        raise CommandError(f"It has over {_LARGEST} bytes.", "too_large")
    return data


def _say(file: Path, result: Json, *, is_new: bool) -> None:
    receipt = result["receipt"]
    status = "no receipt" if receipt is None else receipt["status"]
    known = "" if is_new else "; it was uploaded before"
    output.say(f"{file}: {result['tool']}, {measured(result)}, {status}{known}.")
    for problem in result["problems"]:
        output.say(output.problem_line(str(file), problem))


def receipt_id(given: str, digits: str) -> str:
    """Return the id of a receipt that is given as one, or as a file of `pull --receipt-file`.

    Raises:
        WrongUsageError: the file has no receipt of the release whose digest begins with `digits`.
    """
    if ID.matches(given.lower()) and not Path(given).exists():
        return given.lower()
    try:
        content = json.loads(read_text(given))
    except (ValueError, RecursionError):
        content = None
    found = content if isinstance(content, list) else [content]
    for one in found:
        if fits(one, NEW_RECEIPT) and one["release"].startswith(f"sha256:{digits}"):
            return str(one["id"])
    raise WrongUsageError(f"{given} has no receipt of this release.")
