"""Checks that need other files: the schema that settings name, the settings that a Job names."""

from collections.abc import Collection, Mapping
from typing import Final

from benchmark_manager.domain.validation.findings import MAX_PROBLEMS, Findings, Lines
from benchmark_manager.domain.validation.kubernetes.gpu_check import check_gpus, named_files
from benchmark_manager.domain.validation.schemas.config_schema import check_schema, schema_reference
from benchmark_manager.domain.validation.validate import validate
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.original import FileFormat, FileType
from benchmark_manager.models.problem import Problem, Verdict

MAX_REFERENCES: Final = 32
"""Files that one text may ask for; a manifest that names more is not compared with any."""


def references(
    text: str, path: str, file_format: FileFormat, file_type: FileType, paths: Collection[str]
) -> frozenset[str]:
    """Return the paths of those files of the repository that `check_across` needs.

    Args:
        text: the content, decoded; if it does not parse, it needs no files.
        path: its path from the repository's root, without a leading slash.
        file_format: the format of the text.
        file_type: settings name schemas, manifests name settings.
        paths: the paths of all files in the repository.
    """
    body = text.removeprefix(BYTE_ORDER_MARK)
    if validate(body, file_format).validity != "valid":
        return frozenset()
    wanted = set()
    if file_type == "config":
        reference = schema_reference(body, path, file_format)
        wanted = {reference.path} if reference is not None and reference.path is not None else set()
    elif file_format == "yaml":
        wanted = named_files(body, path, paths)
    wanted = wanted.intersection(paths)
    return frozenset(wanted if len(wanted) <= MAX_REFERENCES else ())


def check_across(
    text: str,
    path: str,
    file_format: FileFormat,
    file_type: FileType,
    others: Mapping[str, str],
    *,
    paths: Collection[str] | None = None,
) -> tuple[Problem, ...]:
    """Check a text that parses against other files: at most 100 warnings, in order of position.

    Args:
        text: the content, decoded.
        path: its path from the repository's root, without a leading slash.
        file_format: the format of the text.
        file_type: settings are checked against their schema, manifests against the settings that
            they name.
        others: the contents, by path, of the files that `references` returned.
        paths: the paths of all files, as given to `references`; None if `others` has them all.
    """
    body = text.removeprefix(BYTE_ORDER_MARK)
    if validate(body, file_format).validity != "valid":
        return ()
    findings = Findings(Lines(body))
    if file_type == "config":
        reference = schema_reference(body, path, file_format)
        if reference is not None:
            check_schema(body, reference, file_format, others, findings)
    elif file_format == "yaml":
        check_gpus(body, path, others, others if paths is None else paths, findings)
    return findings.problems()


def with_problems(verdict: Verdict, problems: tuple[Problem, ...]) -> Verdict:
    """Return the verdict with more warnings, in order of position, still at most 100 in all."""
    found = sorted(
        (*verdict.problems, *problems), key=lambda problem: (problem.line or 0, problem.column or 0)
    )
    return Verdict(validity=verdict.validity, problems=tuple(found[:MAX_PROBLEMS]))
