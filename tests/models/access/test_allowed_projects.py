"""The projects in which a role suffices are exactly those where it is asked for one by one."""

from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.models.access.principal import Principal, Role, TokenBound

ROLES: tuple[Role, ...] = ("reader", "editor", "maintainer", "admin")
PROJECTS = ("a", "b", "c")

roles = st.sampled_from(ROLES)
bounds = st.builds(
    TokenBound,
    role=roles,
    project_ids=st.none() | st.frozensets(st.sampled_from(PROJECTS)),
)
principals = st.builds(
    Principal,
    kind=st.just("person"),
    id=st.just("kim"),
    name=st.just("kim"),
    via=st.just("token"),
    role=st.none() | roles,
    grants=st.dictionaries(st.sampled_from(PROJECTS), roles),
    bound=st.none() | bounds,
)


@given(principals, roles, st.sampled_from(PROJECTS))
def test_a_project_is_allowed_where_the_role_in_it_suffices(
    principal: Principal, needed: Role, project_id: str
) -> None:
    allowed = principal.allowed(needed)
    assert principal.may(needed, project_id) == (allowed is None or project_id in allowed)


@given(principals, roles)
def test_all_projects_are_allowed_only_to_a_site_wide_role(
    principal: Principal, needed: Role
) -> None:
    everywhere = principal.may(needed, "of nobody's grants")
    assert (principal.allowed(needed) is None) == everywhere


@given(principals)
def test_what_may_be_read_is_where_the_role_is_a_readers(principal: Principal) -> None:
    assert principal.readable() == principal.allowed("reader")


@given(principals, roles)
def test_a_role_suffices_somewhere_if_it_does_in_any_project(
    principal: Principal, needed: Role
) -> None:
    anywhere = any(principal.may(needed, project) for project in (*PROJECTS, "another"))
    assert principal.may_somewhere(needed) == anywhere
