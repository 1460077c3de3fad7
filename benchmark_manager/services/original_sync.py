"""The one way to sync: poll, webhook, button and command line all end here.

Data flows one way: the lease is claimed; GitHub is read, contents going to the blob store where
nothing refers to them; then one transaction, guarded by the lease's fence, makes the new state,
the drift of the modified files and the record of the sync visible at once.
"""

import asyncio
import contextlib
import random as random_module
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from bson import ObjectId
from pymongo.errors import DuplicateKeyError, PyMongoError

from benchmark_manager.domain.schedule import HOURLY, first_phase, next_planned, retry_delay
from benchmark_manager.domain.tree_changes import TreeChanges, compare, without_renames
from benchmark_manager.errors import (
    BenchmarkManagerError,
    GitHubActionError,
    GitHubError,
    LeaseLostError,
    SourceChangedError,
    TokenUnreadableError,
)
from benchmark_manager.github.client import GitHubClient, RepositoryClient
from benchmark_manager.models.modified_file import variant_path
from benchmark_manager.models.project import Lease, Project
from benchmark_manager.models.sync import (
    LISTED_AT_MOST,
    ErrorInfo,
    FileChange,
    GitHubUsage,
    SkippedFile,
    Sync,
    SyncSummary,
    SyncTrigger,
)
from benchmark_manager.services.tokens import TokenVault
from benchmark_manager.services.upstream import Upstream, UpstreamReader
from benchmark_manager.stores.database import Database, Session, milliseconds
from benchmark_manager.stores.original_files import OriginalFileStore
from benchmark_manager.stores.projects import ProjectStore
from benchmark_manager.stores.syncs import SyncStore

_log = structlog.get_logger(__name__)

#: A lease is renewed this often, seconds.
_RENEWAL: Final = 20.0
#: How often another replica's sync is asked for its result, seconds.
_JOIN_PAUSE: Final = 0.25
#: A variant which appears while a rename is applied makes it start again, this often at most.
_APPLY_TRIES: Final = 3
#: Only a person can end these; GitHub is asked again once an hour.
_HOURLY_CODES: Final = frozenset(
    {"github_unauthorized", "github_forbidden", "repository_not_found", "token_unreadable", "tree_too_large"}
)


@dataclass(frozen=True, slots=True)
class _Run:
    """One sync under way."""

    id: str
    project: Project
    lease: Lease
    trigger: SyncTrigger
    started_at: datetime
    started: float


