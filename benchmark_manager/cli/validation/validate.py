"""benchmark-manager validate: the service's verdict on files, without a service."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError
from benchmark_manager.cli.terminal.local_files import (
    LARGEST,
    Found,
    UnreadableError,
    find_files,
    read_file,
)
from benchmark_manager.cli.terminal.options import AsJson

if TYPE_CHECKING:
    from benchmark_manager.services.validation.kubernetes_schemas import SchemaSource

#: The verdict on what could not be read, beside those of the service.
_UNCHECKED = "unchecked"


def validate_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Files, or folders to be searched for .yaml, .yml and .json.",
            # Else one that is not would keep the others from being checked.
            readable=False,
        ),
    ],
    file_type: Annotated[
        Literal["config", "job"] | None,
        typer.Option(
            "--type",
            help="What they are; else YAML of a Kubernetes workload is a job, and all other config.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check files as the service would, without asking it.

    A line for each problem, as compilers write theirs: FILE:LINE:COLUMN: severity code message.
    What cannot be read, such as a broken link or a pipe, is one; all other files are checked.

    Exit code 1: a file is invalid or cannot be read. Templates and warnings are no failure.
    Exit code 2: none is, but an argument names nothing to check.
    """
    # They take a quarter of a second to import, which no other command has to wait for.
    from benchmark_manager.services.validation.kubernetes_schemas import SchemaSource  # noqa: PLC0415

    _quiet_logs()
    schemas = SchemaSource()
    found = find_files(files)
    verdicts = [_verdict(path, file_type, schemas) for path in found.files]
    verdicts += [_unchecked(path, reason) for path, reason in found.unreadable]
    if as_json:
        output.write_json(verdicts)
    else:
        for verdict in verdicts:
            for problem in verdict["problems"]:
                print(output.problem_line(verdict["name"], problem))
    for note in found.notes:
        output.say(f"warning: {note}")
    if schemas.missing is not None and any(verdict["file_type"] == "job" for verdict in verdicts):
        output.say(
            f"warning: manifests were not held to Kubernetes' own schemas: {schemas.missing}"
        )
    _end(verdicts, found, as_json=as_json)


def _end(verdicts: Sequence[dict[str, Any]], found: Found, *, as_json: bool) -> None:
    """Say how it went.

    Raises:
        CommandError: a file is invalid or was not checked.
        WrongUsageError: an argument names nothing to check.
    """
    invalid = sum(verdict["validity"] == "invalid" for verdict in verdicts)
    unchecked = sum(verdict["validity"] == _UNCHECKED for verdict in verdicts)
    told = []
    if invalid:
        told.append(
            f"{invalid} of {output.files(len(verdicts))} {'is' if invalid == 1 else 'are'} invalid."
        )
    if unchecked:
        told.append(f"{unchecked} cannot be read.")
    if told:
        raise CommandError(" ".join(told), "invalid" if invalid else "unreadable", *found.wrong)
    if found.wrong:
        raise WrongUsageError(*found.wrong)
    if not as_json:
        output.say(f"{output.files(len(verdicts))} checked, none is invalid.")


def _quiet_logs() -> None:
    """What the schemas' reader logs is told in our own words."""
    from benchmark_manager.logs import configure_logging  # noqa: PLC0415 -- see above

    configure_logging("error", "console")


def _verdict(
    path: Path, file_type: Literal["config", "job"] | None, schemas: "SchemaSource"
) -> dict[str, Any]:
    """What `POST /validate` answers for the file's name, content and type."""
    from benchmark_manager.domain.sync.classification import format_of, type_by_content  # noqa: PLC0415 -- see above
    from benchmark_manager.services.texts.text_work import judge  # noqa: PLC0415

    file_format = format_of(path.name)
    assert file_format is not None  # noqa: S101 -- others are not chosen
    try:
        data = read_file(path)
    except UnreadableError as error:
        return _unchecked(path, str(error))
    if len(data) > LARGEST:
        message = f"The file has more than {LARGEST} bytes; the service copies none that is larger."
        return _told(
            path, file_format, file_type or "config", "invalid", [_problem("too_large", message)]
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        message = f"Byte {error.start + 1} is no UTF-8; the service would not copy the file."
        return _told(
            path, file_format, file_type or "config", "invalid", [_problem("not_utf8", message)]
        )
    chosen = file_type or ("config" if file_format == "json" else type_by_content(text))
    verdict = judge(text, file_format, chosen, schemas.package if schemas.versions else None)
    return _told(path, file_format, chosen, verdict.validity, verdict.model_dump()["problems"])


def _unchecked(path: Path, reason: str) -> dict[str, Any]:
    return _told(
        path, None, None, _UNCHECKED, [_problem("unreadable", f"It cannot be read: {reason}.")]
    )


def _problem(code: str, message: str) -> dict[str, Any]:
    return {"severity": "error", "code": code, "message": message, "line": None, "column": None}


def _told(
    path: Path,
    file_format: str | None,
    file_type: str | None,
    validity: str,
    problems: Iterable[Any],
) -> dict[str, Any]:
    return {
        "name": str(path),
        "format": file_format,
        "file_type": file_type,
        "validity": validity,
        "problems": list(problems),
    }
