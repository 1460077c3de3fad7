"""Variants that are at their originals' paths in a release, as runners refer to those paths."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.variant import Variant

#: Every variant is at its own path.
NO_SUBSTITUTES: Final[Mapping[str, str]] = MappingProxyType({})

_FIELD: Final = "substitutes"
#: How much of a path an error names.
_SHOWN: Final = 300


def substitutes_of(pairs: Iterable[str]) -> dict[str, str]:
    """Read pairs `PATH=ID`; return the id of the variant by the path of the original.

    The last `=` of a pair separates the two.

    Raises:
        InvalidInputError: `invalid_request` for a text without `=`, or a path with two ids.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        path, separator, variant_id = pair.rpartition("=")
        if not separator:
            raise InvalidInputError("invalid_request", "substitute_form", field=_FIELD)
        _add(found, path, variant_id)
    return found


def substitutes_for(variants: Iterable[Variant]) -> dict[str, str]:
    """Return the same for variants that are each to be at the path of its own original.

    Raises:
        InvalidInputError: `invalid_request` where two have one original.
    """
    found: dict[str, str] = {}
    for variant in variants:
        _add(found, variant.original_path, variant.id)
    return found


def _add(found: dict[str, str], path: str, variant_id: str) -> None:
    if found.get(path, variant_id) != variant_id:
        raise InvalidInputError(
            "invalid_request", "substitute_twice", field=_FIELD, path=path[:_SHOWN]
        )
    found[path] = variant_id


def named(modified: Sequence[Variant], ids: Collection[str]) -> list[Variant]:
    """Return the variants of these ids, in the order of `modified`.

    Raises:
        NotFoundError: one of the ids is not a variant of the project.
    """
    wanted = {wanted_id.lower() for wanted_id in ids}
    unknown = wanted - {file.id for file in modified}
    if unknown:
        raise NotFoundError("modified file", min(unknown))
    return [file for file in modified if file.id in wanted]


def substituted(
    originals: Sequence[OriginalFile],
    modified: Sequence[Variant],
    substitutes: Mapping[str, str],
) -> dict[str, Variant]:
    """Return the variants of `substitutes`, by the path of the original that each replaces.

    Raises:
        NotFoundError: there is no such original, or no such variant.
        InvalidInputError: `substitute_mismatch`.
    """
    by_path = {file.path: file for file in originals} if substitutes else {}
    by_id = {file.id: file for file in named(modified, substitutes.values())}
    found: dict[str, Variant] = {}
    for path, variant_id in substitutes.items():
        if path not in by_path:
            raise NotFoundError("file", path[:_SHOWN])
        variant = by_id[variant_id.lower()]
        if variant.original_file_id != by_path[path].id:
            raise InvalidInputError(
                "substitute_mismatch",
                field=_FIELD,
                id=variant.id,
                path=path[:_SHOWN],
                other=variant.original_path[:_SHOWN],
            )
        found[path] = variant
    return found
