"""The routes of GitHub's REST API for GitHub Apps and their installations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from github_test_server import shapes
from github_test_server.answers import (
    RefusalError,
    ResultPage,
    ServedAnswer,
    json_answer,
    not_found,
)
from github_test_server.apps import PERMISSIONS, App, Installation, SuspendedError
from github_test_server.calls import Call, Endpoint

if TYPE_CHECKING:
    from github_test_server.apps import InstallationToken
    from github_test_server.hosting import HostedRepository
    from github_test_server.shapes import Json, Urls

SUSPENDED = "This installation has been suspended"
_INSTALLATION_TOKEN_REQUIRED = (
    "You must authenticate with an installation access token "  # noqa: S105 -- a message
    "in order to list repositories for an installation."
)
_INACCESSIBLE = (
    "There is at least one repository that does not exist "
    "or is not accessible to the parent installation."
)


async def app(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app."""
    count = len(call.state.hosting.apps.installations_of(_app(call)))
    return json_answer({**_app_shape(_app(call), call.urls), "installations_count": count})


async def installations(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app."""
    found = call.state.hosting.apps.installations_of(_app(call))
    page = ResultPage.parse(call.request.query_params)
    links = page.links(call.url, call.request.url.query, len(found))
    shown = found[page.skip : page.skip + page.size]
    return json_answer([_installation_shape(each, call.urls) for each in shown], headers=links)


async def repository_installation(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app.

    Whether the repository is private makes no difference: the app sees it where it is installed.
    """
    hosted = call.state.hosting.get(f"{call.parameter('owner')}/{call.parameter('repo')}")
    found = hosted and call.state.hosting.apps.installation_at(_app(call), hosted.owner, hosted.id)
    if not found:
        raise not_found()
    return json_answer(_installation_shape(found, call.urls))


async def access_tokens(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app."""
    installation = call.state.hosting.apps.installation(_app(call), int(call.parameter("id")))
    if installation is None:
        raise not_found()
    chosen = _chosen(call, installation, await call.request.body())
    try:
        token = call.state.hosting.apps.mint(
            installation, None if chosen is None else frozenset(hosted.id for hosted in chosen)
        )
    except SuspendedError:
        raise RefusalError(403, SUSPENDED) from None
    return json_answer(_token_shape(token, chosen, call), status=201)


async def repositories(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation."""
    token = call.caller.installation_token
    if token is None:
        raise RefusalError(403, _INSTALLATION_TOKEN_REQUIRED)
    found = [
        each for each in call.state.hosting.repositories() if token.covers(each.owner, each.id)
    ]
    page = ResultPage.parse(call.request.query_params)
    links = page.links(call.url, call.request.url.query, len(found))
    shown = [
        _repository_shape(each, call.urls) for each in found[page.skip : page.skip + page.size]
    ]
    selection = token.installation.repository_selection if token.only is None else "selected"
    body = {"total_count": len(found), "repository_selection": selection, "repositories": shown}
    return json_answer(body, headers=links)


def _app(call: Call) -> App:
    if call.caller.app is None:
        raise TypeError("the route does not require an app")
    return call.caller.app


def _chosen(call: Call, installation: Installation, body: bytes) -> list[HostedRepository] | None:
    """Return the repositories which the request restricts its token to; None: it doesn't."""
    asked = _restriction(body)
    if asked is None:
        return None
    hosting = call.state.hosting
    found = [
        hosting.get(f"{installation.account}/{name}") for name in asked.get("repositories", [])
    ]
    found += [hosting.get_by_id(identifier) for identifier in asked.get("repository_ids", [])]
    chosen = [hosted for hosted in found if hosted and installation.covers(hosted.owner, hosted.id)]
    if len(chosen) != len(found):
        raise RefusalError(422, _INACCESSIBLE)
    return chosen


def _restriction(body: bytes) -> dict[str, Any] | None:
    if not body:
        return None
    try:
        asked = json.loads(body)
    except ValueError:
        raise RefusalError(400, "Problems parsing JSON") from None
    restricts = isinstance(asked, dict) and ("repositories" in asked or "repository_ids" in asked)
    return asked if restricts else None


def _app_shape(app: App, urls: Urls) -> Json:
    return {
        "id": app.id,
        "slug": app.slug,
        "node_id": shapes.node_id("Integration", app.id),
        "client_id": app.client_id,
        "owner": shapes.user(app.owner, urls),
        "name": app.slug,
        "description": None,
        "external_url": "https://example.invalid",
        "html_url": f"{urls.web}/apps/{app.slug}",
        "created_at": shapes.timestamp(app.created_at),
        "updated_at": shapes.timestamp(app.created_at),
        "permissions": PERMISSIONS,
        "events": ["push"],
    }


def _installation_shape(installation: Installation, urls: Urls) -> Json:
    url = f"{urls.api}/app/installations/{installation.id}"
    created_at = shapes.timestamp(installation.created_at)
    account = shapes.user(installation.account, urls)
    return {
        "id": installation.id,
        "account": account,
        "repository_selection": installation.repository_selection,
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{urls.api}/installation/repositories",
        "html_url": f"{urls.web}/settings/installations/{installation.id}",
        "app_id": installation.app.id,
        "client_id": installation.app.client_id,
        "app_slug": installation.app.slug,
        "target_id": account["id"],
        "target_type": "User",
        "permissions": PERMISSIONS,
        "events": ["push"],
        "created_at": created_at,
        "updated_at": created_at,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": account if installation.suspended else None,
        "suspended_at": created_at if installation.suspended else None,
    }


def _token_shape(
    token: InstallationToken, chosen: list[HostedRepository] | None, call: Call
) -> Json:
    shape: Json = {
        "token": token.value,
        "expires_at": shapes.timestamp(datetime.fromtimestamp(token.expires_at, UTC)),
        "permissions": PERMISSIONS,
        "repository_selection": token.installation.repository_selection
        if chosen is None
        else "selected",
    }
    if chosen is not None:
        shape["repositories"] = [_repository_shape(hosted, call.urls) for hosted in chosen]
    return shape


def _repository_shape(hosted: HostedRepository, urls: Urls) -> Json:
    return shapes.repository(hosted, urls, size=0, pushed_at=hosted.created_at)


PLAIN_ROUTES: dict[str, Endpoint] = {
    "/app": Endpoint(app, requires="app"),
    "/app/installations": Endpoint(installations, requires="app"),
    "/app/installations/{id:int}/access_tokens": Endpoint(
        access_tokens, requires="app", method="POST"
    ),
    "/installation/repositories": Endpoint(repositories, requires="token"),
    "/repos/{owner}/{repo}/installation": Endpoint(repository_installation, requires="app"),
}
