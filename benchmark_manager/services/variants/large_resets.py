"""Resets of more variants than one transaction takes: published at once, then carried out in steps."""

from typing import Final

from benchmark_manager.models.variant import TrashedFile
from benchmark_manager.services.sync.large_syncs import Steps
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.sync.staged_changes import PublishedReset, StagedChangeStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore


class LargeResets:
    """Every step is harmless to repeat, and to run in several processes at once."""

    def __init__(
        self,
        database: Database,
        modified: VariantStore,
        trash: TrashStore,
        staged: StagedChangeStore,
        *,
        steps: Steps,
    ) -> None:
        self.steps: Final = steps
        self._database = database
        self._modified = modified
        self._trash = trash
        self._staged = staged

    async def reset(self, reset: PublishedReset) -> int:
        """Move all variants of a project to the trash; return how many there were.

        Lists of the project's variants wait meanwhile, and show all of them or none.
        """

        async def publish(session: Session) -> int:
            await self._staged.expect_none([reset.project_id], session)
            await self._trash.begin_reset(
                reset.reset_id, reset.project_id, reset.deleted_at, session
            )
            await self._staged.publish_reset(reset, session)
            return await self._modified.count(reset.project_id, session)

        count = await self._database.transaction(publish)
        await self.finish(reset)
        return count

    async def finish(self, reset: PublishedReset) -> None:
        """Carry out what is left of a published reset."""
        while await self._database.transaction(lambda session: self._step(reset, session)):
            pass
        await self._staged.close(reset)

    async def _step(self, reset: PublishedReset, session: Session) -> bool:
        files = await self._modified.some_of_project(reset.project_id, self.steps.chunk, session)
        if not files or not await self._staged.moved(reset, session):
            return False
        rows = [
            TrashedFile(
                file=file,
                deleted_at=reset.deleted_at,
                deleted_by=reset.deleted_by,
                reset_id=reset.reset_id,
            )
            for file in files
        ]
        await self._modified.delete([file.id for file in files], session)
        await self._trash.insert_bundles(reset.project_id, rows, session)
        return True
