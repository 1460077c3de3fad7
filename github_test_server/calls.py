"""A request as its handler sees it: who asks, for what, in which form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from github_test_server.answers import MediaType, RefusalError, ServedAnswer, json_answer, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from github_test_server.hosting import HostedRepository, Requester
    from github_test_server.limits import Resource
    from github_test_server.shapes import Urls
    from github_test_server.state import State

_SEGMENTS_BEFORE_REST = 4
"""Of "/repos/owner/name/rest", split at its slashes."""


@dataclass(frozen=True, slots=True)
class Call:
    request: Request
    state: State
    caller: Requester
    urls: Urls

    @property
    def media(self) -> MediaType:
        return MediaType.parse(self.request.headers.get("accept", ""))

    @property
    def url(self) -> str:
        """The request's URL without its query."""
        return f"{self.urls.web}{self.request.scope['raw_path'].decode()}"

    def parameter(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def hosted(self) -> HostedRepository:
        """Return the repository that the path names; a caller that may not see it gets 404.

        https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#404-not-found-for-an-existing-resource
        """
        hosting = self.state.hosting
        if "id" in self.request.path_params:
            return self._visible(hosting.get_by_id(int(self.parameter("id"))))
        full_name = f"{self.parameter('owner')}/{self.parameter('repo')}"
        hosted = hosting.get(full_name)
        if hosted is None and (moved := hosting.get_moved(full_name)):
            raise MovedError(self._new_url(self._visible(moved)))
        return self._visible(hosted)

    def _visible(self, hosted: HostedRepository | None) -> HostedRepository:
        if hosted is None or not hosted.visible_to(self.caller):
            raise not_found()
        return hosted

    def _new_url(self, hosted: HostedRepository) -> str:
        path = self.request.scope["raw_path"].decode().removeprefix(self.state.api_path)
        rest = path.split("/", _SEGMENTS_BEFORE_REST)[_SEGMENTS_BEFORE_REST:]
        query = self.request.url.query
        return "/".join([f"{self.urls.api}/repositories/{hosted.id}", *rest]) + (
            f"?{query}" if query else ""
        )


class MovedError(RefusalError):
    """The repository has another name now.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
    """

    def __init__(self, url: str) -> None:
        super().__init__(301, "Moved Permanently")
        documentation = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"
        body = {"message": "Moved Permanently", "url": url, "documentation_url": documentation}
        self.answer = json_answer(body, status=301, headers={"Location": url})


Handler = Callable[[Call], Awaitable[ServedAnswer]]
Requirement = Literal["nothing", "token", "app"]
"""What a caller must show: a token, or a GitHub App's JSON web token."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler and how it is charged.

    `metered` answers cost a point of the `resource`, `api` ones obey limits and tokens.
    `basic`: whether a token may come as the password of Basic authentication, as from git.
    """

    handler: Handler
    metered: bool = True
    api: bool = True
    method: Literal["GET", "POST"] = "GET"
    resource: Resource = "core"
    requires: Requirement = "nothing"
    basic: bool = False
