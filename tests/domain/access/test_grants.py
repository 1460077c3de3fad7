"""What several grants allow together."""

import pytest

from benchmark_manager.domain.access.grants import roles_by_project
from benchmark_manager.models.access.account import Grant
from benchmark_manager.models.access.principal import Role


def a_grant(project_id: str, role: Role) -> Grant:
    return Grant(project_id=project_id, kind="group", id="ops", role=role)


@pytest.mark.parametrize(
    ("grants", "roles"),
    [
        ([], {}),
        ([("a", "editor")], {"a": "editor"}),
        ([("a", "editor"), ("b", "reader")], {"a": "editor", "b": "reader"}),
        ([("a", "reader"), ("a", "maintainer"), ("a", "editor")], {"a": "maintainer"}),
    ],
)
def test_the_highest_grant_of_a_project_counts(
    grants: list[tuple[str, Role]], roles: dict[str, Role]
) -> None:
    assert roles_by_project(a_grant(*each) for each in grants) == roles
