"""Reading original files. Only syncs write them."""

from collections.abc import Sequence
from typing import Final

from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.original import FileEntry, FileType, OriginalFile
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore

#: A list with contents is cut to a shorter page here, bytes: its reader follows the Link header.
CONTENT_BUDGET: Final = 16 * 1024 * 1024


class OriginalFileService:
    """Reads for people and runners."""

    def __init__(self, projects: ProjectStore, files: OriginalFileStore, blobs: BlobStore) -> None:
        self._projects = projects
        self._files = files
        self._blobs = blobs

    async def get(self, project_id: str, file_id: str) -> OriginalFile:
        """Return the original, unless it or its project is gone.

        Raises:
            NotFoundError
        """
        await self._projects.get(project_id)
        return await self._files.get(project_id, file_id)

    async def with_content(self, project_id: str, file_id: str) -> tuple[OriginalFile, bytes]:
        """Return the original and its content, unless it or its project is gone.

        Raises:
            NotFoundError
        """
        try:
            return await self._files.get_with_content(project_id, file_id)
        except NotFoundError:
            # Where the project is gone too, the reader is informed of that first.
            await self._projects.get(project_id)
            raise

    async def entries(self, project_id: str, folder: str = "") -> list[FileEntry]:
        """Return all of the project's originals, or of one folder, by path, in short.

        Raises:
            NotFoundError
        """
        await self._projects.get(project_id)
        return await self._files.entries(project_id, folder)

    async def content(self, file: OriginalFile) -> bytes:
        return await self._blobs.get(file.sha)

    async def contents(self, files: Sequence[OriginalFile]) -> dict[str, bytes]:
        """Return contents by blob id."""
        return await self._blobs.get_many(file.sha for file in files)

    async def page(
        self,
        project_id: str,
        request: PageRequest,
        *,
        file_type: FileType | None,
        query: str | None,
        include_removed: bool,
        content_budget: int | None,
    ) -> Page[OriginalFile]:
        """Return a page by path; it ends before its contents exceed `content_budget` bytes.

        Raises:
            NotFoundError, InvalidInputError
        """
        try:
            return await self._files.page(
                project_id,
                request,
                file_type=file_type,
                query=query,
                include_removed=include_removed,
                content_budget=content_budget,
            )
        except InvalidInputError:
            # Where the project is gone, the reader is informed of that first.
            await self._projects.get(project_id)
            raise
