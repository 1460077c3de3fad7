"""Which files of a project a definition edits, and what the others hold."""

import hashlib
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.original import FileType, OriginalFile
from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.models.sweep import SweepDefinition, SweptBase, SweptFile
from benchmark_manager.models.variant import Variant


@dataclass(frozen=True, slots=True)
class FoundBases:
    """The files that a definition edits, in its order, and those that the project does not have."""

    bases: tuple[SweptBase, ...]
    missing: tuple[SweptFile, ...]

    def complete(self) -> tuple[SweptBase, ...]:
        """Return the files, of which none may be missing.

        Raises:
            InvalidInputError: `file_not_found`.
        """
        for file in self.missing:
            if file.variant_id is not None:
                raise InvalidInputError(
                    "file_not_found",
                    "swept_variant",
                    field=field_of(file.alias),
                    id=file.variant_id,
                )
            raise InvalidInputError(
                "file_not_found", "swept", field=field_of(file.alias), path=str(file.path)
            )
        return self.bases


def bases_now(
    files: Sequence[SweptFile], originals: Sequence[OriginalFile], variants: Sequence[Variant]
) -> FoundBases:
    """Return files that a definition edits as they are now.

    A variant whose original was removed is missing too: its text would be at that path.

    Raises:
        InvalidInputError: `invalid_request` where two files would be at one path.
    """
    by_path = {file.path: file for file in originals}
    by_id = {variant.id: variant for variant in variants}

    def base(file: SweptFile) -> SweptBase | None:
        if file.variant_id is None:
            original = by_path.get(str(file.path))
            return None if original is None else _of_original(file.alias, original)
        return _of_variant(file, by_id, by_path)

    return _found(files, base)


def bases_of_generation(
    definition: SweepDefinition,
    before: Sequence[SweptBase],
    files: Sequence[ReleaseFile],
    originals: Sequence[OriginalFile],
    variants: Sequence[Variant],
) -> FoundBases:
    """Return the files that a new definition edits, as they were for a generation.

    A variant that the definition before did not edit is taken as it is now.

    Args:
        definition: the new definition.
        before: what the definition before it edits.
        files: all files of the generation.
        originals: the originals as they are now; the types of files are not in `files`.
        variants: the variants as they are now.

    Raises:
        InvalidInputError: `invalid_request` where two files would be at one path.
    """
    known = {(base.variant_id or base.path): base for base in before}
    rows = {file.path: file for file in files}
    types = {file.path: file.file_type for file in originals}
    by_id = {variant.id: variant for variant in variants}

    def base(file: SweptFile) -> SweptBase | None:
        same = known.get((file.variant_id or "").lower() or str(file.path))
        if same is not None:
            return same.model_copy(update={"alias": file.alias})
        if file.variant_id is not None:
            return _of_variant(file, by_id, rows)
        row = rows.get(str(file.path))
        if row is None or row.source != "original":
            return None
        return _of_row(file.alias, row, types.get(row.path, "config"))

    return _found(definition.files, base)


def _found(files: Sequence[SweptFile], base: Callable[[SweptFile], SweptBase | None]) -> FoundBases:
    bases = [(file, base(file)) for file in files]
    found = FoundBases(
        tuple(one for _, one in bases if one is not None),
        tuple(file for file, one in bases if one is None),
    )
    _check_paths(found.bases)
    return found


def _check_paths(bases: Sequence[SweptBase]) -> None:
    """Accept files of which no two would be at one path of a release.

    Raises:
        InvalidInputError: `invalid_request`.
    """
    aliases: dict[str, str] = {}
    for base in bases:
        other = aliases.setdefault(base.path, base.alias)
        if other != base.alias:
            raise InvalidInputError(
                "invalid_request",
                "one_path",
                field=field_of(base.alias),
                name=other,
                path=base.path,
            )


def field_of(alias: str) -> str:
    """Return the name of a file's field in a definition."""
    return f"files.{alias}"


def _of_original(alias: str, file: OriginalFile) -> SweptBase:
    return SweptBase(
        alias=alias,
        path=file.path,
        sha=file.sha,
        original_sha=file.sha,
        commit_sha=file.commit_sha,
        file_type=file.file_type,
    )


def _of_row(alias: str, row: ReleaseFile, file_type: FileType) -> SweptBase:
    return SweptBase(
        alias=alias,
        path=row.path,
        sha=row.sha,
        original_sha=row.original_sha,
        commit_sha=row.commit_sha,
        file_type=file_type,
    )


def _of_variant(
    file: SweptFile, variants: Mapping[str, Variant], paths: Container[str]
) -> SweptBase | None:
    """Return the base of a variant; None where it, or its original's path, is missing."""
    variant = variants.get((file.variant_id or "").lower())
    if variant is None or variant.original_path not in paths:
        return None
    return SweptBase(
        alias=file.alias,
        path=variant.original_path,
        sha=variant.content_sha,
        original_sha=variant.base_sha,
        commit_sha=variant.base_commit_sha,
        file_type=variant.file_type,
        variant_id=variant.id,
        revision=variant.revision,
    )


def others_id(contents: Iterable[tuple[str, str]], swept_paths: Collection[str]) -> str:
    """Return an id of the contents of all files that a sweep does not edit.

    `contents` are the paths and blob ids of all files.
    """
    lines = sorted(f"{path}\0{sha}\n" for path, sha in contents if path not in swept_paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
