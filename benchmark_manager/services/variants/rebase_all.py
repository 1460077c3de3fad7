"""Rebasing many modified files with one request: each in a transaction of its own, and each reported."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from benchmark_manager.domain.variants.rebase_outline import (
    NO_OUTLINE,
    RebaseOutline,
    outline_of_changes,
    outline_of_conflicts,
)
from benchmark_manager.errors import (
    BenchmarkManagerError,
    MergeConflictError,
    NotFoundError,
    TooComplexError,
    WorkersBusyError,
)
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.variant import Drift, Variant
from benchmark_manager.services.variants.merging import MergePreview, MergeService, expect_original
from benchmark_manager.services.variants.variants import VariantService, expect_revision
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.variants.variants import VariantStore, cursor_behind
from benchmark_manager.workers.caller import Caller, calling_as, current_caller
from benchmark_manager.workers.pool import WorkerPool

_log = structlog.get_logger(__name__)

#: What is rebased, or reported to be in conflict. A conflict is judged anew: a newer version may
#: merge it.
_MOVED: Final[frozenset[Drift]] = frozenset({"behind", "conflict"})
#: Variants that are listed at once.
_LISTED: Final = 100

RebaseOutcome = Literal["rebased", "conflict", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class ChosenVariant:
    """A variant to rebase, as a preview reported it: only if it, and its original, are still the same."""

    id: str
    revision: int
    theirs_sha: str


@dataclass(frozen=True, slots=True)
class RebaseSelection:
    """Which variants of a project: all whose original moved, those of one original, or the `chosen` ones."""

    original_file_id: str | None = None
    chosen: Sequence[ChosenVariant] | None = None


@dataclass(frozen=True, slots=True)
class VariantRebase:
    """What became of one variant, or would become of it. `file` is None where there is no such variant any more."""

    id: str
    outcome: RebaseOutcome
    file: Variant | None
    #: Why it failed.
    error: BenchmarkManagerError | None = None
    #: Of previews alone.
    theirs_sha: str | None = None
    outline: RebaseOutline = NO_OUTLINE


@dataclass(frozen=True, slots=True)
class RebaseReport:
    """The variants that one call dealt with. `next_cursor` leads on to those which are left (None: there are none).

    `left` are those of a choice for which the time did not suffice.
    """

    variants: tuple[VariantRebase, ...]
    #: How many variants the selection had in all when the call began.
    total: int
    next_cursor: str | None
    left: tuple[str, ...] = ()

    def ids(self, outcome: RebaseOutcome) -> list[str]:
        return [variant.id for variant in self.variants if variant.outcome == outcome]


_Step = Callable[[Variant, ChosenVariant | None], Awaitable[VariantRebase]]


class RebaseAllService:
    """Rebases variants one after the other, or reports what would become of each.

    One failure never stops the others. Nothing is kept between calls: whatever ends a call, each
    variant is whole, and the next call goes on with those whose originals moved.
    """

    def __init__(
        self,
        projects: ProjectStore,
        files: VariantService,
        merging: MergeService,
        originals: OriginalFileStore,
        modified: VariantStore,
        workers: WorkerPool,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._projects = projects
        self._files = files
        self._merging = merging
        self._originals = originals
        self._modified = modified
        self._workers = workers
        self._monotonic = monotonic

    async def rebase(
        self,
        project_id: str,
        selection: RebaseSelection,
        request: PageRequest,
        *,
        seconds: float,
        actor: str,
    ) -> RebaseReport:
        """Rebase every variant of the selection that merges cleanly.

        Args:
            project_id: the project's id.
            selection: which variants.
            request: how many of them at most, and where to go on.
            seconds: no variant is begun after this time.
            actor: who is written into the revisions.

        Raises:
            NotFoundError: no such project, or no such original.
            InvalidInputError: `invalid_cursor`.
        """

        async def step(file: Variant, chosen: ChosenVariant | None) -> VariantRebase:
            rebased = await self._merging.rebase(
                file.id,
                expected_original=None if chosen is None else chosen.theirs_sha,
                expected_revisions=None if chosen is None else {chosen.revision},
                actor=actor,
            )
            return VariantRebase(
                file.id, "rebased" if rebased.made_revision else "unchanged", rebased.file
            )

        return await self._each(project_id, selection, request, seconds, step)

    async def preview(
        self, project_id: str, selection: RebaseSelection, request: PageRequest, *, seconds: float
    ) -> RebaseReport:
        """Report what `rebase` would do now; nothing is changed. Arguments and errors as there."""

        async def step(file: Variant, chosen: ChosenVariant | None) -> VariantRebase:
            preview = await self._merging.preview(file.id)
            if chosen is not None:
                expect_revision(preview.file, {chosen.revision})
                expect_original(preview.original, chosen.theirs_sha)
            return await self._previewed(preview)

        return await self._each(project_id, selection, request, seconds, step)

    async def _previewed(self, preview: MergePreview) -> VariantRebase:
        file, theirs_sha = preview.file, preview.original.sha
        merged = preview.merge.content
        if merged is None:
            outline = outline_of_conflicts(preview.merge.conflicts)
            return VariantRebase(file.id, "conflict", file, theirs_sha=theirs_sha, outline=outline)
        if preview.merge.outcome == "nothing":
            return VariantRebase(file.id, "unchanged", file, theirs_sha=theirs_sha)
        try:
            await self._files.check(file, merged.encode(), allow_invalid=False)
        except WorkersBusyError:
            raise
        except BenchmarkManagerError as error:
            return VariantRebase(file.id, "failed", file, error, theirs_sha)
        try:
            outline = await self._workers.run(outline_of_changes, preview.mine, merged, file.format)
        except TooComplexError:
            outline = RebaseOutline(changes_count=None)
        return VariantRebase(file.id, "rebased", file, theirs_sha=theirs_sha, outline=outline)

    async def _each(
        self,
        project_id: str,
        selection: RebaseSelection,
        request: PageRequest,
        seconds: float,
        step: _Step,
    ) -> RebaseReport:
        ends_at = self._monotonic() + seconds
        await self._projects.get(project_id)
        if selection.chosen is not None:
            return await self._each_chosen(project_id, selection.chosen, step, ends_at)
        if selection.original_file_id is not None:
            await self._originals.get(project_id, selection.original_file_id)
        return await self._each_moved(
            project_id, selection.original_file_id, request, step, ends_at
        )

    async def _each_moved(
        self,
        project_id: str,
        original_file_id: str | None,
        request: PageRequest,
        step: _Step,
        ends_at: float,
    ) -> RebaseReport:
        """Deal with those whose originals moved, by path: what is rebased leaves the list, the cursor stays valid."""
        done: list[VariantRebase] = []
        cursor, total = request.cursor, None
        while True:
            some = PageRequest(min(request.limit - len(done), _LISTED), cursor)
            page = await self._modified.page(
                project_id, some, original_file_id=original_file_id, drifts=_MOVED
            )
            total = page.total if total is None else total
            for file in page.rows:
                if done and self._monotonic() >= ends_at:
                    return RebaseReport(tuple(done), total, cursor)
                outcome = await self._outcome(file, None, step)
                if done and isinstance(outcome.error, WorkersBusyError):
                    return RebaseReport(tuple(done), total, cursor)
                done.append(outcome)
                cursor = cursor_behind(file)
            if page.next_cursor is None or len(done) >= request.limit:
                return RebaseReport(tuple(done), total, page.next_cursor)

    async def _each_chosen(
        self, project_id: str, chosen: Sequence[ChosenVariant], step: _Step, ends_at: float
    ) -> RebaseReport:
        """Deal with those chosen, in their order, at least with the first; what is too late is left."""
        done: list[VariantRebase] = []
        for number, variant in enumerate(chosen):
            outcome = None
            if not done or self._monotonic() < ends_at:
                outcome = await self._outcome_of_chosen(project_id, variant, step)
            if outcome is None or (done and isinstance(outcome.error, WorkersBusyError)):
                left = tuple(other.id for other in chosen[number:])
                return RebaseReport(tuple(done), len(chosen), None, left)
            done.append(outcome)
        return RebaseReport(tuple(done), len(chosen), None)

    async def _outcome_of_chosen(
        self, project_id: str, variant: ChosenVariant, step: _Step
    ) -> VariantRebase:
        try:
            file = await self._modified.get(variant.id)
        except NotFoundError as error:
            return VariantRebase(variant.id, "failed", None, error)
        if file.project_id != project_id:
            return VariantRebase(
                variant.id, "failed", None, NotFoundError("modified file", variant.id)
            )
        return await self._outcome(file, variant, step)

    async def _outcome(
        self, file: Variant, chosen: ChosenVariant | None, step: _Step
    ) -> VariantRebase:
        try:
            # Each variant may wait for worker processes as long as one request of the same caller.
            with calling_as(Caller(current_caller().name, request=True)):
                return await step(file, chosen)
        except MergeConflictError:
            return VariantRebase(file.id, "conflict", file)
        except BenchmarkManagerError as error:
            return VariantRebase(file.id, "failed", file, error)
        except Exception as error:  # noqa: BLE001 -- see below
            # A fault that one text causes would otherwise keep all variants behind it from being
            # rebased, for good.
            _log.exception(
                "a variant could not be rebased", modified_file_id=file.id, exc_info=error
            )
            fault = BenchmarkManagerError(
                "internal_error", "The service made a mistake; its log says more."
            )
            return VariantRebase(file.id, "failed", file, fault)
