"""Applying the changes of a sync that are too many for one transaction."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog
from bson import ObjectId

from benchmark_manager.domain.sync.tree_changes import TreeChanges
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.services.sync.following import Following, UnjudgedError
from benchmark_manager.services.variants.drift import DriftJudge, Judgements
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.failures import DATABASE_ERRORS
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.sync.staged_changes import (
    Chunk,
    Publication,
    PublishedReset,
    StagedChangeStore,
)
from benchmark_manager.workers.caller import Caller, calling_as

_log = structlog.get_logger(__name__)

#: Another process takes over where nothing was applied for so long.
_FORGOTTEN: Final = timedelta(seconds=15)
_NOTHING: Final = TreeChanges((), (), (), (), (), 0)


@dataclass(frozen=True, slots=True)
class Steps:
    """How much one transaction of a sync or a reset writes."""

    #: Files, skipped files or variants of a sync without steps, of each so many. mongod with its
    #: smallest cache refuses 23,000 files, and the embedded server answers nobody meanwhile.
    at_once: int = 5000
    #: The same for each step of a sync that has more.
    chunk: int = 1000


class LargeSyncs:
    """Stages, publishes and applies; every step is harmless to repeat, and to run in several processes at once."""

    def __init__(
        self,
        database: Database,
        files: OriginalFileStore,
        staged: StagedChangeStore,
        following: Following,
        drift: DriftJudge,
        finish_reset: Callable[[PublishedReset], Awaitable[None]],
        *,
        steps: Steps,
    ) -> None:
        self.steps: Final = steps
        self._database = database
        self._files = files
        self._staged = staged
        self._following = following
        self._drift = drift
        self._finish_reset = finish_reset

    async def apply(
        self,
        publication: Publication,
        changes: TreeChanges,
        verdicts: Mapping[str, StoredVerdict],
        confirm: Callable[[Session], Awaitable[None]],
    ) -> None:
        """Make the originals what upstream has; `confirm` raises in a transaction where the lease is lost."""
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
        """Apply what was published and is not applied yet; usually there is nothing."""
        publication = await self._staged.publication(project_id)
        if publication is None:
            return
        if isinstance(publication, PublishedReset):
            await self._finish_reset(publication)
            return
        if not publication.same_history:
            while not await self._database.transaction(
                lambda session: self._see_some_anew(publication, session)
            ):
                pass
        while (found := await self._staged.next(publication)) is not None:
            if await self._staged.publication(project_id) != publication:
                # The project was deleted, and its chunks are about to be swept.
                return
            await self._apply(publication, *found)
        await self._staged.close(publication)

    async def finish_forgotten(self) -> None:
        """Finish what other processes began and did not go on with."""
        for project_id in await self._staged.forgotten(await self._database.now() - _FORGOTTEN):
            _log.warning(
                "a large sync or reset is finished for a process that died", project_id=project_id
            )
            try:
                with calling_as(Caller(f"project:{project_id}", background=True)):
                    await self.finish(project_id)
            except (BenchmarkManagerError, *DATABASE_ERRORS) as error:
                # The others need not wait for this one; the next tick tries again.
                _log.error(
                    "a large sync cannot be finished",
                    project_id=project_id,
                    error=type(error).__name__,
                )

    async def _see_some_anew(self, publication: Publication, session: Session) -> bool:
        """Return whether all files were seen anew; a process that comes too late writes over no later sync."""
        if not await self._staged.moved(publication, session):
            return True
        project_id, commit_sha = publication.project_id, publication.commit_sha
        return await self._files.see_anew(
            project_id, commit_sha, publication.committed_at, session, at_most=self.steps.chunk
        )

    async def _apply(self, publication: Publication, chunk_id: ObjectId, chunk: Chunk) -> None:
        """Apply one chunk, in several transactions where many variants follow its files."""
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
        chunk_id: ObjectId,
        chunk: Chunk,
        judged: Judgements,
        session: Session,
    ) -> bool:
        """Move variants, at most so many, and behind the last of them the files; return whether all is done."""
        project_id = publication.project_id
        if not await self._staged.is_left(publication, chunk_id, session):
            return True
        # A variant may have been renamed, or made, since the changes were staged.
        changes = await self._following.free_of_collisions(project_id, chunk.changes, session)
        left = await self._following.follow(
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
    """The changes in the order in which each path is free when it is taken."""
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
