"""Builds the services of results."""

from dataclasses import dataclass
from datetime import timedelta

from benchmark_manager.factory.parts import Parts
from benchmark_manager.factory.receipts import receipt_service
from benchmark_manager.services.results.of_variants import VariantResultReader
from benchmark_manager.services.results.parsing import ResultParsing
from benchmark_manager.services.results.reading import ResultReader
from benchmark_manager.services.results.receipts import ReceiptService
from benchmark_manager.services.results.results import ResultService
from benchmark_manager.services.results.stores import ResultStores
from benchmark_manager.services.results.table import ResultTableService
from benchmark_manager.services.results.table_stores import TableStores
from benchmark_manager.services.results.upkeep import ResultUpkeep
from benchmark_manager.services.results.uploading import ResultUploading


@dataclass(frozen=True, slots=True)
class ResultParts:
    """The services of results."""

    results: ResultService
    tables: ResultTableService
    of_variants: VariantResultReader
    receipts: ReceiptService
    upkeep: ResultUpkeep


def result_parts(parts: Parts) -> ResultParts:
    """Build everything that keeps, reads and compares results."""
    stores, settings = _stores(parts), parts.settings
    receipts = receipt_service(parts)
    parsing = ResultParsing(stores.results, stores.chunks, parts.workers)
    uploading = ResultUploading(
        stores,
        parsing,
        receipts,
        max_size=settings.max_result_size,
        clock=parts.clock,
        record=parts.audit,
    )
    reader = ResultReader(stores, parsing)
    return ResultParts(
        ResultService(stores, reader, parsing, uploading, clock=parts.clock, record=parts.audit),
        ResultTableService(_table_stores(parts), parts.workers),
        VariantResultReader(stores, reader),
        receipts,
        ResultUpkeep(
            stores,
            parsing,
            retention=timedelta(days=settings.trash_retention_days),
            record=parts.audit,
        ),
    )


def _stores(parts: Parts) -> ResultStores:
    stores = parts.stores
    return ResultStores(
        database=parts.database,
        projects=stores.projects,
        releases=stores.releases,
        sweeps=stores.sweeps,
        cells=stores.sweep_cells,
        results=stores.results,
        chunks=stores.result_chunks,
        receipts=stores.receipts,
    )


def _table_stores(parts: Parts) -> TableStores:
    stores = parts.stores
    return TableStores(
        projects=stores.projects,
        results=stores.results,
        releases=stores.releases,
        sweeps=stores.sweeps,
        cells=stores.sweep_cells,
        blobs=stores.blobs,
    )
