"""Builds the services of access."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.fernet import Fernet, MultiFernet

from benchmark_manager.config import Settings
from benchmark_manager.factory.externals import utc_now
from benchmark_manager.factory.parts import Parts
from benchmark_manager.issuers.discovery import IssuerDirectory
from benchmark_manager.issuers.fetching import IssuerClient
from benchmark_manager.issuers.github import GitHubSignIn, GitHubSignInApp
from benchmark_manager.issuers.sign_in import OidcClient, OidcSignIn
from benchmark_manager.models.access.account import AccountWithGrants
from benchmark_manager.models.access.sign_in import ProvedPerson
from benchmark_manager.services.access.accounts import AccountService, AccountStores
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.access.command_line import CommandLineTokens
from benchmark_manager.services.access.federation import FederationService, SignedTokens
from benchmark_manager.services.access.grants import GrantService
from benchmark_manager.services.access.hashing import Passwords
from benchmark_manager.services.access.identities import (
    IdentityService,
    KnownIdentities,
    OpenIdentities,
    Uses,
)
from benchmark_manager.services.access.provider_sign_in import Providers, ProviderSignIn
from benchmark_manager.services.access.rate_limits import RateLimiter
from benchmark_manager.services.access.sign_in import (
    SessionLimits,
    SignInService,
    SignInStores,
)
from benchmark_manager.services.access.tokens import TokenService
from benchmark_manager.stores.access.accounts import AccountStore
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.access.used_codes import UsedCodeStore
from benchmark_manager.stores.database.database import Database

#: Tries to sign in a minute, for each address.
SIGN_INS_A_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class AccessParts:
    """The services of access."""

    identities: IdentityService
    sign_in: SignInService
    provider_sign_in: ProviderSignIn
    accounts: AccountService
    tokens: TokenService
    command_line: CommandLineTokens
    grants: GrantService
    federation: FederationService
    audit: AuditLog
    requests: RateLimiter
    sign_ins: RateLimiter
    uses: Uses
    issuers: IssuerClient


class _AccountsOfProxy:
    """Accounts of people whom a trusted proxy names."""

    def __init__(self) -> None:
        self.sign_in: SignInService | None = None

    async def of_proxy(self, name: str, groups: tuple[str, ...]) -> AccountWithGrants:
        assert self.sign_in is not None  # noqa: S101 -- set before the first request
        person = ProvedPerson(kind="proxy", issuer="proxy", subject=name, name=name, groups=groups)
        return await self.sign_in.account_of(person)


def access_parts(parts: Parts) -> AccessParts:
    """Build everything that decides who is served."""
    stores, settings, clock, audit = parts.stores, parts.settings, parts.clock, parts.audit
    http = IssuerClient(parts.externals.issuer_transport)
    directory = IssuerDirectory(http, clock=clock)
    uses = Uses(stores.sessions, stores.api_tokens, audit)
    limits = SessionLimits(
        longest=timedelta(seconds=settings.session_max_seconds),
        idle=timedelta(seconds=settings.session_idle_seconds),
    )
    proxy = _AccountsOfProxy()
    identities = _identities(parts, directory, proxy, uses, limits)
    passwords = parts.externals.passwords or Passwords()
    sign_in = SignInService(
        _sign_in_stores(parts),
        passwords,
        audit,
        identities,
        limits=limits,
        new_role=None if settings.default_role == "none" else settings.default_role,
        clock=clock,
    )
    proxy.sign_in = sign_in
    account_stores = _account_stores(parts)
    tokens = TokenService(account_stores, audit, identities, clock=clock)
    cipher = MultiFernet([Fernet(key) for key in parts.keys])
    return AccessParts(
        identities=identities,
        sign_in=sign_in,
        provider_sign_in=ProviderSignIn(
            _providers(settings, directory, http, parts),
            sign_in,
            audit,
            cipher,
            clock=clock,
        ),
        accounts=AccountService(account_stores, passwords, audit, identities, clock=clock),
        tokens=tokens,
        command_line=CommandLineTokens(account_stores, tokens, cipher, clock=clock),
        grants=GrantService(account_stores, audit, identities),
        federation=FederationService(
            parts.database, stores.federation_rules, audit, identities, clock=clock
        ),
        audit=audit,
        requests=RateLimiter(_requests_a_minute(settings)),
        sign_ins=RateLimiter(SIGN_INS_A_MINUTE),
        uses=uses,
        issuers=http,
    )


def _identities(
    parts: Parts,
    directory: IssuerDirectory,
    proxy: _AccountsOfProxy,
    uses: Uses,
    limits: SessionLimits,
) -> IdentityService:
    stores, settings, clock = parts.stores, parts.settings, parts.clock
    if settings.auth == "open":
        return OpenIdentities()
    return KnownIdentities(
        stores.sessions,
        stores.api_tokens,
        federated=SignedTokens(stores.federation_rules, directory, clock=clock),
        proxy=proxy if settings.auth == "proxy" else None,
        idle=limits.idle,
        used=uses,
        clock=clock,
    )


def _sign_in_stores(parts: Parts) -> SignInStores:
    stores = parts.stores
    return SignInStores(
        database=parts.database,
        accounts=stores.accounts,
        sessions=stores.sessions,
        attempts=stores.sign_in_attempts,
        setup_links=stores.setup_links,
    )


def _account_stores(parts: Parts) -> AccountStores:
    stores = parts.stores
    return AccountStores(
        database=parts.database,
        accounts=stores.accounts,
        sessions=stores.sessions,
        tokens=stores.api_tokens,
        used_codes=stores.used_codes,
        grants=stores.grants,
        attempts=stores.sign_in_attempts,
    )


def account_service(database: Database, clock: Callable[[], datetime] = utc_now) -> AccountService:
    """Return what makes accounts beside the services of a database, for the command line."""
    stores = AccountStores(
        database=database,
        accounts=AccountStore(database),
        sessions=SessionStore(database),
        tokens=ApiTokenStore(database),
        used_codes=UsedCodeStore(database),
        grants=GrantStore(database),
        attempts=SignInAttemptStore(database),
    )
    audit = AuditLog(AuditStore(database), clock=clock)
    return AccountService(stores, Passwords(), audit, OpenIdentities(), clock=clock)


def _requests_a_minute(settings: Settings) -> int | None:
    # Where nobody has an identity, programs in one cluster share an address.
    is_given = "rate_limit" in settings.model_fields_set
    return settings.rate_limit if is_given or settings.auth != "open" else None


def _providers(
    settings: Settings, directory: IssuerDirectory, http: IssuerClient, parts: Parts
) -> Providers:
    oidc, github = None, None
    if settings.oidc_issuer is not None and settings.oidc_client_id is not None:
        secret = settings.oidc_client_secret
        client = OidcClient(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            scopes=settings.oidc_scopes,
            groups_claim=settings.oidc_groups_claim,
        )
        oidc = OidcSignIn(client, directory, http, clock=parts.clock)
    if settings.github_oauth_client_id and settings.github_oauth_client_secret:
        app = GitHubSignInApp(
            settings.github_api_urls[0],
            settings.github_oauth_client_id,
            settings.github_oauth_client_secret.get_secret_value(),
            "" if oidc is None and settings.auth != "proxy" else "github:",
        )
        github = GitHubSignIn(app, http)
    return Providers(oidc, settings.oidc_name, github)
