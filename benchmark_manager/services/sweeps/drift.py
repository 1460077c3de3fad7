"""Judge whether a sweep's cells are what a rebase would make now.

What a judgement needs is read at every request: the contents of the project's files, and for sweeps
of variants those. Files that no cell edits are compared by their contents. Only where an edited
file has changed, cells are edited again, in its old text and in the new one: as many as set every
value once. Judgements are remembered, so that this happens once for each new content of a file.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmark_manager.domain.sweeps.bases import others_id
from benchmark_manager.errors import TooComplexError
from benchmark_manager.models.sweep import Sweep, SweptBase
from benchmark_manager.models.variant import Drift, Variant
from benchmark_manager.services.sweeps.editing import format_of_base
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.services.sweeps.text_work import ChangedBase, rebase_effect
from benchmark_manager.stores.database.database import Session
from benchmark_manager.workers.caller import calling_as, each_task_alone
from benchmark_manager.workers.pool import WorkerPool

_REMEMBERED: Final = 10_000
#: Sweeps of one list that are judged at once.
_AT_ONCE: Final = 4
#: Files of all projects whose contents are known by their paths.
_FILES_KNOWN: Final = 200_000

_Question: TypeAlias = tuple[str, int, tuple[str, ...]]
"""A sweep, its revision, and the present contents of the files that it edits."""


@dataclass(frozen=True, slots=True)
class _Present:
    """The files of a project now: contents by path, and variants by id."""

    originals: Mapping[str, str]
    variants: Mapping[str, Variant]
    _others: dict[tuple[str, frozenset[str]], str] = field(default_factory=dict)

    def file_of(self, base: SweptBase) -> tuple[str, str] | None:
        """Return the path of a base's file and its blob id now; None of a lost variant."""
        if base.variant_id is None:
            return base.path, self.originals.get(base.path, "")
        variant = self.variants.get(base.variant_id)
        return None if variant is None else (variant.original_path, variant.content_sha)

    def others_id(self, sweep: Sweep) -> str:
        """Return the id of the contents of all files that a sweep does not edit."""
        swept = frozenset(base.path for base in sweep.bases)
        contents = sweep.definition.contents
        if (contents, swept) not in self._others:
            found = dict(self.originals)
            if contents == "all":
                found |= {one.path: one.content_sha for one in self.variants.values()}
            self._others[contents, swept] = others_id(found.items(), swept)
        return self._others[contents, swept]


class SweepDriftJudge:
    """Judges sweeps, and remembers its judgements."""

    def __init__(self, stores: SweepStores, workers: WorkerPool) -> None:
        self._stores = stores
        self._workers = workers
        self._known: OrderedDict[_Question, Drift] = OrderedDict()
        self._originals: OrderedDict[tuple[str, object], Mapping[str, str]] = OrderedDict()

    async def judged(self, sweeps: Sequence[Sweep]) -> list[Sweep]:
        """Return sweeps of one project with their drift.

        Raises:
            NotFoundError: the project was deleted.
            WorkersBusyError
        """
        if not sweeps:
            return []
        present = await self._present(sweeps[0].project_id, sweeps)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def judge(sweep: Sweep) -> Sweep:
            async with at_once:
                drift = await self._drift(sweep, present)
            return sweep.model_copy(update={"drift": drift})

        return list(await asyncio.gather(*map(judge, sweeps)))

    async def _present(self, project_id: str, sweeps: Sequence[Sweep]) -> _Present:
        needs_variants = any(
            sweep.definition.contents == "all"
            or any(base.variant_id is not None for base in sweep.bases)
            for sweep in sweeps
        )

        async def read(session: Session) -> _Present:
            originals = await self._contents(project_id, session)
            variants = (
                await self._stores.variants.of_project(project_id, session)
                if needs_variants
                else []
            )
            return _Present(originals, {variant.id: variant for variant in variants})

        return await self._stores.database.snapshot(read)

    async def _contents(self, project_id: str, session: Session) -> Mapping[str, str]:
        """Return the contents of the present originals by path."""
        state = await self._stores.projects.list_state(project_id, session)
        key = project_id, state
        if state is None or key not in self._originals:
            found = await self._stores.originals.contents(project_id, session)
            if state is None:
                return found
            self._originals[key] = found
            while len(self._originals) > 1 and self._count_known() > _FILES_KNOWN:
                self._originals.popitem(last=False)
        self._originals.move_to_end(key)
        return self._originals[key]

    def _count_known(self) -> int:
        return sum(map(len, self._originals.values()))

    async def _drift(self, sweep: Sweep, present: _Present) -> Drift:
        files = [present.file_of(base) for base in sweep.bases]
        now = [file for file in files if file is not None]
        if any(path not in present.originals for path, _ in now):
            return "upstream_removed"
        if len(now) < len(files):
            return "conflict"
        shas = tuple(sha for _, sha in now)
        drift = await self._edited_drift(sweep, shas)
        if drift != "current":
            return drift
        is_elsewhere = [path for path, _ in now] != [base.path for base in sweep.bases]
        others = await asyncio.to_thread(present.others_id, sweep)
        return "behind" if is_elsewhere or others != sweep.others_id else "current"

    async def _edited_drift(self, sweep: Sweep, shas: tuple[str, ...]) -> Drift:
        if shas == tuple(base.sha for base in sweep.bases):
            return "current"
        question = sweep.id, sweep.revision, shas
        if question not in self._known:
            self._known[question] = await self._edited_again(sweep, shas)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(question)
        return self._known[question]

    async def _edited_again(self, sweep: Sweep, shas: tuple[str, ...]) -> Drift:
        """Return what becomes of the cells when their files have these contents."""
        changed = [
            (base, sha) for base, sha in zip(sweep.bases, shas, strict=True) if base.sha != sha
        ]
        contents = await self._stores.blobs.get_many(
            {sha for base, now in changed for sha in (base.sha, now)}
        )
        bases = [
            ChangedBase(
                base.alias,
                format_of_base(base),
                contents[base.sha].decode(),
                contents[now].decode(),
            )
            for base, now in changed
        ]
        try:
            return await self._effect(bases, sweep)
        except TooComplexError:
            # A rebase would be refused for the same reason.
            return "conflict"

    async def _effect(self, bases: Sequence[ChangedBase], sweep: Sweep) -> Drift:
        size = sum(len(base.before) + len(base.after) for base in bases)
        seconds = self._workers.limits.seconds_for(size) / 2
        drift: Drift = "current"
        cell: int | None = 0
        while cell is not None:
            with calling_as(each_task_alone()):
                effect = await self._workers.run(
                    rebase_effect, bases, sweep.definition, cell, seconds
                )
            if effect.is_refused:
                return "conflict"
            if effect.changes_bytes:
                drift = "behind"
            cell = effect.next_cell
        return drift
