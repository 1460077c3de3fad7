"""Signing in and out: by password, by an identity provider, and the first administrator."""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import SecretStr

from benchmark_manager.domain.access.names import check_account_name, groups_of, name_on_record
from benchmark_manager.domain.access.random_secrets import new_secret, secret_hash
from benchmark_manager.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    SignInError,
    StorageError,
)
from benchmark_manager.models.access.account import Account, AccountWithGrants, LocalCredentials
from benchmark_manager.models.access.audit import AuditObject
from benchmark_manager.models.access.credentials import Session as SignedIn
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.access.sign_in import ProvedPerson
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.access.hashing import Passwords
from benchmark_manager.services.access.identities import IdentityService
from benchmark_manager.stores.access.accounts import AccountStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.access.setup_links import SetupLinkStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds

#: Whom the record names for a sign-in that proved nobody.
_NOBODY: Final = Principal(kind="anonymous", id="", name="anonymous", via="open", role=None)


@dataclass(frozen=True, slots=True)
class SignInStores:
    """The database, and the stores of what signing in reads and writes."""

    database: Database
    accounts: AccountStore
    sessions: SessionStore
    attempts: SignInAttemptStore
    setup_links: SetupLinkStore


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has begun, and the secret for its cookie."""

    session: SignedIn
    account: Account
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long sessions last, at most and while they are not used."""

    longest: timedelta
    idle: timedelta


