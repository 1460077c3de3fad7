"""The write path of projects: read, check the revision, apply a typed edit, store and record it."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final

from benchmark_manager.domain.projects.edits import EditedProject, next_project_revision
from benchmark_manager.errors import StaleError
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

    async def create(self, project: Project) -> None:
        """Store a new project.

        Raises:
            ConflictError: `project_name_taken`.
        """

        async def work(session: Session) -> None:
            await self._projects.insert(project, session)
            change = _change("project.create", project.id, before=None, after=project.revision)
            await self._record([change], session)

        await self._database.transaction(work)

    async def edit(
        self,
        project_id: str,
        edit: Callable[[Project], Awaitable[EditedProject]],
        *,
        action: ChangeAction,
        expected_revisions: Collection[int] | None,
    ) -> Project:
        """Apply an edit to the project as it is now, again while others change it meanwhile.

        An edit that changes nothing makes no revision.

        Raises:
            NotFoundError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
            ConflictError: `project_name_taken`.
        """
        for attempt in range(_TRIES):
            project = await self._projects.get(project_id)
            if expected_revisions is not None and project.revision not in expected_revisions:
                raise StaleError(project.revision)
            edited = await edit(project)
            if edited.project == project:
                return project
            try:
                await self._store(project, edited, action)
            except StaleError:
                # Read again: the revision may not be an expected one any more, or a sync changed
                # what counts no revision.
                if attempt == _TRIES - 1:
                    raise
                continue
            return await self._projects.get(project_id)
        raise AssertionError("the last try returns or raises")

    async def _store(self, before: Project, edited: EditedProject, action: ChangeAction) -> None:
        after = next_project_revision(edited.project, self._clock())

        async def work(session: Session) -> None:
            await self._projects.replace(
                after,
                before,
                session,
                reschedule=edited.reschedule,
                forget_upstream=edited.forget_upstream,
            )
            change = _change(action, after.id, before=before.revision, after=after.revision)
            await self._record([change], session)

        await self._database.transaction(work)

    async def delete(self, project_id: str, expected_revisions: Collection[int] | None) -> None:
        """Delete a project and all that belongs to it, for every reader at once.

        Raises:
            NotFoundError
            StaleError: the project is not at one of `expected_revisions` (None accepts any).
        """
        now = self._clock()

        async def work(session: Session) -> None:
            revision = await self._projects.delete(project_id, expected_revisions, now, session)
            change = _change("project.delete", project_id, before=revision, after=None)
            await self._record([change], session)

        await self._database.transaction(work)


def _change(
    action: ChangeAction, project_id: str, *, before: int | None, after: int | None
) -> RecordedChange:
    return RecordedChange(
        action=action,
        actor=None,
        project_id=project_id,
        object_id=project_id,
        before=before,
        after=after,
    )
