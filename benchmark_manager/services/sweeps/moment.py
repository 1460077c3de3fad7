"""Read the files of a project that cells are made from, all as they are at one moment."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.releases.derived import BaseList
from benchmark_manager.domain.releases.files import chosen, with_sums
from benchmark_manager.domain.sweeps.bases import (
    FoundBases,
    bases_now,
    bases_of_generation,
    others_id,
)
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.models.sweep import (
    Sweep,
    SweepDefinition,
    SweptBase,
    SweptFile,
)
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.projects.projects import ListState

#: Originals, of all projects, that are kept for the next preview, and files of generations: each
#: takes about 3 kB.
_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class ListedFiles:
    """All files of a release, by the bytes of their paths; what derives others from them.

    `base_list_id` is the id under which the list is stored.
    """

    files: Sequence[ReleaseFile]
    base_list: BaseList
    base_list_id: str

    @classmethod
    def of(cls, files: Sequence[ReleaseFile]) -> "ListedFiles":
        """Take a list, and hash it."""
        base_list = BaseList(files)
        return cls(files, base_list, base_list.provenance)


@dataclass(frozen=True, slots=True)
class SweptFiles:
    """What a generation's cells are made from.

    `found` are the files that are edited; `others_id` names the contents of the rest.
    """

    commit_sha: str | None
    listed: ListedFiles
    found: FoundBases
    others_id: str

    @property
    def bases(self) -> tuple[SweptBase, ...]:
        """The files that are edited."""
        return self.found.bases

    def are_as_in(self, sweep: Sweep) -> bool:
        """Return whether every file has the content from which a sweep's cells were made."""
        bases = [(base.path, base.sha) for base in self.bases]
        before = [(base.path, base.sha) for base in sweep.bases]
        return bases == before and self.others_id == sweep.others_id


@dataclass(frozen=True, slots=True)
class _Originals:
    """The originals of a project at one state, and the list of a release of them alone."""

    files: Sequence[OriginalFile]
    sha256s: Mapping[str, str]
    listed: ListedFiles


@dataclass(frozen=True, slots=True)
class _Read:
    """What one moment shows; `originals` are those that were kept, or were read."""

    commit_sha: str | None
    state: ListState
    originals: "_Originals | Sequence[OriginalFile]"
    variants: Sequence[Variant]


class MomentReader:
    """Reads all files of a project at one moment: no cell may have half of a sync.

    Originals are kept until a sync changes them, since a person who defines a sweep previews it
    again and again.
    """

    def __init__(self, stores: SweepStores) -> None:
        self._stores = stores
        self._kept: OrderedDict[tuple[str, ListState], _Originals] = OrderedDict()
        self._generations: OrderedDict[str, ListedFiles] = OrderedDict()

    async def bases_now(self, project_id: str, files: Sequence[SweptFile]) -> FoundBases:
        """Return files that a definition edits as they are now.

        Raises:
            NotFoundError: there is no such project.
            InvalidInputError: `invalid_request`.
        """
        found = await self._read(project_id, needs_variants=_have_variants(files))
        originals = await self._originals(project_id, found)
        return await asyncio.to_thread(bases_now, files, originals.files, found.variants)

    async def files_now(self, project_id: str, definition: SweepDefinition) -> SweptFiles:
        """Return the files that cells of a definition are made from now.

        Raises:
            NotFoundError: there is no such project.
            InvalidInputError: `invalid_request`, `path_clash`.
        """
        found = await self._read(project_id, needs_variants=_need_variants(definition))
        originals = await self._originals(project_id, found)
        bases = await asyncio.to_thread(
            bases_now, definition.files, originals.files, found.variants
        )
        listed = originals.listed
        if definition.contents == "all":
            kept = await asyncio.to_thread(chosen, originals.files, found.variants, "all", None)
            listed = await asyncio.to_thread(_listed, *kept, originals.sha256s)
        return await asyncio.to_thread(_swept, found.commit_sha, listed, bases)

    async def files_of_generation(self, sweep: Sweep, definition: SweepDefinition) -> SweptFiles:
        """Return the files that cells of a new definition are made from in the same generation.

        Raises:
            NotFoundError: there is no such project.
            InvalidInputError: `invalid_request`.
        """
        needs_variants = _need_variants(definition)
        found = await self._read(sweep.project_id, needs_variants=needs_variants)
        originals = await self._originals(sweep.project_id, found)
        listed = await self._of_generation(sweep.base_list_id)
        bases = await asyncio.to_thread(
            bases_of_generation,
            definition,
            sweep.bases,
            listed.files,
            originals.files,
            found.variants,
        )
        return await asyncio.to_thread(_swept, sweep.base_commit_sha, listed, bases)

    async def _of_generation(self, base_list_id: str) -> ListedFiles:
        """Return the files of a generation, which never change."""
        if base_list_id not in self._generations:
            files = await self._stores.releases.base_files(base_list_id)
            self._generations[base_list_id] = await asyncio.to_thread(ListedFiles.of, files)
        listed = self._generations[base_list_id]
        self._generations.move_to_end(base_list_id)
        while sum(len(one.files) for one in self._generations.values()) > _KEPT:
            self._generations.popitem(last=False)
        return listed

    async def _read(self, project_id: str, *, needs_variants: bool) -> _Read:
        async def read(session: Session) -> _Read:
            project = await self._stores.projects.get(project_id, session)
            state = await self._stores.projects.list_state(project_id, session)
            originals: _Originals | Sequence[OriginalFile] | None
            originals = self._kept.get((project_id, state))
            if originals is None:
                originals = await self._stores.originals.present(project_id, session)
            variants = (
                await self._stores.variants.of_project(project_id, session)
                if needs_variants
                else []
            )
            return _Read(project.state.head_sha, state, originals, variants)

        return await self._stores.database.snapshot(read)

    async def _originals(self, project_id: str, found: _Read) -> _Originals:
        if isinstance(found.originals, _Originals):
            return found.originals
        files = found.originals
        sha256s = await self._stores.blobs.sha256s(file.sha for file in files)
        listed = await asyncio.to_thread(_listed, files, {}, sha256s)
        originals = _Originals(files, sha256s, listed)
        if found.state is not None and len(files) <= _KEPT:
            self._kept[project_id, found.state] = originals
            while sum(len(one.files) for one in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
        return originals


def _need_variants(definition: SweepDefinition) -> bool:
    return definition.contents == "all" or _have_variants(definition.files)


def _have_variants(files: Sequence[SweptFile]) -> bool:
    return any(file.variant_id is not None for file in files)


def _listed(
    originals: Sequence[OriginalFile],
    variants: Mapping[str, Variant],
    sha256s: Mapping[str, str],
) -> ListedFiles:
    return ListedFiles.of(with_sums(originals, variants, sha256s))


def _swept(commit_sha: str | None, listed: ListedFiles, found: FoundBases) -> SweptFiles:
    swept = {base.path for base in found.bases}
    others = others_id(((file.path, file.sha) for file in listed.files), swept)
    return SweptFiles(commit_sha, listed, found, others)
