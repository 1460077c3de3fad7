"""The results on the pages of releases, cells and variants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from benchmark_manager.errors import NotFoundError
from benchmark_manager.factory import Services
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.release import Release
from benchmark_manager.models.result import Result, ResultFilters
from benchmark_manager.web.results.drafts import ResultDraft

#: Results of a page that is about something else, and projects that are asked for them.
_SHOWN: Final = 10
_PROJECTS: Final = 8


@dataclass(frozen=True, slots=True)
class ResultsSection:
    """The newest results, and the addresses of all of them; a form where one may upload.

    `digest` is the release that an uploaded file belongs to, and `projects` are the names of those
    to which it may, by id.
    """

    results: Sequence[Result]
    total: int
    table: str
    list: str
    digest: str
    draft: ResultDraft | None
    projects: dict[str, str]
    shows_releases: bool = False


async def of_release(
    services: Services, principal: Principal, release: Release, project_id: str
) -> ResultsSection:
    """Return the results of a release in all its projects, shown in the context of one."""
    readable = [key for key in release.project_ids[:_PROJECTS] if principal.may("reader", key)]
    pages = [
        await services.results.listed(
            principal, key, ResultFilters(releases=(release.digest,)), PageRequest(limit=_SHOWN)
        )
        for key in readable
    ]
    found = sorted(
        (result for page in pages for result in page.rows),
        key=lambda result: result.created_at,
        reverse=True,
    )
    projects = await projects_for(services, principal, release)
    home = f"/projects/{project_id}/results"
    return ResultsSection(
        results=found[:_SHOWN],
        total=sum(page.total for page in pages),
        table=f"{home}?releases={release.digest.partition(':')[2]}",
        list=f"{home}/list?{urlencode({'release': release.digest})}",
        digest=release.digest,
        draft=_draft(services, project_id) if projects else None,
        projects=projects,
    )


def _draft(services: Services, project_id: str) -> ResultDraft:
    return ResultDraft(most=services.results.max_size, project_id=project_id)


async def projects_for(
    services: Services, principal: Principal, release: Release
) -> dict[str, str]:
    """Return the names of the release's projects to which the principal may upload, by id."""
    names = {}
    for key in release.project_ids[:_PROJECTS]:
        if principal.may("editor", key):
            try:
                names[key] = (await services.projects.get(key)).name
            except NotFoundError:
                continue
    return names