class SignInService:
    """Begins, lists and ends sessions."""

    def __init__(
        self,
        stores: SignInStores,
        passwords: Passwords,
        audit: AuditLog,
        identities: IdentityService,
        *,
        limits: SessionLimits,
        new_role: Role | None,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`new_role` is the site-wide role of accounts that a first sign-in makes."""
        self._stores = stores
        self._passwords = passwords
        self._audit = audit
        self._identities = identities
        self.limits = limits
        self._new_role = new_role
        self._clock = clock
        self._random = random

    async def with_password(
        self,
        name: str,
        password: str,
        *,
        address: str,
        request_id: str,
        earlier: str | None = None,
    ) -> NewSession:
        """Begin a session of a local account.

        `earlier` is the secret that the browser had, whose session ends.

        Raises:
            SignInError: `sign_in_failed`, for whatever reason; `sign_in_paused`.
        """
        nobody = _NOBODY.model_copy(update={"address": address, "request_id": request_id})
        try:
            await self._stores.attempts.begin(name, address, self._clock())
        except SignInError:
            await self._audit.refused(nobody, "sign_in")
            raise
        found = await self._stores.accounts.credentials(name)
        stored = None if found is None else found.password_hash.get_secret_value()
        matches = await self._passwords.matches(stored, password)
        if found is None or not matches or found.account.disabled:
            subject = None if found is None else _object_of(found.account)
            await self._audit.refused(nobody, "sign_in", subject)
            raise SignInError("sign_in_failed")
        await self._stores.attempts.forget(name, address)
        proof = await self._fresh_hash(found, password)
        return await self._begun(found.account, address, request_id, earlier, proof)

    async def _fresh_hash(self, found: LocalCredentials, password: str) -> SecretStr:
        """Return the stored hash of a password, made anew if its parameters are old ones."""
        known = found.password_hash
        if not self._passwords.is_outdated(known.get_secret_value()):
            return known
        fresh = SecretStr(await self._passwords.hashed(password))
        with contextlib.suppress(NotFoundError):
            await self._stores.accounts.set_password(found.account, fresh, instead_of=known)
        return fresh

    async def with_proof(
        self, person: ProvedPerson, *, address: str, request_id: str, earlier: str | None = None
    ) -> NewSession:
        """Begin a session of a person whom an identity provider names.

        The first sign-in makes the account; each renews its groups. `earlier` is as in
        `with_password`.

        Raises:
            SignInError: `sign_in_failed`: the account is disabled.
        """
        owner = await self.account_of(person, address=address, request_id=request_id)
        if owner.account.disabled:
            nobody = _NOBODY.model_copy(update={"address": address, "request_id": request_id})
            await self._audit.refused(nobody, "sign_in", _object_of(owner.account))
            raise SignInError("sign_in_failed", "disabled")
        return await self._begun(owner.account, address, request_id, earlier)

    async def account_of(
        self, person: ProvedPerson, *, address: str = "", request_id: str = ""
    ) -> AccountWithGrants:
        """Return the account of a person, made or with renewed groups where that is needed."""
        groups = groups_of(person.groups)
        found = await self._account_with_grants(person)
        if found is not None and found.account.groups == groups:
            return found

        async def work(session: Session) -> None:
            known = await self._account_with_grants(person, session)
            action: Literal["account.create", "account.edit"] = "account.edit"
            if known is None:
                action, account = "account.create", self._new_account(person, groups)
                await self._stores.accounts.insert(account, session=session)
            else:
                account = known.account.model_copy(
                    update={
                        "groups": groups,
                        "updated_at": milliseconds(self._clock()),
                        "revision": known.account.revision + 1,
                    }
                )
                await self._stores.accounts.change(account, session)
            await self._audit.done(
                _principal_of(account, address, request_id),
                action,
                _object_of(account),
                session=session,
                keys=() if known is None else ("groups",),
                revision=account.revision,
            )

        # Of two first requests at once, one makes the account, and the other finds it.
        with contextlib.suppress(ConflictError):
            await self._stores.database.transaction(work)
        self._identities.forget()
        stored = await self._account_with_grants(person)
        if stored is None:
            raise StorageError("database_failed")
        return stored

    async def _account_with_grants(
        self, person: ProvedPerson, session: Session | None = None
    ) -> AccountWithGrants | None:
        return await self._stores.accounts.of_identity(
            person.kind, person.issuer, person.subject, session
        )

    def _new_account(self, person: ProvedPerson, groups: tuple[str, ...]) -> Account:
        now = milliseconds(self._clock())
        return Account(
            id=Database.new_id(),
            kind=person.kind,
            name=name_on_record(person.name, person.subject),
            issuer=person.issuer,
            subject=person.subject,
            role=self._new_role,
            groups=groups,
            created_at=now,
            updated_at=now,
        )

    async def _begun(
        self,
        account: Account,
        address: str,
        request_id: str,
        earlier: str | None,
        password_hash: SecretStr | None = None,
    ) -> NewSession:
        now = milliseconds(self._clock())
        secret = new_secret(self._random)
        signed_in = SignedIn(
            id=Database.new_id(),
            account_id=account.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + self.limits.longest,
            address=address,
        )
        principal = _principal_of(account, address, request_id)

        async def work(session: Session) -> None:
            # The account may have been deleted or disabled, or may have got another password,
            # since its password was checked.
            accounts = self._stores.accounts
            current = await accounts.count_on(account.id, session)
            is_proved = password_hash is None or await accounts.has_password(
                account.id, password_hash, session
            )
            if current.disabled or not is_proved:
                raise SignInError("sign_in_failed")
            hashed = secret_hash(secret)
            assert hashed is not None  # noqa: S101 -- it has the form of a secret
            await self._end_earlier(earlier, principal, session)
            await self._stores.sessions.insert(signed_in, hashed, session)
            subject = AuditObject(kind="session", id=signed_in.id, name="")
            await self._audit.done(principal, "sign_in", subject, session=session)

        try:
            await self._stores.database.transaction(work)
        except NotFoundError:
            raise SignInError("sign_in_failed") from None
        if earlier is not None:
            self._identities.forget()
        return NewSession(signed_in, account, secret)

    async def _end_earlier(
        self, earlier: str | None, principal: Principal, session: Session
    ) -> None:
        """End the session that the browser had, as nobody can use it from there any more."""
        hashed = None if earlier is None else secret_hash(earlier)
        if hashed is None:
            return
        ended = await self._stores.sessions.delete_of_secret(hashed, session)
        if ended is not None:
            subject = AuditObject(kind="session", id=ended, name="")
            await self._audit.done(principal, "session.delete", subject, session=session)

    async def sessions(self, principal: Principal, request: PageRequest) -> Page[SignedIn]:
        """Return a page of the account's own sessions, newest first.

        Raises:
            ForbiddenError: the principal is no person.
        """
        if not principal.id:
            # Where everybody is served, nobody has an account.
            return Page((), 0, None)
        _expect_person(principal)
        return await self._stores.sessions.page(principal.id, request)

    async def end(self, principal: Principal, session_id: str) -> None:
        """End one of the account's own sessions, at every replica within 5 s.

        Raises:
            NotFoundError
            ForbiddenError: the principal is no person.
        """
        if not principal.id:
            raise NotFoundError("session", session_id)
        _expect_person(principal)
        mine = session_id == principal.session_id
        action = "sign_out" if mine else "session.delete"

        async def work(session: Session) -> None:
            await self._stores.sessions.delete(principal.id, session_id, session)
            subject = AuditObject(kind="session", id=session_id, name="")
            await self._audit.done(principal, action, subject, session=session)

        await self._stores.database.transaction(work)
        self._identities.forget()

    async def end_all(self, principal: Principal) -> int:
        """End all of the account's own sessions; return how many.

        Raises:
            ForbiddenError: the principal is no person.
        """
        if not principal.id:
            return 0
        _expect_person(principal)

        async def work(session: Session) -> int:
            ended = await self._stores.sessions.delete_of_account(principal.id, session)
            subject = AuditObject(kind="account", id=principal.id, name=principal.name)
            await self._audit.done(principal, "session.delete_all", subject, session=session)
            return ended

        ended = await self._stores.database.transaction(work)
        self._identities.forget()
        return ended

    async def setup_secret(self) -> str | None:
        """Return the secret of a new set-up link; None where there is an administrator."""
        if await self._stores.accounts.has_administrator():
            return None
        secret = new_secret(self._random)
        hashed = secret_hash(secret)
        assert hashed is not None  # noqa: S101 -- it has the form of a secret
        await self._stores.setup_links.insert(hashed, self._clock())
        return secret

    async def set_up(
        self, token: str, name: str, password: str, *, address: str, request_id: str
    ) -> Account:
        """Make the first administrator, with the secret of a set-up link.

        Raises:
            SignInError: `setup_link_refused`.
            InvalidInputError: `invalid_account_name`, `password_refused`.
            ConflictError: `account_name_taken`.
        """
        hashed = secret_hash(token)
        if hashed is None:
            raise SignInError("setup_link_refused")
        name = check_account_name(name)
        password_hash = await self._passwords.checked_hash(password, name)
        now = milliseconds(self._clock())
        account = Account(
            id=Database.new_id(),
            kind="local",
            name=name,
            role="admin",
            created_at=now,
            updated_at=now,
        )

        async def work(session: Session) -> None:
            await self._stores.setup_links.redeem(hashed, self._clock(), session)
            if await self._stores.accounts.has_administrator(session):
                raise SignInError("setup_link_refused")
            await self._stores.accounts.insert(account, password_hash, session)
            await self._audit.done(
                _principal_of(account, address, request_id),
                "account.create",
                _object_of(account),
                session=session,
                revision=1,
            )

        await self._stores.database.transaction(work)
        return account


def _expect_person(principal: Principal) -> None:
    """Check that a person asks: a token must not reach beyond what it allows at most."""
    if principal.kind != "person":
        raise ForbiddenError("reader", "session")


def _principal_of(account: Account, address: str, request_id: str) -> Principal:
    """Return a person who is about to be signed in, for the record."""
    return Principal(
        kind="person",
        id=account.id,
        name=account.name,
        via="proxy" if account.kind == "proxy" else "session",
        role=account.role,
        address=address,
        request_id=request_id,
    )


def _object_of(account: Account) -> AuditObject:
    return AuditObject(kind="account", id=account.id, name=account.name)
