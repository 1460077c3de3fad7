"""What changed in a project since the cells of a sweep were made."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.models.sweep import SweptBase
from benchmark_manager.services.sweeps.moment import MomentReader, SweptFiles
from benchmark_manager.services.sweeps.reading import SweepReader
from benchmark_manager.services.sweeps.stores import SweepStores


@dataclass(frozen=True, slots=True)
class ChangedSweptFile:
    """A file that a sweep edits, before and now; `after` is None where it is gone."""

    path: str
    before: str
    after: str | None


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """The files that changed: those that the sweep edits, and the paths of the others."""

    edited: tuple[ChangedSweptFile, ...]
    others: tuple[str, ...]


class SweepChanges:
    """Compares the files of a sweep's generation with those of the project."""

    def __init__(self, stores: SweepStores, reader: SweepReader, moment: MomentReader) -> None:
        self._stores = stores
        self._reader = reader
        self._moment = moment

    async def since_made(self, principal: Principal, sweep_id: str) -> ChangedFiles:
        """Return what changed since the present generation of a sweep was made.

        Raises:
            NotFoundError, ForbiddenError
            InvalidInputError: `path_clash`.
        """
        sweep = await self._reader.stored(principal, sweep_id)
        before = await self._stores.releases.base_files(sweep.base_list_id)
        now = await self._moment.files_now(sweep.project_id, sweep.definition)
        others = await asyncio.to_thread(_others, before, now.listed.files, sweep.bases)
        return ChangedFiles(await self._edited(sweep.bases, now), others)

    async def _edited(
        self, before: Sequence[SweptBase], now: SweptFiles
    ) -> tuple[ChangedSweptFile, ...]:
        present = {base.alias: base.sha for base in now.bases}
        pairs = [(base, present.get(base.alias)) for base in before]
        pairs = [(base, sha) for base, sha in pairs if sha != base.sha]
        shas = [sha for base, after in pairs for sha in (base.sha, after) if sha is not None]
        texts = await self._stores.blobs.get_many(shas)
        return tuple(
            ChangedSweptFile(
                base.path,
                texts[base.sha].decode(),
                None if sha is None else texts[sha].decode(),
            )
            for base, sha in pairs
        )


def _others(
    before: Sequence[ReleaseFile], now: Sequence[ReleaseFile], edited: Sequence[SweptBase]
) -> tuple[str, ...]:
    """Return the paths of other files that were added, removed or changed."""
    old, new = _contents(before), _contents(now)
    swept = {base.path for base in edited}
    paths = sorted(old.keys() | new.keys())
    return tuple(path for path in paths if path not in swept and old.get(path) != new.get(path))


def _contents(files: Sequence[ReleaseFile]) -> Mapping[str, str]:
    return {file.path: file.sha for file in files}
