"""Read results: what is stored, with what a parser read and what they belong to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.result import ParsedResult, Result, ResultFilters, StoredResult
from benchmark_manager.services.results.cells import CellFinder
from benchmark_manager.services.results.named_releases import named_releases
from benchmark_manager.services.results.parsing import ResultParsing
from benchmark_manager.services.results.stores import ResultStores
from benchmark_manager.stores.database.database import Session

#: What errors call a result.
NOUN = "result"
#: Whole results in memory at once, and bytes of their files: objects take five times as much.
_PIECE: Final = 100
_PIECE_BYTES: Final = 1_000_000


class ResultReader:
    """Reads results whose projects exist and may be read."""

    def __init__(self, stores: ResultStores, parsing: ResultParsing) -> None:
        self._stores = stores
        self._parsing = parsing
        self._cells = CellFinder(stores)

    async def stored(
        self,
        principal: Principal,
        result_id: str,
        needed: Role,
        session: Session | None = None,
        *,
        deleted: bool = False,
    ) -> StoredResult:
        """Return what is stored of a result that is not in the trash, or of one that is.

        Raises:
            NotFoundError, ForbiddenError
        """
        result = await self._stores.results.get(result_id, session, deleted=deleted)
        principal.require(needed, result.project_id, noun=NOUN, id=result_id)
        try:
            await self._stores.projects.get(result.project_id, session)
        except NotFoundError:
            raise NotFoundError(NOUN, result_id) from None
        return result

    async def whole(self, stored: Sequence[StoredResult]) -> list[Result]:
        """Return results of one project with all that belongs to them."""
        return await self._with(stored, await self._parsing.of_many(stored))

    async def in_pieces(self, rows: Sequence[StoredResult]) -> AsyncIterator[list[Result]]:
        """Yield whole results of one project, few of which are in memory at once."""
        piece: list[StoredResult] = []
        size = 0
        for row in rows:
            if piece and (size + row.size > _PIECE_BYTES or len(piece) == _PIECE):
                yield await self.whole(piece)
                piece, size = [], 0
            piece.append(row)
            size += row.size
        if piece:
            yield await self.whole(piece)

    async def _with(
        self, stored: Sequence[StoredResult], parsed: Mapping[str, ParsedResult]
    ) -> list[Result]:
        """Return results with their receipts and cells, and with what was read from them."""
        if not stored:
            return []
        receipts = await self._stores.receipts.get_many(
            result.receipt_id for result in stored if result.receipt_id is not None
        )
        cells = await self._cells.newest(
            stored[0].project_id, (result.release for result in stored)
        )
        return [
            Result(
                **result.model_dump(exclude={"tool", "receipt_id"}),
                parsed=parsed.get(result.id, ParsedResult()),
                receipt=receipts.get(result.receipt_id or ""),
                sweep_id=cells[result.release].sweep_id if result.release in cells else None,
                cell_index=cells[result.release].index if result.release in cells else None,
            )
            for result in stored
        ]

    async def listed(
        self,
        principal: Principal,
        project_id: str,
        filters: ResultFilters,
        request: PageRequest,
    ) -> Page[Result]:
        """Return a page of a project's results, newest first, without points and problems.

        Raises:
            NotFoundError, InvalidInputError: as `page`.
        """
        found = await self.page(principal, project_id, filters, request)
        tools = await self._stores.results.parsed.tools([row.id for row in found.rows])
        rows = await self._with(found.rows, tools)
        return Page(tuple(rows), found.total, found.next_cursor)

    async def page(
        self,
        principal: Principal,
        project_id: str,
        filters: ResultFilters,
        request: PageRequest,
    ) -> Page[StoredResult]:
        """Return a page of what is stored of a project's results, newest first.

        Raises:
            NotFoundError: there is no such project, or it has no such release, sweep or cell.
            InvalidInputError: `invalid_cursor`, `digest_too_short`; `invalid_request` for a cell
                without its sweep.
            ConflictError: `digest_ambiguous`.
        """
        principal.require("reader", project_id)
        await self._stores.projects.get(project_id)
        digests = await self._digests(principal, project_id, filters)
        return await self._stores.results.page(project_id, filters, request, digests=digests)

    async def _digests(
        self, principal: Principal, project_id: str, filters: ResultFilters
    ) -> set[str] | None:
        """Return the releases that the filters leave; None where they restrict none."""
        if filters.cell_index is not None and filters.sweep_id is None:
            raise InvalidInputError("invalid_request", "cell_without_sweep", field="sweep")
        left: list[set[str]] = []
        if filters.releases:
            left.append(set(filters.releases))
        if filters.release is not None:
            store = self._stores.releases
            left.append(set(await named_releases(store, principal, project_id, [filters.release])))
        if filters.sweep_id is not None:
            left.append(await self._cells.digests(project_id, filters.sweep_id, filters.cell_index))
        return set.intersection(*left) if left else None

    def content(self, result: StoredResult) -> AsyncIterator[bytes]:
        """Yield the exact bytes of a result."""
        return self._stores.chunks.read(result.sha256, result.size)
