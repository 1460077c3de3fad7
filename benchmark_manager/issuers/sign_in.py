"""Sign-in at an OpenID Connect provider: authorization code with PKCE (RFC 7636)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from benchmark_manager.domain.access.names import groups_of
from benchmark_manager.errors import IssuerError, SignedTokenError
from benchmark_manager.issuers.discovery import Issuer, IssuerDirectory
from benchmark_manager.issuers.fetching import IssuerClient, is_bearer
from benchmark_manager.issuers.signed_tokens import Claims, checked_claims
from benchmark_manager.models.access.sign_in import ProvedPerson, SignInAttempt

#: The claims that may name a person; the first that does is taken, else `sub`.
_NAMES: Final = ("name", "preferred_username", "email")
#: A scope that is asked for by default, and that many providers have.
_GROUPS: Final = "groups"


@dataclass(frozen=True, slots=True)
class OidcClient:
    """What the provider knows this service as; without a secret it is a public client."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: str
    groups_claim: str


class OidcSignIn:
    """Leads a browser to the provider, and finds out who came back."""

    def __init__(
        self,
        client: OidcClient,
        directory: IssuerDirectory,
        http: IssuerClient,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._directory = directory
        self._http = http
        self._clock = clock

    async def address(self, attempt: SignInAttempt, redirect_uri: str) -> str:
        """Return the address at the provider to which the browser is sent.

        Raises:
            IssuerError
        """
        issuer = await self._directory.issuer(self._client.issuer)
        endpoint = _present(issuer.authorization_endpoint, issuer)
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scopes(issuer),
            "state": attempt.state,
            "nonce": attempt.nonce,
            **challenge_of(attempt),
        }
        separator = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{separator}{urlencode(query)}"

    def _scopes(self, issuer: Issuer) -> str:
        """Return the scopes to ask for: some providers refuse those that they do not know."""
        wanted = self._client.scopes.split()
        if issuer.scopes is not None and _GROUPS not in issuer.scopes:
            wanted = [scope for scope in wanted if scope != _GROUPS]
        return " ".join(wanted)

    async def person(
        self, attempt: SignInAttempt, answer: Mapping[str, str], redirect_uri: str
    ) -> ProvedPerson:
        """Return who signed in, from the query with which the browser came back.

        Raises:
            SignedTokenError: the answer, or the token that its code gave, proves nobody.
            IssuerError
        """
        issuer = await self._directory.issuer(self._client.issuer)
        code = _code(answer, attempt, issuer)
        tokens = await self._exchanged(issuer, code, attempt, redirect_uri)
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise SignedTokenError("form")
        claims = await checked_claims(
            self._directory,
            token,
            issuer=self._client.issuer,
            audiences={self._client.client_id},
            now=self._clock(),
        )
        self._check_client(claims, attempt)
        return self._person(await self._with_groups(issuer, claims, tokens))

    async def _exchanged(
        self, issuer: Issuer, code: str, attempt: SignInAttempt, redirect_uri: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        client_id, secret = self._client.client_id, self._client.client_secret
        basic = (client_id, secret) if secret is not None and issuer.takes_basic else None
        if basic is None:
            form["client_id"] = client_id
            if secret is not None:
                form["client_secret"] = secret
        return await self._http.post(_present(issuer.token_endpoint, issuer), form, basic=basic)

    def _check_client(self, claims: Claims, attempt: SignInAttempt) -> None:
        nonce, party, audiences = claims.get("nonce"), claims.get("azp"), claims.get("aud")
        if not isinstance(nonce, str) or not is_same(nonce, attempt.nonce):
            raise SignedTokenError("nonce")
        is_shared = isinstance(audiences, list) and len(audiences) > 1
        if (party is not None or is_shared) and party != self._client.client_id:
            raise SignedTokenError("party")

    async def _with_groups(
        self, issuer: Issuer, claims: Claims, tokens: Mapping[str, Any]
    ) -> Claims:
        """Return the claims, with name and groups where only the userinfo endpoint has them."""
        access = tokens.get("access_token")
        is_complete = self._client.groups_claim in claims and any(
            claims.get(name) for name in _NAMES
        )
        if is_complete or issuer.userinfo_endpoint is None or not is_bearer(access):
            return claims
        found = await self._http.get(issuer.userinfo_endpoint, bearer=access)
        # Without this check, the answer may be about somebody else (OpenID Connect Core, 5.3.2).
        if found.get("sub") != claims["sub"]:
            raise SignedTokenError("subject")
        return {**found, **claims}

    def _person(self, claims: Claims) -> ProvedPerson:
        groups = claims.get(self._client.groups_claim)
        names = (claims.get(claim) for claim in _NAMES)
        return ProvedPerson(
            kind="oidc",
            issuer=self._client.issuer,
            subject=claims["sub"],
            name=next(
                (each for each in names if isinstance(each, str) and each.strip()), claims["sub"]
            ),
            groups=groups_of(groups if isinstance(groups, list) else ()),
        )


def challenge_of(attempt: SignInAttempt) -> Mapping[str, str]:
    """Return the parameters by which only who began a sign-in can use its code (RFC 7636)."""
    challenge = hashlib.sha256(attempt.verifier.encode()).digest()
    return {
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


def is_same(given: str, own: str) -> bool:
    """Return whether a text is the secret one, in a time that does not say where they differ."""
    # JSON can have halves of characters, which UTF-8 cannot.
    return hmac.compare_digest(given.encode(errors="surrogatepass"), own.encode())


def _code(answer: Mapping[str, str], attempt: SignInAttempt, issuer: Issuer) -> str:
    # First: not all providers name the state of what they refuse, and a refusal proves nobody.
    if "error" in answer:
        raise SignedTokenError("refused")
    if not is_same(answer.get("state", ""), attempt.state):
        raise SignedTokenError("state")
    named = answer.get("iss")
    # RFC 9207: the answer of another provider must not be taken for this one's.
    if (named is not None or issuer.names_itself) and named != issuer.issuer:
        raise SignedTokenError("issuer")
    code = answer.get("code")
    if not code:
        raise SignedTokenError("form")
    return code


def _present(endpoint: str | None, issuer: Issuer) -> str:
    if endpoint is None:
        raise IssuerError("no_endpoint", issuer=issuer.issuer)
    return endpoint