class OriginalSync:
    """Syncs projects, each under a lease, and joins those who ask for the same sync."""

    def __init__(
        self,
        database: Database,
        projects: ProjectStore,
        files: OriginalFileStore,
        syncs: SyncStore,
        reader: UpstreamReader,
        github: GitHubClient,
        vault: TokenVault,
        *,
        owner: str,
        clock: Callable[[], datetime],
        random: Callable[[], float] = random_module.random,
    ) -> None:
        """`owner` names this process among the replicas."""
        self._database = database
        self._projects = projects
        self._files = files
        self._syncs = syncs
        self._reader = reader
        self._github = github
        self._vault = vault
        self._owner = owner
        self._clock = clock
        self._random = random
        self._running: dict[str, asyncio.Task[Sync]] = {}

    @property
    def running(self) -> int:
        """How many syncs this process has under way."""
        return len(self._running)

    async def sync(self, project_id: str, trigger: SyncTrigger) -> Sync:
        """Sync now, or join the sync which is under way here or in another replica; its result may be `failed`.

        Raises:
            NotFoundError: the project is not there, or not any more.
        """
        while True:
            task = self._running.get(project_id)
            if task is None:
                claimed = await self._projects.claim(project_id, self._owner)
                if claimed is not None:
                    task = self._start(*claimed, trigger)
                elif (task := self._running.get(project_id)) is None:
                    result = await self._result_of_another_replica(project_id)
                    if result is not None:
                        return result
                    continue
            # Changed settings, or a lost lease: what was asked for has not been done yet.
            with contextlib.suppress(SourceChangedError, LeaseLostError):
                return await asyncio.shield(task)

    async def sync_next_due(self) -> asyncio.Task[Sync] | None:
        """Claim the longest due project and start its sync; None when none is due."""
        claimed = await self._projects.claim_due(self._owner)
        return None if claimed is None else self._start(*claimed, claimed[0].due_trigger)

    async def stop(self, seconds: float) -> None:
        """Let running syncs finish for `seconds`; then abandon the rest whole and give their leases back."""
        tasks = set(self._running.values())
        if not tasks:
            return
        _log.info("waiting for running syncs", count=len(tasks))
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _result_of_another_replica(self, project_id: str) -> Sync | None:
        """The result of the lease which somebody holds now; None when it ended without one."""
        held = await self._projects.get(project_id)
        while True:
            result = await self._syncs.by_fence(project_id, held.fence)
            if result is not None:
                return result
            current = await self._projects.get(project_id)
            now = await self._database.now()
            if current.fence != held.fence or current.lease_until is None or current.lease_until <= now:
                return await self._syncs.by_fence(project_id, held.fence)
            await asyncio.sleep(_JOIN_PAUSE)

    def _start(self, project: Project, lease: Lease, trigger: SyncTrigger) -> asyncio.Task[Sync]:
        run = _Run(str(ObjectId()), project, lease, trigger, milliseconds(self._clock()), time.perf_counter())
        task = asyncio.create_task(self._run(run), name=f"sync {project.id}")
        self._running[project.id] = task

        def forget(done: asyncio.Task[Sync]) -> None:
            del self._running[project.id]
            # Whoever waits for the result hears of its exception; a poll has nobody who waits.
            if not done.cancelled():
                done.exception()

        task.add_done_callback(forget)
        return task

    async def _run(self, run: _Run) -> Sync:
        """The whole sync under its lease; every way out but a crash gives the lease back."""
        log = _log.bind(project_id=run.project.id, project=run.project.name, trigger=run.trigger)
        try:
            sync = await self._under_lease(run.lease, self._sync(run))
        except (LeaseLostError, SourceChangedError) as error:
            log.info("sync abandoned", reason=error.code)
            await self._give_back(run.lease)
            raise
        except PyMongoError as error:
            log.error("sync abandoned: the database failed", error=f"{type(error).__name__}: {error}")  # noqa: TRY400 -- no bug
            await self._give_back(run.lease)
            raise
        except asyncio.CancelledError:
            log.info("sync abandoned: the service stops")
            await self._give_back(run.lease)
            raise
        log.info("sync finished", status=sync.status, message=sync.message, duration_ms=sync.duration_ms)
        return sync

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._projects.release(lease)
        except PyMongoError:
            _log.warning("a lease could not be given back and will run out", project_id=lease.project_id)

    async def _under_lease(self, lease: Lease, work: Coroutine[Any, Any, Sync]) -> Sync:
        """Run `work` while the lease is renewed; stop it when the lease is lost."""
        beat = asyncio.create_task(self._renew(lease))
        main = asyncio.create_task(work)
        try:
            await asyncio.wait({beat, main}, return_when=asyncio.FIRST_COMPLETED)
            if not main.done():
                raise LeaseLostError
            return main.result()
        finally:
            for task in (beat, main):
                task.cancel()
            await asyncio.gather(beat, main, return_exceptions=True)

    async def _renew(self, lease: Lease) -> None:
        """Return when the lease is lost. A database that does not answer decides nothing: the fence does."""
        while True:
            await asyncio.sleep(_RENEWAL)
            try:
                await self._projects.renew(lease)
            except LeaseLostError:
                return
            except PyMongoError:
                _log.warning("a lease could not be renewed", project_id=lease.project_id)

    async def _sync(self, run: _Run) -> Sync:
        client: RepositoryClient | None = None
        try:
            token = self._vault.token_for(run.project.source)
            client = self._github.repository(run.project.source.repository, token, urgent=run.trigger == "manual")
            upstream = await self._reader.read(run.project, client)
            return await self._apply(run, upstream, client.usage)
        except (GitHubError, TokenUnreadableError) as error:
            return await self._fail(run, error, _usage(client))
        except (BenchmarkManagerError, PyMongoError):
            raise
        except Exception:  # noqa: BLE001 -- a fault of ours must neither stop other projects nor be repeated at once
            _log.exception("sync failed unexpectedly", project_id=run.project.id)
            fault = BenchmarkManagerError(
                "internal_error", "The service failed while it synced this project; its log says how."
            )
            return await self._fail(run, fault, _usage(client))

    async def _apply(self, run: _Run, upstream: Upstream, usage: GitHubUsage) -> Sync:
        for attempt in range(1, _APPLY_TRIES + 1):
            try:
                return await self._database.transaction(lambda session: self._commit(run, upstream, usage, session))
            except DuplicateKeyError:
                # A variant took, in this moment, the place to which a rename was about to bring another.
                if attempt == _APPLY_TRIES:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _commit(self, run: _Run, upstream: Upstream, usage: GitHubUsage, session: Session) -> Sync:
        """Everything that becomes visible with this sync, inside one transaction."""
        now = milliseconds(self._clock())
        project = run.project
        changes = None
        kept = 0
        if upstream.files is not None and upstream.committed_at is not None:
            stored = await self._files.stored(project.id, session)
            changes = await self._free_of_collisions(project.id, compare(stored, upstream.files), session)
            kept = len(upstream.files)
            await self._files.apply(
                project.id,
                changes,
                upstream.verdicts,
                commit_sha=upstream.commit_sha,
                committed_at=upstream.committed_at,
                now=now,
                session=session,
            )
            await self._files.replace_skipped(project.id, upstream.skipped, session)
            skipped = tuple(file for _, file in upstream.skipped.values())
        else:
            last = project.state.last_sync
            kept = 0 if last is None else last.synced_files
            skipped = tuple(file for _, file in (await self._files.skipped(project.id)).values())
        sync = _succeeded(run, upstream, changes, kept, skipped, usage, now)
        state = project.state.model_copy(
            update={
                "status": "ok",
                "error": None,
                "last_sync": SyncSummary.of(sync),
                "last_success_at": now,
                "resolved_branch": upstream.resolved_branch,
                "head_sha": upstream.commit_sha,
                "root_tree_sha": upstream.root_tree_sha,
                "fail_count": 0,
            }
        )
        await self._projects.finish(
            run.lease,
            project.source,
            state,
            next_poll_at=self._next_poll(project, now),
            renamed_to=upstream.renamed_to,
            session=session,
        )
        await self._syncs.insert(sync, run.lease.fence, session)
        return sync

    async def _free_of_collisions(self, project_id: str, changes: TreeChanges, session: Session) -> TreeChanges:
        """Where a rename would bring a variant to a place which another variant has, it counts as removed and added.

        So every variant keeps its place and its original's record, and no sync ever stops at a name.
        """
        moved = {old.id: new.path for old, new in changes.moved}
        variants = await self._files.variant_paths(project_id, sorted(moved), session)
        # A rename within one folder leaves its variants where they are.
        targets = [
            (original, target)
            for original, name, path in variants
            if (target := variant_path(moved[original], name)) != path
        ]
        arrivals = Counter(target for _, target in targets)
        taken = await self._files.taken_paths(project_id, arrivals, session)
        clashing = {original for original, target in targets if target in taken or arrivals[target] > 1}
        return without_renames(changes, clashing)

    def _next_poll(self, project: Project, now: datetime) -> datetime | None:
        """When a project is due behind a sync that went well."""
        interval = project.polling_interval
        if interval == 0:
            return None
        planned = project.next_poll_at
        if project.state.last_success_at is None or planned is None:
            return milliseconds(now + timedelta(seconds=first_phase(project.id, interval)))
        latest = now + timedelta(seconds=interval)
        if now < planned <= latest:
            return planned
        return milliseconds(next_planned(min(planned, now), now, interval, 2 * self._random() - 1))

    async def _fail(self, run: _Run, error: BenchmarkManagerError, usage: GitHubUsage) -> Sync:
        """Record a failure; nothing that was copied before changes."""
        project = run.project
        fail_count = project.state.fail_count + 1
        now = milliseconds(self._clock())
        next_poll_at = self._retry_at(project, error, fail_count, now)
        retry_at = error.retry_at if isinstance(error, GitHubError) else None
        info = ErrorInfo(code=error.code, detail=error.detail, retry_at=retry_at or next_poll_at)
        sync = _failed(run, info, usage, now)
        needs_person = isinstance(error, (GitHubActionError, TokenUnreadableError))
        state = project.state.model_copy(
            update={
                "status": "failing" if needs_person else "unavailable",
                "error": info,
                "last_sync": SyncSummary.of(sync),
                "fail_count": fail_count,
            }
        )

        async def work(session: Session) -> None:
            await self._projects.finish(
                run.lease, project.source, state, next_poll_at=next_poll_at, renamed_to=None, session=session
            )
            await self._syncs.insert(sync, run.lease.fence, session)

        await self._database.transaction(work)
        return sync

    def _retry_at(
        self, project: Project, error: BenchmarkManagerError, fail_count: int, now: datetime
    ) -> datetime | None:
        """When a failed project is polled again; one without polling only until its first sync went well."""
        interval = project.polling_interval
        if interval == 0 and (project.state.last_success_at is not None or isinstance(error, GitHubActionError)):
            return None
        if isinstance(error, GitHubError) and error.retry_at is not None:
            # Not all projects of one credential in the very second in which its limit is renewed.
            return milliseconds(error.retry_at + timedelta(seconds=5 * self._random()))
        delay = max(HOURLY, interval) if error.code in _HOURLY_CODES else retry_delay(interval, fail_count)
        return milliseconds(now + timedelta(seconds=delay * (0.9 + 0.2 * self._random())))


