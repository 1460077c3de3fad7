"""The outcome of a merge, for tests that compare it."""

from benchmark_manager.domain.merge import merge
from benchmark_manager.models.merge import MergeConflict
from benchmark_manager.models.original import FileFormat


def outcome_of(
    base: str, theirs: str, mine: str, file_format: FileFormat = "yaml"
) -> tuple[str, str | None]:
    found = merge(base, theirs, mine, file_format)
    return found.outcome, found.content


def conflicts_of(
    base: str, theirs: str, mine: str, file_format: FileFormat = "yaml"
) -> tuple[MergeConflict, ...]:
    found = merge(base, theirs, mine, file_format)
    assert (found.outcome, found.content) == ("conflict", None)
    return found.conflicts
