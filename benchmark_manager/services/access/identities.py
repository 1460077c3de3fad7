"""Find out who makes a request, from what the request carries."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import structlog
from pydantic import Field

from benchmark_manager.domain.access.api_tokens import (
    api_token_hash,
    is_like_api_token,
    parse_api_token,
)
from benchmark_manager.domain.access.lifetimes import is_use_to_record, session_end
from benchmark_manager.domain.access.random_secrets import secret_hash
from benchmark_manager.errors import BenchmarkManagerError, UnauthenticatedError
from benchmark_manager.models.access.account import AccountWithGrants
from benchmark_manager.models.access.credentials import ApiToken, Session
from benchmark_manager.models.access.principal import Principal, includes, open_principal
from benchmark_manager.models.record import Record
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.sessions import SessionStore

_log = structlog.get_logger(__name__)

#: The name on record of requests that name nobody.
ANONYMOUS: Final = "anonymous"
#: How long a principal is used before the database is asked again: so long a revoked token or an
#: ended session works at most.
LASTING: Final = timedelta(seconds=4)
#: Credentials that are remembered.
_REMEMBERED: Final = 10_000


class Credentials(Record):
    """What a request carries that may prove who makes it, and what the audit says of it."""

    session: str | None = Field(default=None, repr=False)
    bearer: str | None = Field(default=None, repr=False)
    #: As a trusted proxy sent them; None without one.
    proxy_user: str | None = None
    proxy_groups: tuple[str, ...] = ()
    address: str = ""
    request_id: str = ""


class IdentityService(Protocol):
    """Turns credentials into a principal."""

    #: Whether requests without credentials are refused.
    is_required: bool

    async def identify(self, credentials: Credentials) -> Principal | None:
        """Return the principal; None where the request carries nothing that could prove one.

        Raises:
            UnauthenticatedError: what it carries proves nothing.
        """

    def forget(self) -> None:
        """Ask the database again at the next request: an account, grant or session changed."""


class OpenIdentities:
    """Every request is served, whoever makes it: AUTH=open."""

    is_required = False

    async def identify(self, credentials: Credentials) -> Principal | None:
        """Return a principal that may do everything."""
        return open_principal(
            ANONYMOUS, address=credentials.address, request_id=credentials.request_id
        )

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""


class FederatedPrincipals(Protocol):
    """Finds the principal of a signed token."""

    async def principal(self, token: str) -> Principal:
        """Return the principal that a rule of federation gives to the token.

        Raises:
            SignedTokenError, IssuerError
        """


class ProxyAccounts(Protocol):
    """Finds the account of a person whom a trusted proxy names."""

    async def of_proxy(self, name: str, groups: tuple[str, ...]) -> AccountWithGrants: ...


@dataclass(frozen=True, slots=True)
class _KnownPrincipal:
    principal: Principal
    read_at: datetime
    #: When the credential itself ends.
    ends_at: datetime | None


class KnownIdentities:
    """Only known principals are served: AUTH=required and AUTH=proxy."""

    is_required = True

    def __init__(
        self,
        sessions: SessionStore,
        tokens: ApiTokenStore,
        *,
        federated: FederatedPrincipals,
        proxy: ProxyAccounts | None,
        idle: timedelta,
        used: "Uses",
        clock: Callable[[], datetime],
    ) -> None:
        """`proxy` is None unless AUTH=proxy; `idle` is how long a session may be unused."""
        self._sessions = sessions
        self._tokens = tokens
        self._federated = federated
        self._proxy = proxy
        self._idle = idle
        self._used = used
        self._clock = clock
        self._known: OrderedDict[str, _KnownPrincipal] = OrderedDict()
        #: Readings that began before the last `forget` are not remembered.
        self._generation = 0

    def forget(self) -> None:
        """Ask the database again at the next request: an account, grant or session changed."""
        self._known.clear()
        self._generation += 1

    async def identify(self, credentials: Credentials) -> Principal | None:
        """Return the principal, as the database had it at most 5 s ago."""
        principal = await self._principal(credentials)
        if principal is None:
            return None
        return _asking(principal, credentials)

    async def _principal(self, credentials: Credentials) -> Principal | None:
        if credentials.bearer is not None:
            return await self._of_bearer(credentials, credentials.bearer)
        if self._proxy is not None and credentials.proxy_user is not None:
            key = "\0".join(("proxy", credentials.proxy_user, *credentials.proxy_groups))
            return await self._remembered(key, lambda: self._of_proxy(credentials))
        hashed = None if credentials.session is None else secret_hash(credentials.session)
        if hashed is None:
            return None
        return await self._remembered(f"session {hashed}", lambda: self._of_session(hashed))

    async def _of_bearer(self, credentials: Credentials, bearer: str) -> Principal:
        if is_like_api_token(bearer):
            if parse_api_token(bearer) is None:
                raise UnauthenticatedError("token")
            key = f"token {api_token_hash(bearer)}"
            found = await self._remembered(key, lambda: self._of_token(credentials, bearer))
            if found is None:
                raise UnauthenticatedError("token")
            return found
        key = f"signed {api_token_hash(bearer)}"
        found = await self._remembered(key, lambda: self._of_signed_token(credentials, bearer))
        if found is None:
            raise UnauthenticatedError("token")
        return found

    async def _remembered(
        self, key: str, read: Callable[[], Coroutine[object, object, _KnownPrincipal | None]]
    ) -> Principal | None:
        now = self._clock()
        known = self._known.get(key)
        if known is None or now - known.read_at >= LASTING:
            generation = self._generation
            known = await read()
            if known is None:
                self._known.pop(key, None)
                return None
            if generation == self._generation:
                self._known[key] = known
                self._known.move_to_end(key)
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        if known.ends_at is not None and known.ends_at <= now:
            return None
        return known.principal

    async def _of_session(self, hashed: str) -> _KnownPrincipal | None:
        now = self._clock()
        found = await self._sessions.find(hashed)
        if found is None:
            return None
        session, owner = found
        if owner.account.disabled or session_end(session, self._idle) <= now:
            return None
        if is_use_to_record(session.last_seen_at, now):
            self._used.session(session, now)
        return _KnownPrincipal(person_of(owner, session), now, session.expires_at)

    async def _of_token(self, credentials: Credentials, bearer: str) -> _KnownPrincipal | None:
        now = self._clock()
        presented = parse_api_token(bearer)
        found = None if presented is None else await self._tokens.find(presented)
        if found is None:
            return None
        token, owner = found
        if owner.account.disabled or token.expires_at <= now:
            return None
        principal = program_of(owner, token)
        if is_use_to_record(token.last_used_at, now):
            self._used.token(token, _asking(principal, credentials), now)
        return _KnownPrincipal(principal, now, token.expires_at)

    async def _of_signed_token(
        self, credentials: Credentials, bearer: str
    ) -> _KnownPrincipal | None:
        # Rules and the token's times are checked again with each reading.
        now, principal = self._clock(), await self._federated.principal(bearer)
        self._used.other(_asking(principal, credentials), now)
        return _KnownPrincipal(principal, now, None)

    async def _of_proxy(self, credentials: Credentials) -> _KnownPrincipal | None:
        assert self._proxy is not None  # noqa: S101 -- the caller checked it
        assert credentials.proxy_user is not None  # noqa: S101 -- the caller checked it
        owner = await self._proxy.of_proxy(credentials.proxy_user, credentials.proxy_groups)
        if owner.account.disabled:
            raise UnauthenticatedError("disabled")
        now, principal = self._clock(), _of_account(owner, "proxy")
        self._used.other(_asking(principal, credentials), now)
        return _KnownPrincipal(principal, now, None)


class FirstUses(Protocol):
    """Records the first use of a day of what proves an identity."""

    async def first_use(self, token: ApiToken, principal: Principal) -> None:
        """Record that of an API token."""

    async def first_of_day(self, principal: Principal) -> None:
        """Record that of anything else, unless another replica has."""


class Uses:
    """Records the last use of sessions and tokens, behind the requests that use them."""

    def __init__(
        self,
        sessions: SessionStore,
        tokens: ApiTokenStore,
        recorded: FirstUses,
    ) -> None:
        """`recorded` is the audit."""
        self._sessions = sessions
        self._tokens = tokens
        self._recorded = recorded
        self._running: set[asyncio.Task[None]] = set()
        #: The last day on record, by what proves an identity.
        self._days: OrderedDict[tuple[str, str, str], date] = OrderedDict()

    def session(self, session: Session, now: datetime) -> None:
        """Record a use of a session soon."""
        self._begin(self._sessions.touch(session.id, now))

    def token(self, token: ApiToken, principal: Principal, now: datetime) -> None:
        """Record a use of a token soon."""
        self._begin(self._token(token, principal, now))

    async def _token(self, token: ApiToken, principal: Principal, now: datetime) -> None:
        if await self._tokens.touch(token.id, now):
            await self._recorded.first_use(token, principal)

    def other(self, principal: Principal, now: datetime) -> None:
        """Record the first use of a day soon, by a signed token or a proxy."""
        key = (principal.via, principal.id, principal.name)
        if self._days.get(key) == now.date():
            return
        self._days[key] = now.date()
        self._days.move_to_end(key)
        while len(self._days) > _REMEMBERED:
            self._days.popitem(last=False)
        self._begin(self._other(principal, key))

    async def _other(self, principal: Principal, key: tuple[str, str, str]) -> None:
        try:
            await self._recorded.first_of_day(principal)
        except BenchmarkManagerError:
            # The next request tries again.
            self._days.pop(key, None)
            raise

    async def finish(self) -> None:
        """Wait for what has begun."""
        await asyncio.gather(*self._running, return_exceptions=True)

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(self._logged(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    @staticmethod
    async def _logged(work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except BenchmarkManagerError as error:
            _log.warning("a use was not recorded", error=str(error))


def _asking(principal: Principal, credentials: Credentials) -> Principal:
    """Return the principal with what the audit says of its request."""
    return principal.model_copy(
        update={"address": credentials.address, "request_id": credentials.request_id}
    )


def person_of(owner: AccountWithGrants, session: Session) -> Principal:
    """Return the principal of a session."""
    return _of_account(owner, "session").model_copy(update={"session_id": session.id})


def program_of(owner: AccountWithGrants, token: ApiToken) -> Principal:
    """Return the principal of an API token: its account, with what the token allows at most."""
    return _of_account(owner, "token").model_copy(
        update={
            "kind": "program",
            "bound": token.bound,
            "token_id": token.id,
            # An administrator gave it, and counts for it only while being one.
            "may_act_for_others": token.act_for_others and includes(owner.account.role, "admin"),
        }
    )


def _of_account(owner: AccountWithGrants, via: str) -> Principal:
    account = owner.account
    return Principal.model_validate(
        {
            "kind": "person",
            "id": account.id,
            "name": account.name,
            "via": via,
            "role": account.role,
            "groups": account.groups,
            "grants": owner.roles,
        }
    )
