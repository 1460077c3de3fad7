"""What worker processes do for the services: everything that reads a text from outside.

Functions here take and return values that can be pickled, and import nothing but rules, so that a
worker stays small.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.documents import KeyChange, key_changes
from benchmark_manager.domain.merge import merge
from benchmark_manager.domain.releases.comparison import ChangedFile, changed_file
from benchmark_manager.domain.sync.classification import (
    Candidate,
    skip_reason_of_content,
    type_by_content,
)
from benchmark_manager.domain.sync.tree_changes import UpstreamFile
from benchmark_manager.domain.text.unified_diff import unified_diff
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.across import check_across
from benchmark_manager.models.original import FileFormat, FileType, SkipReason
from benchmark_manager.models.problem import Problem, Verdict
from benchmark_manager.services.texts.kubernetes_schemas import (
    PACKAGE,
    SchemasMissingError,
    load_schemas,
)

#: The verdict on a text which took too much time or memory.
TOO_COMPLEX: Final = Verdict(
    validity="invalid",
    problems=(
        Problem(
            severity="error",
            code="too_complex",
            message=(
                "The file was not checked: reading it takes too much time or memory. "
                "Its bytes are kept exactly."
            ),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file whose content has to be read before it can be an original."""

    path: str
    sha: str
    size: int
    candidate: Candidate
    format: FileFormat


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """What a content turned out to be: an original with its verdict, or skipped."""

    file: UpstreamFile | None
    verdict: Verdict | None
    skip_reason: SkipReason | None


def warm_up() -> None:
    """Read Kubernetes' schemas, where they are installed, before the first task."""
    why_no_schemas(PACKAGE)


def why_no_schemas(package: str) -> str | None:
    """Return why the schemas of a package cannot be read; None where they can."""
    try:
        load_schemas(package)
    except SchemasMissingError as error:
        return str(error)
    return None


def judge(
    text: str, file_format: FileFormat, file_type: FileType | None, package: str | None = PACKAGE
) -> Verdict:
    """Return the verdict on one content.

    Manifests are checked against the Kubernetes schemas of `package`, if there are any.
    """
    kubernetes = None
    # Only manifests are worth the reading of schemas.
    if (
        file_type == "job"
        and file_format == "yaml"
        and package is not None
        and why_no_schemas(package) is None
    ):
        kubernetes = load_schemas(package)
    return validate(text, file_format, file_type, kubernetes=kubernetes)


def judge_texts(
    texts: Sequence[str],
    file_format: FileFormat,
    file_type: FileType | None,
    package: str | None,
    seconds: float,
) -> list[Verdict]:
    """Return the verdicts on some texts, at least the first.

    It stops after `seconds` of CPU time; the result may be shorter than `texts`.
    """
    until = time.process_time() + seconds
    verdicts: list[Verdict] = []
    for text in texts:
        if verdicts and time.process_time() >= until:
            break
        verdicts.append(judge(text, file_format, file_type, package))
    return verdicts


def judge_files(
    contents: Mapping[str, bytes],
    by_sha: Mapping[str, Sequence[WantedFile]],
    *,
    judged: bool = True,
) -> dict[tuple[str, str], JudgedFile]:
    """Return what each file is, by its path and blob id.

    Args:
        contents: bytes by blob id.
        by_sha: the files which have each content.
        judged: False: every text gets the verdict `TOO_COMPLEX`, unread.
    """
    found: dict[tuple[str, str], JudgedFile] = {}
    for sha, data in contents.items():
        reason = skip_reason_of_content(data)
        # The same content may be at thousands of paths: one verdict for all that are read alike.
        verdicts: dict[tuple[FileFormat, Candidate], tuple[FileType, Verdict]] = {}
        for file in by_sha[sha]:
            if reason is not None:
                found[file.path, sha] = JudgedFile(None, None, reason)
                continue
            kind = file.format, file.candidate
            if kind not in verdicts:
                verdicts[kind] = _judged(file, data.decode()) if judged else _unjudged(file)
            file_type, verdict = verdicts[kind]
            original = UpstreamFile(file.path, sha, len(data), file_type, file.format)
            found[file.path, sha] = JudgedFile(original, verdict, None)
    return found


def _judged(file: WantedFile, text: str) -> tuple[FileType, Verdict]:
    file_type = type_by_content(text) if file.candidate == "by_content" else file.candidate
    return file_type, judge(text, file.format, file_type)


def _unjudged(file: WantedFile) -> tuple[FileType, Verdict]:
    return "config" if file.candidate == "by_content" else file.candidate, TOO_COMPLEX


def contradictions(
    text: str,
    path: str,
    file_format: FileFormat,
    file_type: FileType,
    others: Mapping[str, str],
    paths: Collection[str],
) -> tuple[Problem, ...]:
    """Return what other files of the repository contradict.

    The arguments are those of `check_across`.
    """
    return check_across(text, path, file_format, file_type, others, paths=paths)


def compare_texts(
    before: str, after: str, paths: tuple[str, str], file_format: FileFormat, by_key: bool
) -> tuple[str, tuple[KeyChange, ...] | None]:
    """Return the patch from one text to the other.

    The changes by key are returned too, if they are wanted and can be found.
    """
    changes = key_changes(before, after, file_format) if by_key else None
    return unified_diff(before, after, before_path=paths[0], after_path=paths[1]), changes


def merges_cleanly(base: str, theirs: str, mine: str, file_format: FileFormat) -> bool:
    return merge(base, theirs, mine, file_format).outcome != "conflict"


def changed_files(pairs: Sequence[tuple[str, bytes, bytes]]) -> list[ChangedFile]:
    """Return the changes by key of files: their paths, contents before, and contents after."""
    return [changed_file(*pair) for pair in pairs]
