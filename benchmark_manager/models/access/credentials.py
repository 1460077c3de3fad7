"""Sessions, API tokens and federation rules: what proves who makes a request."""

from datetime import datetime
from typing import Literal

from benchmark_manager.models.access.principal import Role, TokenBound
from benchmark_manager.models.record import Record


class Session(Record):
    """A browser that signed in. `id` names it in lists; the secret is stored only as a hash."""

    id: str
    account_id: str
    created_at: datetime
    last_seen_at: datetime
    #: When it ends whatever happens; it ends earlier when it is idle for too long.
    expires_at: datetime
    address: str


class ApiToken(Record):
    """A program's credential; the token itself is stored only as a hash."""

    id: str
    name: str
    account_id: str
    #: What it allows at most; the account's own role counts too, at each use.
    role: Role
    #: None: all.
    project_ids: frozenset[str] | None
    act_for_others: bool = False
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None

    @property
    def bound(self) -> TokenBound:
        return TokenBound(role=self.role, project_ids=self.project_ids)


class FederationRule(Record):
    """Which signed tokens of another issuer are accepted, and what they allow."""

    id: str
    name: str
    issuer: str
    audience: str
    subject: str
    match: Literal["exact", "prefix"]
    role: Role
    #: None: all.
    project_ids: frozenset[str] | None
    created_at: datetime
    updated_at: datetime
    revision: int = 1

    @property
    def bound(self) -> TokenBound:
        return TokenBound(role=self.role, project_ids=self.project_ids)
