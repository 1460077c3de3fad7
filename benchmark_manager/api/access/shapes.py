"""Shapes of accounts, sessions, tokens, grants, federation rules and audit records."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, StringConstraints

from benchmark_manager.api.http.shapes import ID, RequestBody
from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.models.access.account import Account, AccountKind, Grant
from benchmark_manager.models.access.audit import AuditRecord
from benchmark_manager.models.access.credentials import ApiToken, FederationRule, Session
from benchmark_manager.models.access.principal import Principal, PrincipalKind, Role, Via

#: Longer than any that is accepted, so that the rule's own message answers.
_LONGEST_TEXT = 2000
_MOST_PROJECTS = 1000

RoleOrNone = Literal["none", "reader", "editor", "maintainer", "admin"]
Text = Annotated[str, StringConstraints(max_length=_LONGEST_TEXT)]
Password = Annotated[SecretStr, Field(max_length=_LONGEST_TEXT, examples=["correct horse …"])]
ProjectIds = list[Annotated[str, StringConstraints(max_length=LONGEST_ID)]]
Projects = Literal["all"] | Annotated[ProjectIds, Field(fail_fast=True, max_length=_MOST_PROJECTS)]


def role_or_none(role: Role | None) -> RoleOrNone:
    return "none" if role is None else role


def given_role(role: RoleOrNone) -> Role | None:
    return None if role == "none" else role


def project_ids(projects: Projects) -> frozenset[str] | None:
    """Return the ids that a request names; None for all projects."""
    return None if projects == "all" else frozenset(projects)


def _projects(ids: frozenset[str] | None) -> Literal["all"] | list[str]:
    return "all" if ids is None else sorted(ids)


class MeAnswer(BaseModel):
    """Who makes the request."""

    kind: PrincipalKind
    id: str
    name: str = Field(examples=["jo"])
    role: RoleOrNone = Field(description="The site-wide role.")
    groups: list[str]
    via: Via

    @classmethod
    def of(cls, principal: Principal) -> Self:
        return cls(
            kind=principal.kind,
            id=principal.id,
            name=principal.name,
            role=role_or_none(principal.role),
            groups=list(principal.groups),
            via=principal.via,
        )


class PasswordChange(RequestBody):
    """A new password for one's own account."""

    current_password: Password
    new_password: Password


class PasswordSet(RequestBody):
    """A new password for somebody's account."""

    new_password: Password


class SetUp(RequestBody):
    """The first administrator, with the token of the set-up link that the log shows."""

    token: Annotated[SecretStr, Field(max_length=_LONGEST_TEXT)]
    name: Text = Field(examples=["jo"])
    password: Password


class SignIn(RequestBody):
    """The name and password of a local account."""

    name: Text = Field(examples=["jo"])
    password: Password


class SessionAnswer(BaseModel):
    """A browser that is signed in."""

    id: str = Field(examples=[ID])
    created_at: datetime
    last_seen_at: datetime = Field(description="To the minute.")
    address: str = Field(description="Where it signed in from.", examples=["192.0.2.7"])
    current: bool = Field(description="Whether it makes this request.")

    @classmethod
    def of(cls, session: Session, current: str | None) -> Self:
        return cls(
            id=session.id,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            address=session.address,
            current=session.id == current,
        )


class AccountAnswer(BaseModel):
    """A person who may sign in."""

    id: str = Field(examples=[ID])
    kind: AccountKind
    name: str = Field(examples=["jo"])
    role: RoleOrNone = Field(description="The site-wide role.")
    groups: list[str]
    disabled: bool

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            id=account.id,
            kind=account.kind,
            name=account.name,
            role=role_or_none(account.role),
            groups=list(account.groups),
            disabled=account.disabled,
        )


class AccountCreate(RequestBody):
    """A local account to make."""

    name: Text = Field(examples=["jo"])
    password: Password
    role: RoleOrNone = "reader"


class AccountUpdate(RequestBody):
    """What changes; fields that are not given, or null, stay as they are."""

    name: Text | None = Field(default=None, examples=["jo"])
    role: RoleOrNone | None = None
    disabled: bool | None = Field(
        default=None, strict=True, description="true ends all its sessions and tokens."
    )


class TokenAnswer(BaseModel):
    """A program's token, without its text."""

    id: str = Field(examples=[ID])
    name: str = Field(examples=["nightly runner"])
    account: str = Field(description="The id of the account that it acts as.", examples=[ID])
    role: Role = Field(description="What it allows at most; the account's role counts too.")
    projects: Literal["all"] | list[str]
    expires_at: datetime
    act_for_others: bool = Field(description="Whether it may send `X-Actor`.")
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")

    @classmethod
    def of(cls, token: ApiToken) -> Self:
        return cls(**_token_fields(token))


class NewTokenAnswer(TokenAnswer):
    """A token that was just made; its text is shown this once."""

    token: str = Field(examples=["bmt_…"])

    @classmethod
    def with_text(cls, token: ApiToken, text: str) -> Self:
        return cls(token=text, **_token_fields(token))


def _token_fields(token: ApiToken) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "account": token.account_id,
        "role": token.role,
        "projects": _projects(token.project_ids),
        "expires_at": token.expires_at,
        "act_for_others": token.act_for_others,
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
    }


class TokenCreate(RequestBody):
    """A token to make."""

    name: Text = Field(examples=["nightly runner"])
    role: Role = "reader"
    projects: Projects = Field(default="all", examples=[[ID]])
    expires_at: AwareDatetime | None = Field(
        default=None,
        description="At most 366 days from now, longer only by administrators; null: 90 days.",
    )
    act_for_others: bool = Field(
        default=False, strict=True, description="Only administrators may give this."
    )


class GrantAnswer(BaseModel):
    """A role in a project."""

    kind: Literal["account", "group"]
    id: str = Field(description="Of the account; a group's is its name.", examples=[ID])
    role: Role

    @classmethod
    def of(cls, grant: Grant) -> Self:
        return cls(kind=grant.kind, id=grant.id, role=grant.role)


class GrantPut(RequestBody):
    """A role to give in a project."""

    kind: Literal["account", "group"]
    id: Text = Field(description="Of the account; a group's is its name.", examples=[ID])
    role: Role


class RuleAnswer(BaseModel):
    """A rule by which signed tokens of another issuer are accepted."""

    id: str = Field(examples=[ID])
    name: str = Field(examples=["GitHub Actions of acme"])
    issuer: str = Field(examples=["https://token.actions.githubusercontent.com"])
    audience: str = Field(examples=["https://bench.example.com"])
    subject: str = Field(examples=["repo:acme/benchmarks:"])
    match: Literal["exact", "prefix"]
    role: Role
    projects: Literal["all"] | list[str]

    @classmethod
    def of(cls, rule: FederationRule) -> Self:
        values = {name: getattr(rule, name) for name in cls.model_fields if name != "projects"}
        return cls(**values, projects=_projects(rule.project_ids))


class RulePut(RequestBody):
    """A rule, whole."""

    name: Text = Field(examples=["GitHub Actions of acme"])
    issuer: Text = Field(examples=["https://token.actions.githubusercontent.com"])
    audience: Text = Field(examples=["https://bench.example.com"])
    subject: Text = Field(
        description="The token's `sub`, or with `match` prefix its beginning.",
        examples=["repo:acme/benchmarks:"],
    )
    match: Literal["exact", "prefix"] = "exact"
    role: Role = "reader"
    projects: Projects = Field(default="all", examples=[[ID]])


AuditAnswer = AuditRecord
