"""The pages and routes by which people sign in elsewhere with GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from github_test_server import shapes
from github_test_server.answers import (
    RefusalError,
    ResultPage,
    ServedAnswer,
    json_answer,
    not_found,
)
from github_test_server.calls import Call, Endpoint
from github_test_server.oauth import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from github_test_server.oauth import Person
    from github_test_server.shapes import Json, Urls

_CREATED = "2011-01-25T18:44:36Z"
_SCOPES_OF_ORGANISATIONS = {"read:org", "write:org", "admin:org", "user"}
_DENIED = {
    "error": "access_denied",
    "error_description": "The user has denied your application access.",
}
_MISMATCH = {
    "error": "redirect_uri_mismatch",
    "error_description": "The redirect_uri MUST match the registered callback URL for this "
    "application.",
}


async def authorize(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#1-request-a-users-github-identity."""
    sign_ins = call.state.hosting.sign_ins
    app = sign_ins.app(call.query("client_id"))
    if app is None:
        raise not_found()
    if sign_ins.browser is None:
        return ServedAnswer(302, headers={"Location": f"{call.urls.web}/login"})
    query = dict(call.request.query_params)
    redirect_uri = query.get("redirect_uri") or app.callback_url
    if not app.accepts(redirect_uri):
        return _sent_back(app.callback_url, query, _MISMATCH)
    if sign_ins.browser.denies:
        return _sent_back(redirect_uri, query, _DENIED)
    code = sign_ins.authorize(app, sign_ins.browser, query, redirect_uri)
    return _sent_back(redirect_uri, query, {"code": code})


async def access_token(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#2-users-are-redirected-back-to-your-site-by-github.

    What is wrong is answered with 200 too.
    """
    form = dict(parse_qsl((await call.request.body()).decode(), keep_blank_values=True))
    try:
        token, scopes = call.state.hosting.sign_ins.exchange(form)
    except ExchangeError as error:
        documentation = "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/"
        body = {"error": error.error, "error_description": error.description}
        return _in_form(call, {**body, "error_uri": f"{documentation}#{error.error}"})
    return _in_form(
        call, {"access_token": token, "scope": ",".join(sorted(scopes)), "token_type": "bearer"}
    )


async def organisations(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/orgs/orgs#list-organizations-for-the-authenticated-user."""
    person, scopes = _signed_in(call)
    if not scopes & _SCOPES_OF_ORGANISATIONS:
        raise RefusalError(
            403, "You need at least read:org scope or user scope to list your organizations."
        )
    return _listed(call, [_organisation(login, call.urls) for login in person.organisations])


async def teams(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/teams/teams#list-teams-for-the-authenticated-user."""
    person, scopes = _signed_in(call)
    if not scopes & _SCOPES_OF_ORGANISATIONS:
        raise RefusalError(403, "Resource not accessible by integration")
    return _listed(call, [_team(name, call.urls) for name in person.teams])


def _signed_in(call: Call) -> tuple[Person, frozenset[str]]:
    if call.caller.token is None:
        raise RefusalError(401, "Requires authentication")
    found = call.state.hosting.sign_ins.of_token(call.caller.token)
    if found is None:
        raise RefusalError(403, "Resource not accessible by personal access token")
    return found


def _sent_back(url: str, query: dict[str, str], answer: dict[str, str]) -> ServedAnswer:
    if "state" in query:
        answer = {**answer, "state": query["state"]}
    separator = "&" if "?" in url else "?"
    return ServedAnswer(302, headers={"Location": f"{url}{separator}{urlencode(answer)}"})


def _in_form(call: Call, answer: dict[str, str]) -> ServedAnswer:
    if "application/json" in call.request.headers.get("accept", ""):
        return json_answer(answer)
    form_type = "application/x-www-form-urlencoded; charset=utf-8"
    return ServedAnswer(200, urlencode(answer).encode(), {"Content-Type": form_type})


def _listed(call: Call, rows: Sequence[Json]) -> ServedAnswer:
    page = ResultPage.parse(call.request.query_params)
    links = page.links(call.url, call.request.url.query, len(rows))
    return json_answer(list(rows[page.skip : page.skip + page.size]), headers=links)


def _organisation(login: str, urls: Urls) -> Json:
    identifier, url = shapes.user_id(login), f"{urls.api}/orgs/{login}"
    return {
        "login": login,
        "id": identifier,
        "node_id": shapes.node_id("Organization", identifier),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{urls.web}/avatars/{login}",
        "description": None,
    }


def _team(full_name: str, urls: Urls) -> Json:
    owner, _, slug = full_name.partition("/")
    identifier, url = shapes.user_id(slug), f"{urls.api}/orgs/{owner}/teams/{slug}"
    organisation = {
        **_organisation(owner, urls),
        "html_url": f"{urls.web}/{owner}",
        "has_organization_projects": True,
        "has_repository_projects": True,
        **dict.fromkeys(["public_repos", "public_gists", "followers", "following"], 0),
        "type": "Organization",
        "created_at": _CREATED,
        "updated_at": _CREATED,
        "archived_at": None,
    }
    return {
        "id": identifier,
        "node_id": shapes.node_id("Team", identifier),
        "url": url,
        "html_url": f"{urls.web}/orgs/{owner}/teams/{slug}",
        "name": slug.replace("-", " ").title(),
        "slug": slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
        "members_count": 1,
        "repos_count": 0,
        "created_at": _CREATED,
        "updated_at": _CREATED,
        "organization": organisation,
        "type": "organization",
        "organization_id": organisation["id"],
    }


PLAIN_ROUTES: dict[str, Endpoint] = {
    "/user/orgs": Endpoint(organisations),
    "/user/teams": Endpoint(teams),
}

WEB_ROUTES: dict[str, Endpoint] = {
    "/login/oauth/authorize": Endpoint(authorize, metered=False, api=False),
    "/login/oauth/access_token": Endpoint(access_token, metered=False, api=False, method="POST"),
}
"""At the server's root, whatever the API's base path is."""
