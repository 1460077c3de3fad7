"""Sign-in with GitHub: the web flow of an OAuth App or a GitHub App."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import structlog

from benchmark_manager.errors import IssuerError, SignedTokenError
from benchmark_manager.issuers.fetching import IssuerClient, is_bearer
from benchmark_manager.issuers.sign_in import challenge_of, is_same
from benchmark_manager.models.access.sign_in import ProvedPerson, SignInAttempt

_PAGE: Final = 100
#: Pages of teams and of organisations that are read.
_MOST_PAGES: Final = 10
_SCOPES: Final = "read:org"
_FORBIDDEN: Final = 403

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GitHubSignInApp:
    """The App with which people sign in; `api_url` is the first of GITHUB_API_URLS."""

    api_url: str
    client_id: str
    client_secret: str = field(repr=False)
    #: Before the names of groups. Anybody may found an organisation that is called as a group of
    #: another provider, so groups of GitHub have a prefix where there is another.
    group_prefix: str = ""


class GitHubSignIn:
    """Leads a browser to GitHub, and finds out who came back.

    The person's token is used for that once, and kept nowhere.
    """

    def __init__(self, app: GitHubSignInApp, http: IssuerClient) -> None:
        self._app = app
        self._http = http

    def address(self, attempt: SignInAttempt, redirect_uri: str) -> str:
        """Return the address at GitHub to which the browser is sent."""
        query = {
            "client_id": self._app.client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPES,
            "state": attempt.state,
            **challenge_of(attempt),
        }
        return f"{web_host(self._app.api_url)}/login/oauth/authorize?{urlencode(query)}"

    async def person(
        self, attempt: SignInAttempt, answer: Mapping[str, str], redirect_uri: str
    ) -> ProvedPerson:
        """Return who signed in, from the query with which the browser came back.

        Raises:
            SignedTokenError: the answer proves nobody.
            IssuerError
        """
        if "error" in answer:
            raise SignedTokenError("refused")
        if not is_same(answer.get("state", ""), attempt.state):
            raise SignedTokenError("state")
        if not answer.get("code"):
            raise SignedTokenError("refused")
        form = {
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret,
            "code": answer["code"],
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        url = f"{web_host(self._app.api_url)}/login/oauth/access_token"
        token = (await self._http.post(url, form)).get("access_token")
        if not is_bearer(token):
            raise SignedTokenError("refused")
        return await self._person(token)

    async def _person(self, token: str) -> ProvedPerson:
        user = await self._http.get(f"{self._app.api_url}/user", bearer=token)
        number, login = user.get("id"), user.get("login")
        if not isinstance(number, int) or isinstance(number, bool) or not isinstance(login, str):
            raise IssuerError("not_json", url=f"{self._app.api_url}/user")
        return ProvedPerson(
            kind="github",
            issuer=self._app.api_url,
            subject=str(number),
            name=login[:100],
            groups=tuple(sorted(await self._groups(token))),
        )

    async def _groups(self, token: str) -> set[str]:
        """Return `ORG` of each organisation and `ORG/TEAM` (slugs) of each team."""
        groups = set()
        for row in await self._rows("/user/orgs", token):
            if isinstance(row.get("login"), str):
                groups.add(self._app.group_prefix + row["login"])
        for row in await self._rows("/user/teams", token):
            organisation = row.get("organization")
            owner = organisation.get("login") if isinstance(organisation, dict) else None
            if isinstance(owner, str) and isinstance(row.get("slug"), str):
                groups.add(f"{self._app.group_prefix}{owner}/{row['slug']}")
        return groups

    async def _rows(self, path: str, token: str) -> list[dict[str, Any]]:
        """Return all rows of a list; none of one that the App may not read."""
        rows: list[dict[str, Any]] = []
        for number in range(1, _MOST_PAGES + 1):
            url = f"{self._app.api_url}{path}?per_page={_PAGE}&page={number}"
            try:
                page = await self._http.get_list(url, bearer=token)
            except IssuerError as error:
                if error.facts.get("status") != _FORBIDDEN:
                    raise
                _log.warning("GitHub does not let the App for sign-in read groups", path=path)
                return []
            rows += page
            if len(page) < _PAGE:
                break
        return rows


def web_host(api_url: str) -> str:
    """Return `https://HOST` for the API bases `https://api.HOST` and `https://HOST/api/v3`."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