def _usage(client: RepositoryClient | None) -> GitHubUsage:
    return GitHubUsage() if client is None else client.usage


def _succeeded(
    run: _Run,
    upstream: Upstream,
    changes: TreeChanges | None,
    kept: int,
    skipped: tuple[SkippedFile, ...],
    usage: GitHubUsage,
    now: datetime,
) -> Sync:
    added = updated = removed = renamed = 0
    unchanged = kept
    if changes is not None:
        added = len(changes.added) + len(changes.revived)
        updated, removed, renamed = len(changes.updated), len(changes.removed), len(changes.moved)
        unchanged = changes.unchanged
    return Sync(
        **_base(run, now),
        status="success" if changes else "unchanged",
        commit_sha=upstream.commit_sha,
        synced_files=kept,
        added=added,
        updated=updated,
        removed=removed,
        renamed=renamed,
        unchanged=unchanged,
        skipped=skipped[:LISTED_AT_MOST],
        changes=() if changes is None else _listed(changes),
        warnings=upstream.warnings,
        github=usage,
        message=_message(kept, added, updated, removed, renamed, len(skipped)),
    )


def _failed(run: _Run, info: ErrorInfo, usage: GitHubUsage, now: datetime) -> Sync:
    last = run.project.state.last_sync
    return Sync(
        **_base(run, now),
        status="failed",
        commit_sha=run.project.state.head_sha,
        synced_files=0 if last is None else last.synced_files,
        github=usage,
        error=info,
        message=f"Failed: {info.detail}",
    )


