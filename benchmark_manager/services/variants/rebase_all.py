"""Rebase many variants with one request, each in its own transaction, and report each."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.variants.rebase_outline import (
    NO_OUTLINE,
    RebaseOutline,
    outline_of_changes,
    outline_of_conflicts,
)
from benchmark_manager.errors import (
    BenchmarkManagerError,
    FaultError,
    MergeConflictError,
    NotFoundError,
    TooComplexError,
    WorkersBusyError,
)
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.variant import Drift, Variant
from benchmark_manager.services.variants.contents import VariantContents
from benchmark_manager.services.variants.merging import MergePreview, MergeService, expect_original
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.stores.variants.variants import VariantFilter, cursor_after
from benchmark_manager.workers.caller import Caller, calling_as, current_caller
from benchmark_manager.workers.pool import WorkerPool

_log = structlog.get_logger(__name__)

#: The drifts of variants that are rebased, or reported to be in conflict. A conflict is judged
#: again: a newer version may merge it.
_REBASED: Final[frozenset[Drift]] = frozenset({"behind", "conflict"})
#: Variants that are listed at once.
_LISTED: Final = 100

RebaseOutcome = Literal["rebased", "conflict", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class ChosenVariant:
    """A variant to rebase, if it and its original are still as a preview reported them."""

    id: str
    revision: int
    theirs_sha: str


@dataclass(frozen=True, slots=True)
class RebaseSelection:
    """Which variants of a project to rebase: the `chosen` ones, else all whose originals changed.

    With `original_file_id`, only those of this original.
    """

    original_file_id: str | None = None
    chosen: Sequence[ChosenVariant] | None = None


@dataclass(frozen=True, slots=True)
class VariantRebase:
    """The result of rebasing one variant, or of previewing that.

    `file` is None where there is no such variant any more.
    """

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
    """The results of one call.

    `total` is the number of variants in the selection when the call began. `next_cursor` leads to
    the variants that remain, None where none do. `left` are the ids of chosen variants for which
    the time was too short.
    """

    variants: tuple[VariantRebase, ...]
    total: int
    next_cursor: str | None
    left: tuple[str, ...] = ()

    def ids(self, outcome: RebaseOutcome) -> list[str]:
        """Return the ids of the variants with this outcome."""
        return [variant.id for variant in self.variants if variant.outcome == outcome]


_Step = Callable[[Variant, ChosenVariant | None], Awaitable[VariantRebase]]


class RebaseAllService:
    """Rebases variants one after the other, or previews that.

    A failure of one does not stop the others. No state is kept between calls: a call that ends
    early leaves each variant consistent, and the next call continues with the remaining ones.
    """

    def __init__(
        self,
        stores: VariantStores,
        contents: VariantContents,
        merging: MergeService,
        workers: WorkerPool,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stores = stores
        self._contents = contents
        self._merging = merging
        self._workers = workers
        self._monotonic = monotonic

    async def rebase(
        self,
        principal: Principal,
        project_id: str,
        selection: RebaseSelection,
        request: PageRequest,
        *,
        seconds: float,
    ) -> RebaseReport:
        """Rebase every variant of the selection that merges without conflicts.

        Args:
            principal: who rebases.
            project_id: the project's id.
            selection: which variants.
            request: how many variants at most, and the cursor to continue at.
            seconds: no variant is started after this time.

        Raises:
            NotFoundError: there is no such project or original.
            ForbiddenError
            InvalidInputError: `invalid_cursor`.
        """
        principal.require("editor", project_id)

        async def step(file: Variant, chosen: ChosenVariant | None) -> VariantRebase:
            rebased = await self._merging.rebase(
                principal,
                file.id,
                expected_original=None if chosen is None else chosen.theirs_sha,
                expected_revisions=None if chosen is None else {chosen.revision},
            )
            return VariantRebase(
                file.id, "rebased" if rebased.made_revision else "unchanged", rebased.after
            )

        return await self._each(project_id, selection, request, seconds, step)

    async def preview(
        self,
        principal: Principal,
        project_id: str,
        selection: RebaseSelection,
        request: PageRequest,
        *,
        seconds: float,
    ) -> RebaseReport:
        """Report what `rebase` would do now, with the same arguments and errors.

        It takes a reader of the project only.
        """
        principal.require("reader", project_id)

        async def step(file: Variant, chosen: ChosenVariant | None) -> VariantRebase:
            preview = await self._merging.preview(principal, file.id)
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
            await self._contents.check(file, merged.encode(), allow_invalid=False)
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
        await self._stores.projects.get(project_id)
        if selection.chosen is not None:
            return await self._each_chosen(project_id, selection.chosen, step, ends_at)
        if selection.original_file_id is not None:
            await self._stores.originals.get(project_id, selection.original_file_id)
        return await self._each_changed(
            project_id, selection.original_file_id, request, step, ends_at
        )

    async def _each_changed(
        self,
        project_id: str,
        original_file_id: str | None,
        request: PageRequest,
        step: _Step,
        ends_at: float,
    ) -> RebaseReport:
        """Process the variants whose originals changed, by path.

        The cursor stays valid although rebased variants leave the list.
        """
        done: list[VariantRebase] = []
        cursor, total = request.cursor, None
        wanted = VariantFilter(original_file_id, drifts=_REBASED)
        while True:
            some = PageRequest(min(request.limit - len(done), _LISTED), cursor)
            page = await self._stores.variants.page(project_id, some, wanted)
            total = page.total if total is None else total
            for file in page.rows:
                if done and self._monotonic() >= ends_at:
                    return RebaseReport(tuple(done), total, cursor)
                outcome = await self._outcome(file, None, step)
                if done and isinstance(outcome.error, WorkersBusyError):
                    return RebaseReport(tuple(done), total, cursor)
                done.append(outcome)
                cursor = cursor_after(file)
            if page.next_cursor is None or len(done) >= request.limit:
                return RebaseReport(tuple(done), total, page.next_cursor)

    async def _each_chosen(
        self, project_id: str, chosen: Sequence[ChosenVariant], step: _Step, ends_at: float
    ) -> RebaseReport:
        """Process the chosen variants in their order, at least the first; leave the late ones."""
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
            file = await self._stores.variants.get(variant.id)
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
            # A fault that one text causes would otherwise keep all variants after it from being
            # rebased, at every call.
            _log.exception(
                "a variant could not be rebased", modified_file_id=file.id, exc_info=error
            )
            return VariantRebase(file.id, "failed", file, FaultError())
