"""Roles, and the principal: who makes a request, and what it may do."""

from collections.abc import Mapping
from typing import Final, Literal

from benchmark_manager.errors import ForbiddenError, NotFoundError
from benchmark_manager.models.record import Record

Role = Literal["reader", "editor", "maintainer", "admin"]
PrincipalKind = Literal["person", "program", "service", "anonymous"]
#: How a principal proved who it is. `open` is unproved: AUTH=open serves every request.
Via = Literal["open", "session", "token", "federation", "proxy", "service"]

_ORDER: Final[Mapping[Role, int]] = {"reader": 1, "editor": 2, "maintainer": 3, "admin": 4}


def includes(role: Role | None, needed: Role) -> bool:
    """Return whether a role allows what `needed` allows."""
    return role is not None and _ORDER[role] >= _ORDER[needed]


def highest(*roles: Role | None) -> Role | None:
    """Return the role that allows most; None where no role is given."""
    return max((role for role in roles if role is not None), key=_ORDER.__getitem__, default=None)


def lowest(one: Role | None, other: Role | None) -> Role | None:
    """Return what both roles allow."""
    if one is None or other is None:
        return None
    return min(one, other, key=_ORDER.__getitem__)


class TokenBound(Record):
    """What a token allows at most: a role, in all projects (None) or in some."""

    role: Role
    project_ids: frozenset[str] | None

    def limit(self, role: Role | None, project_id: str) -> Role | None:
        """Return what is left of a role in a project."""
        inside = self.project_ids is None or project_id in self.project_ids
        return lowest(role, self.role) if inside else None


class Principal(Record):
    """Who makes a request, and what it may do.

    A token acts as its account: `id` and `name` are the account's.
    """

    kind: PrincipalKind
    #: The account's id; a rule's for a federated program; a word such as `poll` for the service.
    id: str
    #: The name that changes are recorded with.
    name: str
    via: Via
    #: The site-wide role; None allows nothing beyond the grants.
    role: Role | None
    groups: tuple[str, ...] = ()
    #: The highest role of the grants to the account and to its groups, by project.
    grants: Mapping[str, Role] = {}
    bound: TokenBound | None = None
    #: Whether `X-Actor` may name the person for whom a program acts.
    may_act_for_others: bool = False
    on_behalf_of: str | None = None
    #: Which session the request has; None for any other credential.
    session_id: str | None = None
    #: Which API token the request has; None for any other credential.
    token_id: str | None = None
    #: The client's address and the request's id, for the audit; "" without a request.
    address: str = ""
    request_id: str = ""

    @property
    def site_role(self) -> Role | None:
        """The site-wide role, at most what a token allows; None for a token of some projects."""
        if self.bound is None:
            return self.role
        return None if self.bound.project_ids is not None else lowest(self.role, self.bound.role)

    def role_in(self, project_id: str) -> Role | None:
        """Return the role in a project; None where it must not even be known."""
        role = highest(self.role, self.grants.get(project_id))
        return role if self.bound is None else self.bound.limit(role, project_id)

    def may(self, needed: Role, project_id: str) -> bool:
        """Return whether the role in a project suffices."""
        return includes(self.role_in(project_id), needed)

    def require(
        self,
        needed: Role,
        project_id: str,
        *,
        noun: str = "project",
        id: str | None = None,  # noqa: A002 -- what the error calls it
    ) -> None:
        """Check the role in a project.

        Raises:
            NotFoundError: the project may not be read; `noun` and `id` name what was asked for.
            ForbiddenError: it may be read, but not this.
        """
        role = self.role_in(project_id)
        if role is None:
            raise NotFoundError(noun, project_id if id is None else id)
        if not includes(role, needed):
            raise ForbiddenError(needed, project_id=project_id)

    def require_site_wide(self, needed: Role) -> None:
        """Check the site-wide role.

        Raises:
            ForbiddenError
        """
        if not includes(self.site_role, needed):
            raise ForbiddenError(needed, "everywhere")

    def require_somewhere(self, needed: Role) -> None:
        """Check that the role suffices in one project at least.

        Raises:
            ForbiddenError
        """
        if not self.may_somewhere(needed):
            raise ForbiddenError(needed)

    def may_somewhere(self, needed: Role) -> bool:
        """Return whether the role suffices in one project at least."""
        allowed = self.allowed(needed)
        return allowed is None or bool(allowed)

    def allowed(self, needed: Role) -> frozenset[str] | None:
        """Return the ids of the projects in which the role suffices; None means all."""
        if self.bound is not None and not includes(self.bound.role, needed):
            return frozenset()
        everywhere = includes(self.role, needed)
        granted = frozenset(key for key, role in self.grants.items() if includes(role, needed))
        named = None if self.bound is None else self.bound.project_ids
        if named is None:
            return None if everywhere else granted
        return named if everywhere else named & granted

    def readable(self) -> frozenset[str] | None:
        """Return the ids of the projects that may be read; None means all."""
        return self.allowed("reader")


def open_principal(name: str, *, address: str = "", request_id: str = "") -> Principal:
    """Return who asks where AUTH=open: anybody, who may do everything."""
    return Principal(
        kind="anonymous",
        id="",
        name=name,
        via="open",
        role="admin",
        address=address,
        request_id=request_id,
    )


def service_principal(word: Literal["poll", "webhook", "housekeeping", "command"]) -> Principal:
    """Return the service itself, on record as what made it act."""
    return Principal(kind="service", id=word, name=word, via="service", role="admin")
