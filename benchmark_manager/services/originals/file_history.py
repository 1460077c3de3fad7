"""The history of an original at GitHub, read on request."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.git.objects import is_object_id
from benchmark_manager.errors import ConflictError, InvalidInputError
from benchmark_manager.github.protocol.answers import CommitInfo
from benchmark_manager.models.file_history import FileCommit, HistoryKey, HistoryPage
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.project import Project
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore

#: GitHub gives no longer pages.
PER_PAGE: Final = 100
#: MongoDB keeps no larger integer, and no history is as long.
_LARGEST_OFFSET: Final = 10**9


@dataclass(frozen=True, slots=True)
class FileCommits:
    """Commits, newest first, which GitHub does not count.

    `next_cursor` is that of the next page (None: the end).
    """

    commits: tuple[FileCommit, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Position:
    """A position in the history up to `head_sha`: the number of newer commits before it."""

    head_sha: str
    offset: int


class FileHistoryService:
    """Histories up to the commit that a project holds; each page is asked of GitHub once."""

    def __init__(
        self,
        projects: ProjectStore,
        files: OriginalFileStore,
        histories: FileHistoryStore,
        credentials: CredentialService,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._projects = projects
        self._files = files
        self._histories = histories
        self._credentials = credentials
        self._clock = clock

    async def commits(self, project_id: str, file_id: str, request: PageRequest) -> FileCommits:
        """Return commits that changed the file under its present path, up to the last sync.

        A file which is gone upstream has the history up to the commit with which its content was
        first seen. At most one request to GitHub, and none if this was asked before; so rows end at
        each hundred. A cursor stays with the commit that its list began at, whatever is synced in
        between.

        Raises:
            NotFoundError, TokenUnreadableError, GitHubError
            ConflictError: `not_synced`.
            InvalidInputError: `invalid_cursor`.
        """
        project = await self._projects.get(project_id)
        if project.state.head_sha is None:
            raise ConflictError("not_synced")
        file = await self._files.get(project_id, file_id)
        head = project.state.head_sha if file.removed_at is None else file.commit_sha
        position = _Position(head, 0) if request.cursor is None else _decode(request.cursor)
        if (
            position.head_sha != head
            and await self._histories.find(_key(project, file.path, position.head_sha, 1)) is None
        ):
            # No list began at this commit, or so long ago that it is forgotten.
            raise _invalid_cursor()
        number, skipped = divmod(position.offset, PER_PAGE)
        page = await self._page(project, _key(project, file.path, position.head_sha, number + 1))
        rows = page.commits[skipped : skipped + request.limit]
        if skipped + len(rows) < len(page.commits):
            return FileCommits(
                rows, _encode(_Position(position.head_sha, position.offset + len(rows)))
            )
        return FileCommits(
            rows,
            _encode(_Position(position.head_sha, (number + 1) * PER_PAGE)) if page.more else None,
        )

    async def _page(self, project: Project, key: HistoryKey) -> HistoryPage:
        kept = await self._histories.find(key)
        if kept is not None:
            return kept
        client = await self._credentials.client(project, urgent=True)
        found, more = await client.file_commits(
            key.path, key.head_sha, page=key.page, per_page=PER_PAGE
        )
        page = HistoryPage(commits=tuple(_commit(info) for info in found), more=more)
        await self._histories.keep(key, page, self._clock())
        return page


def _key(project: Project, path: str, head_sha: str, page: int) -> HistoryKey:
    return HistoryKey(
        project_id=project.id,
        repository_key=project.source.repository.key,
        path=path,
        head_sha=head_sha,
        page=page,
    )


def _commit(info: CommitInfo) -> FileCommit:
    author = info.commit.author
    return FileCommit(
        sha=info.sha,
        author="" if author is None else author.name or "",
        date=info.commit.committer.date,
        message=info.commit.message,
        link=info.html_url,
    )


def _encode(position: _Position) -> str:
    return (
        base64.urlsafe_b64encode(json.dumps([position.head_sha, position.offset]).encode())
        .decode()
        .rstrip("=")
    )


def _decode(cursor: str) -> _Position:
    try:
        head_sha, offset = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _invalid_cursor() from None
    if not (isinstance(head_sha, str) and is_object_id(head_sha) and type(offset) is int):
        raise _invalid_cursor()
    if not 0 <= offset <= _LARGEST_OFFSET:
        raise _invalid_cursor()
    return _Position(head_sha, offset)


def _invalid_cursor() -> InvalidInputError:
    return InvalidInputError("invalid_cursor", field="cursor")
