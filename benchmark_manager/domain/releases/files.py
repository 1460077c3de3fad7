"""Which files a release holds: originals, modified files, and which of two takes a path."""

from collections.abc import Collection, Mapping, Sequence

from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.release import ReleaseContents, ReleaseFile
from benchmark_manager.models.variant import Variant


def chosen(
    originals: Sequence[OriginalFile],
    modified: Sequence[Variant],
    contents: ReleaseContents,
    modified_ids: Collection[str] | None,
) -> tuple[list[OriginalFile], list[Variant]]:
    """Those of a project's files which a release is to hold, no path twice; `modified_ids` None: all of them.

    A modified file takes the place of the original which has its path.

    Raises:
        NotFoundError: one of `modified_ids` is no modified file of the project.
        InvalidInputError: `invalid_request`: modified files named for a release of originals;
            `path_clash`.
    """
    variants = _wanted(modified, contents, modified_ids)
    taken = {file.path for file in variants}
    kept = [] if contents == "modified" else [file for file in originals if file.path not in taken]
    _check_folders(taken | {file.path for file in kept})
    return kept, variants


def _wanted(
    modified: Sequence[Variant],
    contents: ReleaseContents,
    modified_ids: Collection[str] | None,
) -> list[Variant]:
    if modified_ids is None:
        return [] if contents == "originals" else list(modified)
    if contents == "originals":
        raise InvalidInputError("invalid_request", "variants_of_originals", field="variant_ids")
    wanted = {wanted_id.lower() for wanted_id in modified_ids}
    unknown = wanted - {file.id for file in modified}
    if unknown:
        raise NotFoundError("modified file", min(unknown))
    return [file for file in modified if file.id in wanted]


def _check_folders(paths: Collection[str]) -> None:
    """Refuse a file at `a` beside one at `a/b`, as a variant whose original is gone may lie: no folder holds both."""
    for path in sorted(paths):
        place = path.find("/")
        while place >= 0:
            if path[:place] in paths:
                raise InvalidInputError(
                    "path_clash", field="variant_ids", path=path[:place], other=path
                )
            place = path.find("/", place + 1)


def with_sums(
    originals: Sequence[OriginalFile], modified: Sequence[Variant], sha256s: Mapping[str, str]
) -> list[ReleaseFile]:
    """The files of a release by the bytes of their paths; `sha256s` are the originals' by blob id."""
    files = [
        *(_of_original(file, sha256s[file.sha]) for file in originals),
        *(_of_modified(file) for file in modified),
    ]
    return sorted(files, key=lambda file: file.path.encode())


def _of_original(file: OriginalFile, sha256: str) -> ReleaseFile:
    return ReleaseFile(
        path=file.path,
        sha=file.sha,
        sha256=sha256,
        size=file.size,
        source="original",
        original_sha=file.sha,
        commit_sha=file.commit_sha,
    )


def _of_modified(file: Variant) -> ReleaseFile:
    return ReleaseFile(
        path=file.path,
        sha=file.content_sha,
        sha256=file.content_sha256,
        size=file.size,
        source="modified",
        original_sha=file.base_sha,
        commit_sha=file.base_commit_sha,
        modified_file_id=file.id,
        revision=file.revision,
    )