def _base(run: _Run, now: datetime) -> dict[str, Any]:
    return {
        "id": run.id,
        "project_id": run.project.id,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "finished_at": max(now, run.started_at),
        "duration_ms": round((time.perf_counter() - run.started) * 1000),
        "previous_commit_sha": run.project.state.head_sha,
    }


def _listed(changes: TreeChanges) -> tuple[FileChange, ...]:
    rows = [
        *(FileChange(path=new.path, change="added") for new in changes.added),
        *(FileChange(path=new.path, change="added") for _, new in changes.revived),
        *(FileChange(path=new.path, change="updated") for _, new in changes.updated),
        *(FileChange(path=old.path, change="removed") for old in changes.removed),
        *(FileChange(path=new.path, change="renamed", previous_path=old.path) for old, new in changes.moved),
    ]
    return tuple(sorted(rows, key=lambda row: row.path)[:LISTED_AT_MOST])


def _message(kept: int, added: int, updated: int, removed: int, renamed: int, skipped: int) -> str:
    parts = [
        f"{count} {word}"
        for count, word in ((added, "added"), (updated, "updated"), (removed, "removed"), (renamed, "renamed"))
        if count
    ]
    what = ", ".join(parts) if parts else "nothing changed"
    files = "1 file" if kept == 1 else f"{kept} files"
    return f"{files} in place: {what}{f'; {skipped} skipped' if skipped else ''}."
