"""Reset projects of more variants than one transaction takes: publish first, delete in steps."""

from typing import Final

from benchmark_manager.domain.variants.edits import deleted
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.project import Project
from benchmark_manager.services.access.recording import ChangeRecorder, record_nothing
from benchmark_manager.services.variants.editor import reset_change
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.sync.staged_changes import (
    PublishedReset,
    StagedChangeStore,
    StepSizes,
)
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore


class LargeResets:
    """Resets projects of many variants.

    Each step may be repeated, and run in several processes at the same time.
    """

    def __init__(
        self,
        database: Database,
        variants: VariantStore,
        trash: TrashStore,
        staged: StagedChangeStore,
        *,
        steps: StepSizes,
        record: ChangeRecorder = record_nothing,
    ) -> None:
        """`record` is called with a reset, in the transaction that publishes it."""
        self.steps: Final = steps
        self._database = database
        self._variants = variants
        self._trash = trash
        self._staged = staged
        self._record = record

    async def reset(self, principal: Principal, project: Project, reset: PublishedReset) -> int:
        """Move all variants of a project to the trash; return how many there were.

        Lists of the project's variants wait until all are moved. Another replica may end this: the
        rest of its steps have the name that was published.

        Raises:
            NotFoundError, ForbiddenError
        """
        principal.require("maintainer", reset.project_id)

        async def publish(session: Session) -> int:
            await self._staged.expect_none([reset.project_id], session)
            await self._trash.begin_reset(
                reset.reset_id, reset.project_id, reset.deleted_at, session
            )
            await self._staged.publish_reset(reset, session)
            await self._record([reset_change(principal, project)], session)
            return await self._variants.count(reset.project_id, session)

        count = await self._database.transaction(publish)
        await self.finish(reset)
        return count

    async def finish(self, reset: PublishedReset) -> None:
        """Carry out the remaining steps of a published reset."""
        while await self._database.transaction(lambda session: self._step(reset, session)):
            pass
        await self._staged.close(reset)

    async def _step(self, reset: PublishedReset, session: Session) -> bool:
        variants = await self._variants.some_of_project(reset.project_id, self.steps.chunk, session)
        if not variants or not await self._staged.moved(reset, session):
            return False
        rows = [
            deleted(variant, at=reset.deleted_at, by=reset.deleted_by, reset_id=reset.reset_id)
            for variant in variants
        ]
        await self._variants.delete([variant.id for variant in variants], session)
        await self._trash.insert_bundles(reset.project_id, rows, session)
        return True
