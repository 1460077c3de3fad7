"""Find the releases of a project that a query names by digests, whole or not."""

from collections.abc import Sequence

from benchmark_manager.domain.releases.digest import PREFIX, digest_digits, is_whole
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.stores.releases.releases import ReleaseStore


async def named_releases(
    releases: ReleaseStore, principal: Principal, project_id: str, references: Sequence[str]
) -> dict[str, str]:
    """Return the names of releases that a project made, by their digests.

    A reference is a digest or its first 12 digits at least, with or without its prefix.

    Raises:
        NotFoundError: the project has not made such a release.
        InvalidInputError: `digest_too_short`.
        ConflictError: `digest_ambiguous`.
    """
    digests: dict[str, str] = {}
    for reference in references:
        digits = digest_digits(reference)
        if is_whole(digits):
            digests[PREFIX + digits] = reference
        else:
            found = await releases.find(reference, principal.readable())
            digests[found.digest] = reference
    names = await releases.contents.names(project_id, digests)
    for digest, reference in digests.items():
        if digest not in names:
            raise NotFoundError("release", reference)
    return dict(names)
