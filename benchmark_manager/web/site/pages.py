"""Parts that the routes of pages share: paging, and the head of a project's pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Query, Request

from benchmark_manager.domain.fields import LONGEST_CURSOR, LONGEST_PATH_QUERY
from benchmark_manager.domain.projects.repository_url import web_url
from benchmark_manager.errors import BenchmarkManagerError, WorkersBusyError
from benchmark_manager.factory import Services
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.project import Project, ProjectStats
from benchmark_manager.models.sync import SyncProgress
from benchmark_manager.web.site.words import PAUSED, STATUS, Word

#: Rows of a list on one page.
ROWS: Final = 50
#: Results that a tab counts: each page of a project has it.
MOST_COUNTED: Final = 1000
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503

CursorParameter = Annotated[str | None, Query(max_length=LONGEST_CURSOR)]
SearchParameter = Annotated[str, Query(max_length=LONGEST_PATH_QUERY)]
#: The first row of a list without cursors, counted from 0.
StartParameter = Annotated[int, Query(alias="from", ge=0, le=1_000_000_000)]


def rows_from(cursor: str | None, rows: int = ROWS) -> PageRequest:
    return PageRequest(limit=rows, cursor=cursor)


def searched(q: str) -> str:
    """Return the search term without NUL, which databases refuse."""
    return q.replace("\0", "").strip()


def next_url(request: Request, cursor: str | None) -> str | None:
    """Return the address of a list's next page, or None at its end."""
    if cursor is None:
        return None
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"


def webhook_url(request: Request) -> str:
    """Return the address for GitHub's webhooks, as the browser reaches this service."""
    return f"{str(request.base_url).rstrip('/')}/webhooks/github"


def refusal_status(error: BenchmarkManagerError) -> int:
    """Return the status of a page that shows a refused form again."""
    return _UNAVAILABLE if isinstance(error, WorkersBusyError) else _UNPROCESSABLE


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project as pages show it."""

    project: Project
    stats: ProjectStats
    words: tuple[Word, ...]
    running: bool
    web_url: str
    progress: SyncProgress | None = None
    #: At most `MOST_COUNTED`.
    results: int = 0

    @property
    def counts_all_results(self) -> bool:
        return self.results < MOST_COUNTED

    @property
    def branch(self) -> str | None:
        """Return the branch, tag or commit id that is read, or None while it is unknown."""
        ref = self.project.source.ref
        return self.project.state.resolved_branch if ref is None else ref.name

    @property
    def branch_url(self) -> str:
        return self.web_url if self.branch is None else f"{self.web_url}/tree/{quote(self.branch)}"

    def commit_url(self, sha: str) -> str:
        return f"{self.web_url}/commit/{sha}"

    def file_url(self, sha: str, path: str) -> str:
        return f"{self.web_url}/blob/{sha}/{quote(path)}"


def view_of(
    project: Project,
    stats: ProjectStats,
    now: datetime,
    progress: SyncProgress | None = None,
    results: int = 0,
) -> ProjectView:
    running = progress.status == "running" if progress else project.status_at(now) == "running"
    status = STATUS["running" if running else project.state.status]
    return ProjectView(
        project,
        stats,
        (status, PAUSED) if project.paused else (status,),
        running,
        web_url(project.source.repository),
        progress,
        results,
    )


async def project_view(services: Services, project_id: str) -> ProjectView:
    """Read what the head of each of a project's pages shows.

    Raises:
        NotFoundError
    """
    project = await services.projects.get(project_id)
    stats = await services.projects.stats(project_id)
    progress = await services.sync.progress_of(project)
    results = await services.results.count(project_id, MOST_COUNTED)
    return view_of(project, stats, services.status.now(), progress, results)
