"""Syncs under way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from benchmark_manager.domain.sync.tree_changes import TreeChanges
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.ref_checks import CheckTiming
from benchmark_manager.models.commit import CommitAnswer
from benchmark_manager.models.project import Lease, Project
from benchmark_manager.models.sync import GitHubUsage, SyncTrigger
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.reading.snapshot import UpstreamSnapshot

#: What a check found: nothing new, or the commit to read (None: it is not known yet).
Checked = UpstreamSnapshot | CommitAnswer | None


class EarlyCheck:
    """A check that starts while its project is still being claimed."""

    def __init__(
        self,
        project: Project,
        connect: Callable[[], Awaitable[RepositoryClient]],
        check: Callable[[RepositoryClient], Awaitable[Checked]],
    ) -> None:
        self.project = project
        #: The client that sends its requests; None until there is one.
        self.client: RepositoryClient | None = None
        self._connect = connect
        self._check = check
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> tuple[RepositoryClient, Checked]:
        client = self.client = await self._connect()
        return client, await self._check(client)

    def serves(self, claimed: Project) -> bool:
        """Return whether it holds for the project as it was claimed."""
        return (self.project.source, self.project.state) == (claimed.source, claimed.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """One sync under way."""

    id: str
    project: Project
    lease: Lease
    trigger: SyncTrigger
    started_at: datetime
    #: The monotonic clock's time at the start, seconds.
    started: float
    timing: CheckTiming
    progress: Progress
    #: Whether it is a poll before its time, as one check serves it together with another project's.
    companion: bool = False
    early_check: EarlyCheck | None = None


@dataclass(frozen=True, slots=True)
class ReadSync:
    """A sync that has read GitHub; `changes` is None where nothing can have changed."""

    run: SyncRun
    snapshot: UpstreamSnapshot
    usage: GitHubUsage
    changes: TreeChanges | None = None

    @property
    def project(self) -> Project:
        return self.run.project

    @property
    def skipped_count(self) -> int:
        """How many files are skipped."""
        files = self.snapshot.files
        return self.project.state.skipped_files if files is None else len(files.skipped)
