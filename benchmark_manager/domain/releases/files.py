"""Select the files of a release among originals and variants."""

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
    """Return the originals and variants of a release, no path twice.

    A variant replaces the original that has its path. Without `modified_ids` all variants are
    taken.

    Raises:
        NotFoundError: one of `modified_ids` is not a variant of the project.
        InvalidInputError: `path_clash`, or `invalid_request` for variants in a release of
            originals.
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
    """Refuse a file at `a` beside one at `a/b`: no file system can have both.

    A variant can be at such a path when its original was removed upstream.
    """
    for path in sorted(paths):
        end = path.find("/")
        while end >= 0:
            if path[:end] in paths:
                raise InvalidInputError(
                    "path_clash", field="variant_ids", path=path[:end], other=path
                )
            end = path.find("/", end + 1)


def with_sums(
    originals: Sequence[OriginalFile], modified: Sequence[Variant], sha256s: Mapping[str, str]
) -> list[ReleaseFile]:
    """Return the files of a release, sorted by the bytes of their paths.

    `sha256s` are those of the originals, by blob id.
    """
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
