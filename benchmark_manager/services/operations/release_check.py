"""Checks the releases of a restored backup against their digests and contents."""

import asyncio
from collections.abc import Sequence

from benchmark_manager.domain.releases.derived import BaseList
from benchmark_manager.domain.releases.digest import release_digest
from benchmark_manager.errors import BackupError, NotFoundError
from benchmark_manager.models.release import Release, ReleaseFile
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.releases.releases import ReleaseStore


class ReleaseCheck:
    """Checks release after release; the files that many cells share are read once."""

    def __init__(self, releases: ReleaseStore, blobs: BlobStore) -> None:
        self._releases = releases
        self._blobs = blobs
        #: The last base list that was read, and its provenance.
        self._base: tuple[str, BaseList] | None = None

    async def check(self, release: Release) -> None:
        """Check that a release has its files, and each file its content.

        Raises:
            BackupError: `backup_damaged`.
        """
        for provenance in await self._releases.provenances(release):
            try:
                found = await self._releases.replacements(release, provenance)
                if found is None:
                    digest = await self._whole(release, provenance)
                else:
                    digest = await self._cell(release, *found)
            except (NotFoundError, KeyError):
                raise BackupError("backup_damaged", "release", digest=release.digest) from None
            if digest != release.digest:
                raise BackupError("backup_damaged", "release_files", digest=release.digest)

    async def _whole(self, release: Release, provenance: str) -> str:
        files = await self._releases.files(release, provenance)
        await self._check_contents(release, files)
        return await asyncio.to_thread(release_digest, files)

    async def _cell(
        self, release: Release, base_provenance: str, replacements: Sequence[ReleaseFile]
    ) -> str:
        if self._base is None or self._base[0] != base_provenance:
            files = await self._releases.base_files(base_provenance)
            await self._check_contents(release, files)
            self._base = base_provenance, await asyncio.to_thread(BaseList, files)
        await self._check_contents(release, replacements)
        derived = await asyncio.to_thread(self._base[1].with_replacements, replacements)
        if derived.files_count != release.files_count:
            raise NotFoundError("release", release.digest)
        return derived.digest

    async def _check_contents(self, release: Release, files: Sequence[ReleaseFile]) -> None:
        sums = await self._blobs.sha256s(file.sha for file in files)
        if any(sums[file.sha] != file.sha256 for file in files):
            raise BackupError("backup_damaged", "release_contents", digest=release.digest)
