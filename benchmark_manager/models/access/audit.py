"""Audit records: who changed what, who signed in, and what was refused."""

from datetime import datetime
from typing import Annotated, Literal

from benchmark_manager.models.access.principal import PrincipalKind, Via
from benchmark_manager.models.record import OrElse, Record

#: The objects that records are about.
ObjectKind = Literal[
    "project",
    "variant",
    "release",
    "account",
    "session",
    "token",
    "grant",
    "federation",
    "audit",
    "service",
]

Outcome = Literal["done", "refused"]


class AuditActor(Record):
    """Who made a request; the name is the one of that time."""

    kind: Annotated[PrincipalKind, OrElse("anonymous")]
    id: str
    name: str
    via: Annotated[Via | Literal["sign_in"], OrElse("open")]


class AuditObject(Record):
    """What a record is about; the name is the one of that time, or "" where it has none."""

    kind: str
    id: str
    name: str


class AuditRecord(Record):
    """One change, sign-in or refusal; nothing changes a record."""

    id: str
    at: datetime
    actor: AuditActor
    action: str
    project_id: str | None
    object: AuditObject | None
    #: The paths of fields that changed; never their values.
    keys: tuple[str, ...] = ()
    #: The object's revision after the change.
    revision: int | None = None
    address: str
    request_id: str
    on_behalf_of: str | None = None
    outcome: Annotated[Outcome, OrElse("done")]


class AuditFilter(Record):
    """Which records are read; None: all."""

    #: The id of an account, or its name at that time, regardless of case.
    actor: str | None = None
    action: str | None = None
    #: The same for what the record is about.
    object: str | None = None
    project_ids: frozenset[str] | None = None
    #: Whether records that belong to no project are left out.
    of_projects: bool = False
    outcome: Outcome | None = None
    #: The first moment that counts, and the first one after it that does not.
    since: datetime | None = None
    until: datetime | None = None
