"""Applies the changes of a sync that are too many for one transaction."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from benchmark_manager.domain.sync.tree_changes import TreeChanges
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.services.sync.applying.variant_updates import UnjudgedError, VariantUpdates
from benchmark_manager.services.variants.drift import DriftJudge, Judgements
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.sync.staged_changes import (
    Chunk,
    Publication,
    PublishedReset,
    StagedChangeStore,
    StepSizes,
)
from benchmark_manager.workers.caller import Caller, calling_as

_log = structlog.get_logger(__name__)

#: Where nothing was applied for this long, another process takes over.
_FORGOTTEN: Final = timedelta(seconds=15)
_NOTHING: Final = TreeChanges((), (), (), (), (), 0)


class LargeSyncs:
    """Stages, publishes and applies large syncs.

    Every step may be repeated, and may run in several processes at once.
    """

    def __init__(
        self,
        database: Database,
        *,
        files: OriginalFileStore,
        staged: StagedChangeStore,
        variants: VariantUpdates,
        drift: DriftJudge,
        finish_reset: Callable[[PublishedReset], Awaitable[None]],
        steps: StepSizes,
    ) -> None:
        self.steps: Final = steps
        self._database = database
        self._files = files
        self._staged = staged
        self._variants = variants
        self._drift = drift
        self._finish_reset = finish_reset

    async def apply(
        self,
        publication: Publication,
        changes: TreeChanges,
        verdicts: Mapping[str, StoredVerdict],
        confirm: Callable[[Session], Awaitable[None]],
    ) -> None:
        """Make the originals equal to upstream.

        `confirm` raises in a transaction where the lease is lost.
        """
        await self._staged.stage(
            publication.project_id, publication.fence, _chunks(changes, verdicts, self.steps.chunk)
        )

        async def publish(session: Session) -> None:
            await confirm(session)
            # A reset may be under way.
            await self._staged.expect_none([publication.project_id], session)
            await self._staged.publish(publication, session)

        await self._database.transaction(publish)
        await self.finish(publication.project_id)

    async def finish(self, project_id: str) -> None:
        """Apply what was published and is not applied yet; usually there is nothing to do."""
        publication = await self._staged.publication(project_id)
        if publication is None:
            return
        if isinstance(publication, PublishedReset):
            await self._finish_reset(publication)
            return
        if not publication.same_history:
            while not await self._database.transaction(
                lambda session: self._mark_some_anew(publication, session)
            ):
                pass
        while (found := await self._staged.next(publication)) is not None:
            if await self._staged.publication(project_id) != publication:
                # The project was deleted, and its chunks are about to be swept.
                return
            await self._apply(publication, *found)
        await self._staged.close(publication)

    async def finish_forgotten(self) -> None:
        """Finish what other processes started and abandoned."""
        for project_id in await self._staged.forgotten(await self._database.now() - _FORGOTTEN):
            _log.warning(
                "a large sync or reset is finished for a process that died", project_id=project_id
            )
            try:
                with calling_as(Caller(f"project:{project_id}", background=True)):
                    await self.finish(project_id)
            except BenchmarkManagerError as error:
                # The others need not wait for this one; the next tick tries again.
                _log.error(
                    "a large sync cannot be finished",
                    project_id=project_id,
                    code=error.code,
                )

    async def _mark_some_anew(self, publication: Publication, session: Session) -> bool:
        """Mark some files as first seen with this commit; return whether all are marked.

        A process that comes too late does not overwrite a later sync.
        """
        if not await self._staged.moved(publication, session):
            return True
        project_id, commit_sha = publication.project_id, publication.commit_sha
        return await self._files.see_anew(
            project_id, commit_sha, publication.committed_at, session, at_most=self.steps.chunk
        )

    async def _apply(self, publication: Publication, chunk_id: str, chunk: Chunk) -> None:
        """Apply one chunk, in several transactions where its files have many variants."""
        judged: Judgements = {}
        done = False
        while not done:
            try:
                done = await self._database.transaction(
                    lambda session: self._apply_some(publication, chunk_id, chunk, judged, session)
                )
            except UnjudgedError as unjudged:
                judged.update(await self._drift.judge(unjudged.questions))

    async def _apply_some(
        self,
        publication: Publication,
        chunk_id: str,
        chunk: Chunk,
        judged: Judgements,
        session: Session,
    ) -> bool:
        """Update some variants, and after the last one the files; return whether all is done."""
        project_id = publication.project_id
        if not await self._staged.is_left(publication, chunk_id, session):
            return True
        # A variant may have been renamed, or made, since the changes were staged.
        changes = await self._variants.free_of_collisions(project_id, chunk.changes, session)
        left = await self._variants.follow(
            project_id, changes, judged, session, at_most=self.steps.chunk
        )
        await self._staged.moved(publication, session)
        if left:
            return False
        await self._files.apply(
            project_id,
            changes,
            chunk.verdicts,
            commit_sha=publication.commit_sha,
            committed_at=publication.committed_at,
            now=publication.now,
            session=session,
        )
        await self._staged.take(chunk_id, session)
        return True


def _chunks(
    changes: TreeChanges, verdicts: Mapping[str, StoredVerdict], size: int
) -> Iterator[Chunk]:
    """Split the changes, in an order in which each path is free when a file takes it."""
    for start in range(0, len(changes.removed), size):
        yield Chunk(replace(_NOTHING, removed=changes.removed[start : start + size]), {})
    for name in ("updated", "revived", "moved"):
        pairs = getattr(changes, name)
        for start in range(0, len(pairs), size):
            some = pairs[start : start + size]
            yield Chunk(
                replace(_NOTHING, **{name: some}), {new.path: verdicts[new.path] for _, new in some}
            )
    for start in range(0, len(changes.added), size):
        added = changes.added[start : start + size]
        yield Chunk(replace(_NOTHING, added=added), {new.path: verdicts[new.path] for new in added})
