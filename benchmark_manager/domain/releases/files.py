"""Select the files of a release among originals and variants."""

from collections.abc import Collection, Mapping, Sequence

from benchmark_manager.domain.releases.digest import by_path
from benchmark_manager.domain.releases.substitutes import NO_SUBSTITUTES, named, substituted
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.release import ReleaseContents, ReleaseFile
from benchmark_manager.models.variant import Variant


def chosen(
    originals: Sequence[OriginalFile],
    modified: Sequence[Variant],
    contents: ReleaseContents,
    modified_ids: Collection[str] | None,
    substitutes: Mapping[str, str] = NO_SUBSTITUTES,
) -> tuple[list[OriginalFile], dict[str, Variant]]:
    """Return the originals of a release, and its variants by their paths in it.

    A variant replaces the original that has its path. Without `modified_ids` all variants are
    taken. `substitutes` are the ids of variants that replace their originals, by those paths: they
    are in the release whatever else is taken, and not at their own paths.

    Raises:
        NotFoundError: one of `modified_ids` is not a variant of the project, or a substitute is
            none, or has no original at its path.
        InvalidInputError: `path_clash`, `substitute_mismatch`, or `invalid_request` for variants in
            a release of originals.
    """
    replacing = substituted(originals, modified, substitutes)
    elsewhere = {file.id for file in replacing.values()}
    wanted = _wanted(modified, contents, modified_ids)
    variants = {file.path: file for file in wanted if file.id not in elsewhere} | replacing
    kept = (
        [] if contents == "modified" else [file for file in originals if file.path not in variants]
    )
    _check_folders(variants.keys() | {file.path for file in kept})
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
    return named(modified, modified_ids)


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
    originals: Sequence[OriginalFile], modified: Mapping[str, Variant], sha256s: Mapping[str, str]
) -> list[ReleaseFile]:
    """Return the files of a release, sorted by the bytes of their paths.

    `modified` are the variants by their paths in the release, `sha256s` those of the originals, by
    blob id.
    """
    files = [
        *(_of_original(file, sha256s[file.sha]) for file in originals),
        *(_of_modified(path, file) for path, file in modified.items()),
    ]
    return by_path(files)


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


def _of_modified(path: str, file: Variant) -> ReleaseFile:
    return ReleaseFile(
        path=path,
        sha=file.content_sha,
        sha256=file.content_sha256,
        size=file.size,
        source="modified",
        original_sha=file.base_sha,
        commit_sha=file.base_commit_sha,
        modified_file_id=file.id,
        revision=file.revision,
    )
