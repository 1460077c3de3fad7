"""benchmark-manager validate: validate files as the service does, without a service."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError
from benchmark_manager.cli.terminal.local_files import (
    LARGEST,
    Found,
    UnreadableFileError,
    find_files,
    read_file,
)
from benchmark_manager.cli.terminal.options import AsJson

if TYPE_CHECKING:
    from benchmark_manager.services.texts.schema_source import SchemaSource

#: The verdict on files that could not be read, in addition to those of the service.
_UNCHECKED = "unchecked"


def validate_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Files, or folders to be searched for .yaml, .yml and .json.",
            # Typer would refuse all files if one of them is not readable.
            readable=False,
        ),
    ],
    file_type: Annotated[
        Literal["config", "job"] | None,
        typer.Option(
            "--type",
            help="The type of all files; else YAML of a Kubernetes workload is a job, "
            "and other files are config.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check files as the service would, without a service.

    Each problem is one line, in the form that compilers use: FILE:LINE:COLUMN: severity code
    message. A file that cannot be read, such as a broken link or a pipe, is a problem too; all
    other files are still checked.

    Exit code 1: a file is invalid or cannot be read. Templates and warnings are not failures.
    Exit code 2: no file is, but an argument names nothing to check.
    """
    # Imported here, since it takes a quarter of a second that no other command needs.
    from benchmark_manager.services.texts import schema_source  # noqa: PLC0415

    _quiet_logs()
    schemas = schema_source.SchemaSource()
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
            f"warning: manifests were not checked against Kubernetes' schemas: {schemas.missing}"
        )
    _end(verdicts, found, as_json=as_json)


def _end(verdicts: Sequence[dict[str, Any]], found: Found, *, as_json: bool) -> None:
    """Report the result.

    Raises:
        CommandError: a file is invalid or was not checked.
        WrongUsageError: an argument names nothing to check.
    """
    invalid = sum(verdict["validity"] == "invalid" for verdict in verdicts)
    unchecked = sum(verdict["validity"] == _UNCHECKED for verdict in verdicts)
    failures = []
    if invalid:
        failures.append(
            f"{invalid} of {output.files(len(verdicts))} {'is' if invalid == 1 else 'are'} invalid."
        )
    if unchecked:
        failures.append(f"{unchecked} cannot be read.")
    if failures:
        raise CommandError(" ".join(failures), "invalid" if invalid else "unreadable", *found.wrong)
    if found.wrong:
        raise WrongUsageError(*found.wrong)
    if not as_json:
        output.say(f"{output.files(len(verdicts))} checked, none is invalid.")


def _quiet_logs() -> None:
    """Silence the log of the schemas' reader, since this command writes a warning of its own."""
    from benchmark_manager.logs import configure_logging  # noqa: PLC0415 -- see above

    configure_logging("error", "console")


def _verdict(
    path: Path, file_type: Literal["config", "job"] | None, schemas: "SchemaSource"
) -> dict[str, Any]:
    """Return what `POST /validate` answers for the file's name, content and type."""
    # Imported here for the same reason as above.
    from benchmark_manager.domain.sync import classification  # noqa: PLC0415
    from benchmark_manager.services.texts.text_work import judge  # noqa: PLC0415

    file_format = classification.format_of(path.name)
    assert file_format is not None  # noqa: S101 -- only such files are found
    try:
        data = read_file(path)
    except UnreadableFileError as error:
        return _unchecked(path, str(error))
    if len(data) > LARGEST:
        message = f"The file has more than {LARGEST} bytes; the service would not copy it."
        return _answer(
            path, file_format, file_type or "config", "invalid", [_problem("too_large", message)]
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        message = f"Byte {error.start + 1} is not UTF-8; the service would not copy the file."
        return _answer(
            path, file_format, file_type or "config", "invalid", [_problem("not_utf8", message)]
        )
    chosen = file_type or (
        "config" if file_format == "json" else classification.type_by_content(text)
    )
    verdict = judge(text, file_format, chosen, schemas.package if schemas.versions else None)
    return _answer(path, file_format, chosen, verdict.validity, verdict.model_dump()["problems"])


def _unchecked(path: Path, reason: str) -> dict[str, Any]:
    problem = _problem("unreadable", f"The file cannot be read: {reason}.")
    return _answer(path, None, None, _UNCHECKED, [problem])


def _problem(code: str, message: str) -> dict[str, Any]:
    return {"severity": "error", "code": code, "message": message, "line": None, "column": None}


def _answer(
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
