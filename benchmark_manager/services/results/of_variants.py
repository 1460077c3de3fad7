"""The results of releases that contain a variant as it is now."""

from dataclasses import dataclass
from typing import Final

from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.result import Result, ResultFilters
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.results.reading import ResultReader
from benchmark_manager.services.results.stores import ResultStores

#: Releases that are searched: each lists all files of its project.
_SEARCHED: Final = 100


@dataclass(frozen=True, slots=True)
class VariantResults:
    """The newest results, and their releases; `is_cut` says that not all releases were searched."""

    results: tuple[Result, ...]
    releases: tuple[str, ...]
    is_cut: bool


class VariantResultReader:
    """Finds the results of variants."""

    def __init__(self, stores: ResultStores, reader: ResultReader) -> None:
        self._stores = stores
        self._reader = reader

    async def of(self, principal: Principal, variant: Variant, limit: int) -> VariantResults:
        """Return at most `limit` results of the releases that were measured last.

        Raises:
            NotFoundError: the principal may not read the variant's project.
        """
        principal.require("reader", variant.project_id)
        measured = await self._stores.results.last_measured(variant.project_id, _SEARCHED + 1)
        is_cut = len(measured) > _SEARCHED
        digests = await self._stores.releases.with_variant(
            measured[:_SEARCHED], variant.id, variant.content_sha
        )
        if not digests:
            return VariantResults((), (), is_cut)
        filters = ResultFilters(releases=tuple(digests))
        page = await self._reader.listed(
            principal, variant.project_id, filters, PageRequest(limit=limit)
        )
        return VariantResults(page.rows, tuple(digests), is_cut)
