"""The project to which a result or a receipt of a release belongs."""

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.release import Release


def chosen_project(principal: Principal, release: Release, project_id: str | None) -> str:
    """Return the project that is named, or the only one that the release belongs to.

    `release` is as the principal may read it.

    Raises:
        NotFoundError: the named project may not be read.
        ForbiddenError: it takes an editor.
        InvalidInputError: `project_required`; `project_mismatch` where the named one did not make
            the release.
    """
    if project_id is not None:
        principal.require("editor", project_id)
        if project_id not in release.project_ids:
            raise InvalidInputError("project_mismatch", field="project_id", id=project_id[:100])
        return project_id
    if len(release.project_ids) > 1:
        raise InvalidInputError("project_required", field="project_id")
    [only] = release.project_ids
    principal.require("editor", only, noun="release", id=release.digest)
    return only
