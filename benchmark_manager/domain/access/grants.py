"""What several grants allow together."""

from collections.abc import Iterable, Mapping

from benchmark_manager.models.access.account import Grant
from benchmark_manager.models.access.principal import Role, highest


def roles_by_project(grants: Iterable[Grant]) -> Mapping[str, Role]:
    """Return the highest role that the grants give in each project."""
    roles: dict[str, Role] = {}
    for grant in grants:
        roles[grant.project_id] = highest(roles.get(grant.project_id), grant.role) or grant.role
    return roles
