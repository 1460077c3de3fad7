"""Accounts, sessions and tokens for tests of access."""

from datetime import UTC, datetime, timedelta
from typing import Final

from benchmark_manager.models.access.account import Account, AccountKind, Grant
from benchmark_manager.models.access.audit import AuditActor, AuditObject, AuditRecord, Outcome
from benchmark_manager.models.access.credentials import ApiToken, FederationRule, Session
from benchmark_manager.models.access.principal import Role
from benchmark_manager.stores.database.database import Database

#: MongoDB deletes by itself what is old by its own clock.
NOW: Final = datetime.now(UTC).replace(microsecond=0)
ISSUER: Final = "https://login.example.com"


def an_id() -> str:
    return Database.new_id()


def an_account(
    name: str = "kim",
    role: Role | None = "reader",
    *,
    kind: AccountKind = "local",
    subject: str | None = None,
    groups: tuple[str, ...] = (),
    disabled: bool = False,
) -> Account:
    """A local account, or one of an issuer where a subject is given."""
    return Account(
        id=an_id(),
        kind=kind,
        name=name,
        issuer=None if subject is None else ISSUER,
        subject=subject,
        role=role,
        groups=groups,
        disabled=disabled,
        created_at=NOW,
        updated_at=NOW,
    )


def a_grant(project_id: str, account: Account, role: Role = "editor") -> Grant:
    return Grant(project_id=project_id, kind="account", id=account.id, role=role)


def a_group_grant(project_id: str, group: str, role: Role = "editor") -> Grant:
    return Grant(project_id=project_id, kind="group", id=group, role=role)


def a_session(account: Account, *, age: timedelta = timedelta(0)) -> Session:
    return Session(
        id=an_id(),
        account_id=account.id,
        created_at=NOW - age,
        last_seen_at=NOW - age,
        expires_at=NOW - age + timedelta(days=7),
        address="198.51.100.7",
    )


def a_token(
    account: Account, *, projects: frozenset[str] | None = None, age: timedelta = timedelta(0)
) -> ApiToken:
    return ApiToken(
        id=an_id(),
        name="nightly",
        account_id=account.id,
        role="editor",
        project_ids=projects,
        created_at=NOW - age,
        expires_at=NOW - age + timedelta(days=90),
    )


def a_rule(
    name: str = "ci", subject: str = "repo:acme/bench:ref:refs/heads/main"
) -> FederationRule:
    return FederationRule(
        id=an_id(),
        name=name,
        issuer="https://token.actions.githubusercontent.com",
        audience="bench",
        subject=subject,
        match="exact",
        role="editor",
        project_ids=frozenset({an_id()}),
        created_at=NOW,
        updated_at=NOW,
    )


def a_record(
    *,
    actor: str = "Kim",
    actor_id: str = "",
    action: str = "variant.edit",
    object_name: str = "config/a.yaml",
    project_id: str | None = None,
    outcome: Outcome = "done",
    age: timedelta = timedelta(0),
) -> AuditRecord:
    """A record with ids of its own; `age` is how long ago it was written."""
    return AuditRecord(
        id=an_id(),
        at=NOW - age,
        actor=AuditActor(kind="person", id=actor_id or an_id(), name=actor, via="session"),
        action=action,
        project_id=project_id,
        object=AuditObject(kind="variant", id=an_id(), name=object_name),
        keys=("content",),
        revision=2,
        address="198.51.100.7",
        request_id="r",
        outcome=outcome,
    )
