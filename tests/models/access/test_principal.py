"""What a principal may do, by its role, its grants and its token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.errors import ForbiddenError, NotFoundError
from benchmark_manager.models.access.principal import (
    Principal,
    Role,
    TokenBound,
    highest,
    includes,
    lowest,
    open_principal,
    service_principal,
)
from benchmark_manager.models.record import words_of

ORDER: list[Role] = ["reader", "editor", "maintainer", "admin"]
ROLES = st.sampled_from(ORDER)
MAYBE = st.none() | ROLES
PROJECTS = st.sampled_from(["a", "b", "c"])
BOUNDS = st.none() | st.builds(
    TokenBound, role=ROLES, project_ids=st.none() | st.frozensets(PROJECTS)
)


def a_principal(
    role: Role | None = None,
    grants: dict[str, Role] | None = None,
    bound: TokenBound | None = None,
) -> Principal:
    return Principal(
        kind="person",
        id="1",
        name="kim",
        via="session",
        role=role,
        grants=grants or {},
        bound=bound,
    )


PRINCIPALS = st.builds(a_principal, MAYBE, st.dictionaries(PROJECTS, ROLES), BOUNDS)


def rank(role: Role | None) -> int:
    return 0 if role is None else 1 + ORDER.index(role)


def test_every_role_has_its_place() -> None:
    assert set(ORDER) == words_of(Role)


@given(MAYBE, ROLES)
def test_a_role_includes_what_stands_below_it(role: Role | None, needed: Role) -> None:
    assert includes(role, needed) == (rank(role) >= rank(needed))


@given(MAYBE, MAYBE)
def test_the_highest_and_the_lowest_of_two_are_these_two(
    one: Role | None, other: Role | None
) -> None:
    assert rank(highest(one, other)) == max(rank(one), rank(other))
    assert rank(lowest(one, other)) == min(rank(one), rank(other))


@given(PRINCIPALS, PROJECTS)
def test_a_role_in_a_project_is_the_highest_and_at_most_what_a_token_allows(
    principal: Principal, project: str
) -> None:
    own = max(rank(principal.role), rank(principal.grants.get(project)))
    bound = principal.bound
    if bound is None:
        allowed = len(ORDER)
    elif bound.project_ids is None or project in bound.project_ids:
        allowed = rank(bound.role)
    else:
        allowed = 0
    assert rank(principal.role_in(project)) == min(own, allowed)


@given(PRINCIPALS, PROJECTS)
def test_what_is_listed_as_readable_is_what_may_be_read(principal: Principal, project: str) -> None:
    readable = principal.readable()
    listed = readable is None or project in readable
    assert listed == principal.may("reader", project)


@given(PRINCIPALS)
def test_a_token_never_gives_more_than_its_account_has(principal: Principal) -> None:
    assert rank(principal.site_role) <= rank(principal.role)


@given(PRINCIPALS, PROJECTS)
def test_what_may_not_be_read_does_not_exist(principal: Principal, project: str) -> None:
    refusals = {NotFoundError: 0, ForbiddenError: 1, None: 2}
    kind = None
    try:
        principal.require("editor", project)
    except (NotFoundError, ForbiddenError) as error:
        kind = type(error)
    expected = min(rank(principal.role_in(project)), 2)
    assert refusals[kind] == expected


@pytest.mark.parametrize(
    ("grants", "code"),
    [
        ({}, "variant_not_found"),
        ({"a": "reader"}, "forbidden"),
        ({"b": "admin"}, "variant_not_found"),
    ],
)
def test_a_refusal_names_what_was_asked_for_only_to_who_may_read_it(
    grants: dict[str, Role], code: str
) -> None:
    with pytest.raises((NotFoundError, ForbiddenError)) as refused:
        a_principal(grants=grants).require("editor", "a", noun="variant", id="7")
    assert refused.value.code == code


def test_a_role_that_suffices_is_not_refused() -> None:
    a_principal("reader", {"a": "editor"}).require("editor", "a")


@pytest.mark.parametrize(
    ("principal", "is_refused"),
    [
        (a_principal("admin"), False),
        (a_principal("maintainer"), True),
        (a_principal(None, {"a": "admin"}), True),
        (a_principal("admin", bound=TokenBound(role="maintainer", project_ids=None)), True),
        (
            a_principal("admin", bound=TokenBound(role="admin", project_ids=frozenset({"a"}))),
            True,
        ),
        (a_principal("admin", bound=TokenBound(role="admin", project_ids=None)), False),
    ],
    ids=["admin", "maintainer", "grant", "token's role", "token of projects", "token"],
)
def test_what_is_for_administrators_takes_the_site_wide_role(
    principal: Principal, is_refused: bool
) -> None:
    assert includes(principal.site_role, "admin") is not is_refused


def test_a_site_wide_refusal_names_the_role_and_that_it_is_for_all_projects() -> None:
    with pytest.raises(ForbiddenError) as refused:
        a_principal("editor", {"a": "maintainer"}).require_site_wide("maintainer")
    assert (refused.value.code, refused.value.reason) == ("forbidden", "everywhere")
    assert refused.value.facts == {"role_needed": "maintainer"}


@pytest.mark.parametrize("principal", [open_principal("kim"), service_principal("poll")])
def test_the_open_service_and_the_service_itself_may_do_everything(principal: Principal) -> None:
    assert (principal.readable(), principal.may("admin", "a")) == (None, True)
