"""Deliver the contents of releases as files, archives and ConfigMaps, and compare them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from benchmark_manager.domain.releases.archive import (
    ArchiveWriter,
    archive_length,
    check_archivable,
    new_archive,
)
from benchmark_manager.domain.releases.comparison import (
    ChangedFile,
    ReleaseComparison,
    affordable,
    compared,
)
from benchmark_manager.domain.releases.config_map import (
    check_config_map_name,
    check_config_map_size,
    config_map,
    config_map_keys,
)
from benchmark_manager.domain.releases.digest import sums_text
from benchmark_manager.errors import ConflictError, NotFoundError, TooComplexError
from benchmark_manager.models.release import ArchiveFormat, Release, ReleaseFile
from benchmark_manager.services.texts.text_work import changed_files
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import IN_AT_MOST
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.workers.pool import WorkerPool

#: Bytes of contents in memory while an archive is sent; one file may be larger.
_BATCH_BYTES: Final = 1024 * 1024
#: Bytes of both sides in which a comparison searches changes by key: 2 s for the densest YAML.
COMPARED_BYTES: Final = 512 * 1024
#: How many paths an error names.
_CANDIDATES: Final = 10


@dataclass(frozen=True, slots=True)
class ArchiveStream:
    """An archive that is being sent: its length, and its bytes."""

    length: int
    chunks: AsyncIterator[bytes]


class ReleaseDelivery:
    """Reads the contents of releases, and checks each against its SHA-256."""

    def __init__(
        self,
        releases: ReleaseStore,
        blobs: BlobStore,
        workers: WorkerPool,
        *,
        compared_bytes: int = COMPARED_BYTES,
    ) -> None:
        """`compared_bytes`: contents in which a comparison searches changes by key."""
        self._compared_bytes = compared_bytes
        self._releases = releases
        self._blobs = blobs
        self._workers = workers

    async def sums(self, release: Release) -> bytes:
        """Return the release's SHA256SUMS."""
        return await asyncio.to_thread(sums_text, await self._releases.files(release))

    async def file(self, release: Release, path: str) -> tuple[ReleaseFile, bytes]:
        """Return one file and its content.

        A path in another Unicode form is accepted where the release has one such file.

        Raises:
            NotFoundError
            ConflictError: `release_file_ambiguous`.
        """
        try:
            file = await self._releases.file(release, path)
        except NotFoundError:
            files = await self._releases.files(release)
            alike = await asyncio.to_thread(_with_equivalent_path, files, path)
            if not alike:
                raise
            if len(alike) > 1:
                raise _ambiguous(path, alike) from None
            [file] = alike
        return file, _checked(file, await self._blobs.get(file.sha))

    async def archive(self, release: Release, archive_format: ArchiveFormat) -> ArchiveStream:
        """Return the release as an archive, which is read from the database while it is sent.

        A failure after the first bytes ends the archive before its length is reached.

        Raises:
            InvalidInputError: `archive_path_unsafe`.
            KeyError: a content is missing.
            ValueError: one of the first contents is not what was released.
        """
        files = await self._releases.files(release)
        length = await asyncio.to_thread(_archivable, files, archive_format)
        await self._blobs.sha256s(file.sha for file in files)
        chunks = self._packed(files, archive_format)
        return ArchiveStream(length, _chained(await anext(chunks), chunks))

    async def _packed(
        self, files: Sequence[ReleaseFile], archive_format: ArchiveFormat
    ) -> AsyncIterator[bytes]:
        archive = new_archive(archive_format)
        for batch in _batches(files):
            contents = await self._blobs.get_many(file.sha for file in batch)
            yield await asyncio.to_thread(_added, archive, batch, contents)
        yield archive.end()

    async def config_map(self, release: Release, name: str | None) -> tuple[str, bytes]:
        """Return the name and the text of a ConfigMap; without a `name`, the digest gives it.

        Raises:
            InvalidInputError: `invalid_name`, `configmap_too_large`, `configmap_key_invalid`,
                `configmap_key_clash`.
        """
        chosen = f"release-{release.digest.partition(':')[2][:12]}" if name is None else name
        check_config_map_name(chosen)
        check_config_map_size(release.size)
        files = await self._releases.files(release)
        keys = config_map_keys(file.path for file in files)
        contents = await self._blobs.get_many(file.sha for file in files)
        return chosen, await asyncio.to_thread(_manifest, chosen, release, keys, files, contents)

    async def compare(self, before: Release, after: Release) -> ReleaseComparison:
        """Compare two releases; changes by key are searched in a limited number of bytes."""
        both = await self._releases.files(before), await self._releases.files(after)
        added, removed, changed = await asyncio.to_thread(compared, *both)
        searched = affordable(changed, self._compared_bytes)
        contents = await self._blobs.get_many(file.sha for pair in searched for file in pair)
        pairs = [
            (old.path, _checked(old, contents[old.sha]), _checked(new, contents[new.sha]))
            for old, new in searched
        ]
        found = {file.path: file for file in await self._changed_files(pairs)}
        rows = tuple(found.get(old.path) or ChangedFile(old.path, None) for old, _ in changed)
        return ReleaseComparison(added, removed, rows, complete=len(searched) == len(changed))

    async def _changed_files(self, pairs: Sequence[tuple[str, bytes, bytes]]) -> list[ChangedFile]:
        if not pairs:
            return []
        try:
            return await self._workers.run(changed_files, pairs)
        except TooComplexError:
            if len(pairs) == 1:
                return [ChangedFile(pairs[0][0], None)]
        half = len(pairs) // 2
        return await self._changed_files(pairs[:half]) + await self._changed_files(pairs[half:])


def _ambiguous(path: str, files: Sequence[ReleaseFile]) -> ConflictError:
    names = tuple(file.path for file in files[:_CANDIDATES])
    return ConflictError("release_file_ambiguous", path=path, names=names)


# The functions below run in threads, so that other requests are served meanwhile.


def _with_equivalent_path(files: Sequence[ReleaseFile], path: str) -> list[ReleaseFile]:
    """Return the files whose paths are canonically equivalent; their case must be the same."""
    composed = normalize("NFC", path)
    return [file for file in files if normalize("NFC", file.path) == composed]


def _archivable(files: Sequence[ReleaseFile], archive_format: ArchiveFormat) -> int:
    """Return the length of an archive of these files, whose paths are checked."""
    for file in files:
        check_archivable(file.path)
    return archive_length(archive_format, ((file.path, file.size) for file in files))


def _added(
    archive: ArchiveWriter, batch: Sequence[ReleaseFile], contents: Mapping[str, bytes]
) -> bytes:
    return b"".join(archive.add(file.path, _checked(file, contents[file.sha])) for file in batch)


def _manifest(
    name: str,
    release: Release,
    keys: Mapping[str, str],
    files: Sequence[ReleaseFile],
    contents: Mapping[str, bytes],
) -> bytes:
    data = {keys[file.path]: _checked(file, contents[file.sha]).decode() for file in files}
    return config_map(name, release.digest, data).encode()


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _checked(file: ReleaseFile, data: bytes) -> bytes:
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ValueError(f"the stored content {file.sha} is not what was released")
    return data


def _batches(files: Sequence[ReleaseFile]) -> Iterator[list[ReleaseFile]]:
    batch: list[ReleaseFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) >= IN_AT_MOST or size + file.size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch
