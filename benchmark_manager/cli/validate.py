"""benchmark-manager validate: the service's verdict on files, without a service."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from benchmark_manager.cli import output
from benchmark_manager.cli.failures import CommandError, WrongUsageError
from benchmark_manager.cli.options import AsJson
from benchmark_manager.errors import reason_of

if TYPE_CHECKING:
    from benchmark_manager.services.kubernetes_schemas import SchemaSource


def validate_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Files, or folders to be searched for .yaml, .yml and .json.", exists=True
        ),
    ],
    file_type: Annotated[
        Literal["config", "job"] | None,
        typer.Option(
            "--type", help="What they are; else YAML of a Kubernetes workload is a job, and all other config."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check files as the service would, without asking it.

    A line for each problem, as compilers write theirs: FILE:LINE:COLUMN: severity code message.

    Exit code 1: a file is invalid. Templates and warnings are no failure.
    """
    # They take a quarter of a second to import, which no other command has to wait for.
    from benchmark_manager.services.kubernetes_schemas import SchemaSource  # noqa: PLC0415

    _quiet_logs()
    schemas = SchemaSource()
    verdicts = [_verdict(path, file_type, schemas) for path in _found(files)]
    if as_json:
        output.write_json(verdicts)
    else:
        for verdict in verdicts:
            for problem in verdict["problems"]:
                print(output.problem_line(verdict["name"], problem))
    if schemas.missing is not None and any(verdict["file_type"] == "job" for verdict in verdicts):
        output.say(f"warning: manifests were not held to Kubernetes' own schemas: {schemas.missing}")
    invalid = sum(verdict["validity"] == "invalid" for verdict in verdicts)
    if invalid:
        raise CommandError(
            f"{invalid} of {output.files(len(verdicts))} {'is' if invalid == 1 else 'are'} invalid.", "invalid"
        )
    if not as_json:
        output.say(f"{output.files(len(verdicts))} checked, none is invalid.")


def _quiet_logs() -> None:
    """What the schemas' reader logs is told in our own words."""
    from benchmark_manager.logs import configure_logging  # noqa: PLC0415 -- see above

    configure_logging("error", "console")


def _found(places: Iterable[Path]) -> Iterator[Path]:
    """The files in order, those of a folder by path.

    Raises:
        WrongUsageError: a file has another ending, or a folder no file.
    """
    from benchmark_manager.domain.classification import format_of  # noqa: PLC0415 -- see above

    for place in places:
        if place.is_dir():
            inside = sorted(path for path in _files_below(place) if format_of(path.name) is not None)
            if not inside:
                raise WrongUsageError(f"{place} holds no .yaml, .yml or .json.")
            yield from inside
        elif format_of(place.name) is None:
            raise WrongUsageError(f"{place} must end in .yaml, .yml or .json.")
        else:
            yield place


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        # What tools keep beside the files is nobody's configuration.
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place) / name for name in names)


def _verdict(path: Path, file_type: Literal["config", "job"] | None, schemas: "SchemaSource") -> dict[str, Any]:
    """What `POST /validate` answers for the file's name, content and type."""
    from benchmark_manager.domain.classification import format_of, type_by_content  # noqa: PLC0415 -- see above
    from benchmark_manager.services.text_work import judge  # noqa: PLC0415

    file_format = format_of(path.name)
    assert file_format is not None  # noqa: S101 -- others are not chosen
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise WrongUsageError(f"{path} cannot be read ({reason_of(error)}).") from None
    except UnicodeDecodeError as error:
        problem = {
            "severity": "error",
            "code": "not_utf8",
            "message": f"Byte {error.start + 1} is no UTF-8; the service would not copy the file.",
            "line": None,
            "column": None,
        }
        return _told(path, file_format, file_type or "config", "invalid", [problem])
    chosen = file_type or ("config" if file_format == "json" else type_by_content(text))
    verdict = judge(text, file_format, chosen, schemas.package if schemas.versions else None)
    return _told(path, file_format, chosen, verdict.validity, verdict.model_dump()["problems"])


def _told(path: Path, file_format: str, file_type: str, validity: str, problems: Iterable[Any]) -> dict[str, Any]:
    return {
        "name": str(path),
        "format": file_format,
        "file_type": file_type,
        "validity": validity,
        "problems": list(problems),
    }
