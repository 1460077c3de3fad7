"""Register, read and change projects."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from benchmark_manager.domain.projects.edits import (
    EditedProject,
    paused,
    rescheduled,
    resumed,
    with_changes,
)
from benchmark_manager.domain.projects.settings import ProjectChanges, ProjectSettings
from benchmark_manager.domain.unset import given_or
from benchmark_manager.models.access.principal import Principal, includes
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.project import Project, ProjectStats, Standing
from benchmark_manager.models.sync import DriftMoment, Sync, SyncOutcome, SyncTrigger
from benchmark_manager.services.projects.editor import ProjectEditor
from benchmark_manager.services.projects.sources import (
    LocatedAddresses,
    ProjectDefaults,
    SourceService,
)
from benchmark_manager.stores.database.database import Database, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.syncs import SyncStore


class ProjectService:
    """Registers, reads and changes projects, and reads the history of their syncs."""

    def __init__(
        self,
        projects: ProjectStore,
        files: OriginalFileStore,
        syncs: SyncStore,
        editor: ProjectEditor,
        sources: SourceService,
        *,
        defaults: ProjectDefaults,
        clock: Callable[[], datetime],
    ) -> None:
        self._projects = projects
        self._files = files
        self._syncs = syncs
        self._editor = editor
        self._sources = sources
        self.defaults = defaults
        self._clock = clock

    async def create(
        self, principal: Principal, name: str, github_repo_url: str, settings: ProjectSettings
    ) -> Project:
        """Register a project; it is due at once.

        Raises:
            ForbiddenError, InvalidInputError, ConflictError
        """
        # Before anything is read of GitHub.
        principal.require_site_wide("maintainer")
        # As it is stored, so that this answer and the next reading are the same.
        now = milliseconds(self._clock())
        project_id = Database.new_id()
        source = await self._sources.new(
            project_id,
            github_repo_url,
            settings,
            self.defaults,
            confirms=includes(principal.site_role, "admin"),
        )
        project = Project(
            id=project_id,
            name=name,
            source=source,
            polling_interval=given_or(settings.polling_interval, self.defaults.polling_interval),
            created_at=now,
            updated_at=now,
            next_poll_at=await self._projects.now(),
        )
        await self._editor.create(principal, project)
        return project

    async def get(self, project_id: str) -> Project:
        """Return the project.

        Raises:
            NotFoundError
        """
        return await self._projects.get(project_id)

    async def stats(self, project_id: str) -> ProjectStats:
        """Return the counts of one project."""
        return await self._files.stats(project_id)

    async def stats_of(self, projects: Sequence[Project]) -> dict[str, ProjectStats]:
        """Return the counts of several projects, by their ids."""
        return await self._files.stats_of([project.id for project in projects])

    async def page(
        self,
        principal: Principal,
        request: PageRequest,
        query: str | None,
        standing: Standing | None = None,
    ) -> Page[Project]:
        """Return a page of the projects that may be read, by name.

        Their names contain `query`, and they are of this standing.
        """
        return await self._projects.page(request, query, standing, principal.readable())

    async def standings(self, principal: Principal) -> dict[Standing, int]:
        """Return how many projects of each standing may be read."""
        return await self._projects.standings(principal.readable())

    async def history(
        self,
        project_id: str,
        request: PageRequest,
        *,
        outcomes: Collection[SyncOutcome] = (),
        triggers: Collection[SyncTrigger] = (),
    ) -> Page[Sync]:
        """Return a page of the project's syncs, newest first; no outcomes or triggers means all.

        Raises:
            NotFoundError, InvalidInputError
        """
        await self._projects.get(project_id)
        return await self._syncs.page(project_id, request, outcomes=outcomes, triggers=triggers)

    async def drifts(self, project_id: str, limit: int) -> list[DriftMoment]:
        """Return the drifts that the last syncs with changes left, newest first."""
        return await self._syncs.drifts(project_id, limit)

    async def sync(self, project_id: str, sync_id: str) -> Sync:
        """Return one finished sync, unless its project was deleted.

        Raises:
            NotFoundError
        """
        await self._projects.get(project_id)
        return await self._syncs.get(project_id, sync_id)

    async def update(
        self,
        principal: Principal,
        project_id: str,
        changes: ProjectChanges,
        expected_revisions: Collection[int] | None,
    ) -> Project:
        """Change the fields that are given.

        Raises:
            NotFoundError, ForbiddenError, InvalidInputError, ConflictError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
        """
        located = LocatedAddresses()

        async def edit(project: Project) -> EditedProject:
            source = await self._sources.changed(
                project, changes, located, confirms=includes(principal.site_role, "admin")
            )
            changed = with_changes(project, changes, source)
            if changed == project:
                return EditedProject(project)
            return rescheduled(project, changed, await self._projects.now())

        return await self._editor.edit(
            principal,
            project_id,
            edit,
            action="project.edit",
            expected_revisions=expected_revisions,
        )

    async def pause(
        self, principal: Principal, project_id: str, expected_revisions: Collection[int] | None
    ) -> Project:
        """Pause the project: only a sync that a person asks for reads it.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
        """

        async def edit(project: Project) -> EditedProject:
            return EditedProject(project) if project.paused else paused(project)

        return await self._editor.edit(
            principal,
            project_id,
            edit,
            action="project.pause",
            expected_revisions=expected_revisions,
        )

    async def resume(
        self, principal: Principal, project_id: str, expected_revisions: Collection[int] | None
    ) -> Project:
        """Resume a paused project: it is due at once, and once, whatever was missed meanwhile.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
        """

        async def edit(project: Project) -> EditedProject:
            if not project.paused:
                return EditedProject(project)
            return resumed(project, await self._projects.now())

        return await self._editor.edit(
            principal,
            project_id,
            edit,
            action="project.resume",
            expected_revisions=expected_revisions,
        )

    async def make_all_due(self, principal: Principal) -> list[str]:
        """Queue a sync of every project that may be synced, as if a person asked for each.

        Return their ids.

        Raises:
            ForbiddenError: no project may be synced.
        """
        return await self._editor.make_all_due(principal)

    async def delete(
        self, principal: Principal, project_id: str, expected_revisions: Collection[int] | None
    ) -> None:
        """Delete the project and all that belongs to it, for every reader at once.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
        """
        await self._editor.delete(principal, project_id, expected_revisions)
