"""The write path of projects: read, check the revision, apply a typed edit, store and record it."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final

from benchmark_manager.domain.projects.edits import (
    EditedProject,
    changed_fields,
    next_project_revision,
)
from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.errors import ConflictError, StaleError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.project import Project
from benchmark_manager.models.recorded_change import ChangeAction, RecordedChange
from benchmark_manager.services.access.recording import ChangeRecorder, record_nothing
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.projects.projects import ProjectStore

#: How often an edit is tried again when another change came between reading and writing. One of
#: them is stored each time, so an edit is refused only if this many people save at the same moment.
_TRIES: Final = 100


class ProjectEditor:
    """Makes every change of a project by a person, with its record, in one transaction."""

    def __init__(
        self,
        database: Database,
        projects: ProjectStore,
        *,
        clock: Callable[[], datetime],
        record: ChangeRecorder = record_nothing,
    ) -> None:
        """`record` is called with every change, in the transaction that makes it."""
        self._database = database
        self._projects = projects
        self._clock = clock
        self._record = record

    async def create(self, principal: Principal, project: Project) -> None:
        """Store a new project.

        Raises:
            ForbiddenError
            ConflictError: `project_name_taken`.
        """
        principal.require_site_wide("maintainer")

        async def work(session: Session) -> None:
            await self._projects.insert(project, session)
            change = RecordedChange.of_project(
                "project.create", principal, project, after=project.revision
            )
            await self._record([change], session)

        await self._database.transaction(work)

    async def edit(
        self,
        principal: Principal,
        project_id: str,
        edit: Callable[[Project], Awaitable[EditedProject]],
        *,
        action: ChangeAction,
        expected_revisions: Collection[int] | None,
    ) -> Project:
        """Apply an edit to the project as it is now, again while others change it meanwhile.

        An edit that changes nothing makes no revision.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
            ConflictError: `project_name_taken`.
        """
        principal.require("maintainer", project_id)
        for attempt in range(_TRIES):
            project = await self._projects.get(project_id)
            expect_revision(project, expected_revisions)
            edited = await edit(project)
            if edited.project == project:
                return project
            try:
                await self._store(principal, action, project, edited)
            except StaleError:
                # Read again: the revision may not be an expected one any more, or a sync changed
                # what counts no revision.
                if attempt == _TRIES - 1:
                    raise
                continue
            except ConflictError:
                if principal.readable() is None:
                    raise
                # The refusal names the project that has the name, which may not be read.
                name = edited.project.name
                raise ConflictError("project_name_taken", "same", taken=name, name=name) from None
            return await self._projects.get(project_id)
        raise AssertionError("the last try returns or raises")

    async def _store(
        self, principal: Principal, action: ChangeAction, before: Project, edited: EditedProject
    ) -> None:
        after = next_project_revision(edited.project, self._clock())

        async def work(session: Session) -> None:
            await self._projects.replace(
                after,
                before,
                session,
                reschedule=edited.reschedule,
                forget_upstream=edited.forget_upstream,
            )
            change = RecordedChange.of_project(
                action,
                principal,
                after,
                before=before.revision,
                after=after.revision,
                keys=changed_fields(before, after),
            )
            await self._record([change], session)

        await self._database.transaction(work)

    async def delete(
        self, principal: Principal, project_id: str, expected_revisions: Collection[int] | None
    ) -> None:
        """Delete a project and all that belongs to it, for every reader at once.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
        """
        principal.require("maintainer", project_id)
        now = self._clock()

        async def work(session: Session) -> None:
            project = await self._projects.delete(project_id, expected_revisions, now, session)
            change = RecordedChange.of_project(
                "project.delete", principal, project, before=project.revision
            )
            await self._record([change], session)

        await self._database.transaction(work)

    async def make_all_due(self, principal: Principal) -> list[str]:
        """Make all projects that may be synced due, as asked for by a person; return their ids.

        Raises:
            ForbiddenError: no project may be synced.
        """
        principal.require_somewhere("editor")
        request = RecordedChange(
            action="project.sync",
            principal=principal,
            project_id=None,
            object_id="",
            before=None,
            after=None,
        )
        # Recorded before: a transaction over all projects would be in the way of their syncs.
        await self._database.transaction(lambda session: self._record([request], session))
        return await self._projects.make_all_due("manual", principal.allowed("editor"))
