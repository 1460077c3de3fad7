"""Principals of every role."""

from collections.abc import Mapping

from benchmark_manager.models.access.principal import (
    Principal,
    Role,
    TokenBound,
    open_principal,
    service_principal,
)

__all__ = [
    "account",
    "admin",
    "editor_of",
    "granted",
    "limited_to",
    "maintainer_of",
    "open_principal",
    "reader_of",
    "service_principal",
    "stranger",
]


def account(
    name: str = "kim", role: Role | None = None, grants: Mapping[str, Role] | None = None
) -> Principal:
    """Return a person who signed in, with a site-wide role and grants by project."""
    return Principal(
        kind="person", id=name, name=name, via="session", role=role, grants=grants or {}
    )


def granted(role: Role, *project_ids: str) -> Principal:
    """Return a person without a site-wide role, who has this one in these projects."""
    return account(grants=dict.fromkeys(project_ids, role))


def admin() -> Principal:
    """Return a person who may do everything."""
    return account(role="admin")


def reader_of(*project_ids: str) -> Principal:
    """Return a person who may read these projects and knows of no other."""
    return granted("reader", *project_ids)


def editor_of(*project_ids: str) -> Principal:
    """Return a person who may edit in these projects and knows of no other."""
    return granted("editor", *project_ids)


def maintainer_of(*project_ids: str) -> Principal:
    """Return a person who maintains these projects and knows of no other."""
    return granted("maintainer", *project_ids)


def stranger() -> Principal:
    """Return a person who signed in and has no role at all."""
    return account()


def limited_to(principal: Principal, role: Role, *project_ids: str) -> Principal:
    """Return a program with a token of this person, which is good for these projects only."""
    bound = TokenBound(role=role, project_ids=frozenset(project_ids))
    return principal.model_copy(update={"via": "token", "bound": bound})
