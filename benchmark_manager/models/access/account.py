"""Accounts of people, and the groups that they are in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import SecretStr

from benchmark_manager.models.access.principal import Role
from benchmark_manager.models.record import OrElse, Record

AccountKind = Literal["local", "oidc", "github", "proxy"]


class Account(Record):
    """A person who may sign in.

    A local account is found by its name, any other by (`issuer`, `subject`): an OIDC issuer and its
    `sub`, the GitHub API base and the numeric user id, or `proxy` and the name that it sent.
    """

    id: str
    kind: Annotated[AccountKind, OrElse("local")]
    name: str
    issuer: str | None = None
    subject: str | None = None
    #: The site-wide role; None is `none`.
    role: Role | None
    #: As the last sign-in reported them, sorted; a local account has none.
    groups: tuple[str, ...] = ()
    disabled: bool = False
    created_at: datetime
    updated_at: datetime
    revision: int = 1


class Grant(Record):
    """A role in one project, of an account or a group; a group's id is its name."""

    project_id: str
    kind: Literal["account", "group"]
    id: str
    role: Role


class AccountWithGrants(Record):
    """An account, and the highest role that its own grants and its groups' give, by project."""

    account: Account
    roles: Mapping[str, Role]


class LocalCredentials(Record):
    """A local account, and the hash of its password."""

    account: Account
    password_hash: SecretStr
