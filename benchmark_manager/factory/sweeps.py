"""Builds the services of sweeps."""

from dataclasses import dataclass

from benchmark_manager.factory.parts import Parts
from benchmark_manager.services.sweeps.drafting import SweepDrafting
from benchmark_manager.services.sweeps.drift import SweepDriftJudge
from benchmark_manager.services.sweeps.editing import CellEditor
from benchmark_manager.services.sweeps.importing import SweepImport
from benchmark_manager.services.sweeps.making import CellMaker
from benchmark_manager.services.sweeps.moment import MomentReader
from benchmark_manager.services.sweeps.reading import BaseValues, SweepReader
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.services.sweeps.sweeps import CellParts, SweepService
from benchmark_manager.services.sweeps.upstream import SweepChanges
from benchmark_manager.services.sweeps.writing import SweepWriter


@dataclass(frozen=True, slots=True)
class SweepParts:
    """The services of sweeps."""

    sweeps: SweepService
    reader: SweepReader
    drafting: SweepDrafting
    changes: SweepChanges
    imports: SweepImport


def sweep_parts(parts: Parts) -> SweepParts:
    """Build everything that reads and changes sweeps."""
    stores, workers = _stores(parts), parts.workers
    editor = CellEditor(workers, max_file_size=parts.settings.max_file_size)
    maker = CellMaker(stores, editor, parts.validation)
    values = BaseValues(stores, workers)
    judge = SweepDriftJudge(stores, workers)
    reader = SweepReader(stores, judge, values, workers)
    writer = SweepWriter(stores, record=parts.audit)
    moment = MomentReader(stores)
    made_by = CellParts(moment, maker, values, workers)
    return SweepParts(
        SweepService(reader, writer, made_by, clock=parts.clock),
        reader,
        SweepDrafting(stores, workers),
        SweepChanges(stores, reader, moment),
        SweepImport(stores, moment, workers),
    )


def _stores(parts: Parts) -> SweepStores:
    stores = parts.stores
    return SweepStores(
        database=parts.database,
        projects=stores.projects,
        originals=stores.originals,
        variants=stores.variants,
        blobs=stores.blobs,
        problems=stores.problems,
        releases=stores.releases,
        sweeps=stores.sweeps,
        cells=stores.sweep_cells,
        results=stores.results,
    )
