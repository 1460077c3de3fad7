"""Take over definitions of other tools' sweeps."""

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.importing.conversion import Imported, imported_sweep
from benchmark_manager.domain.sweeps.importing.request import read_import
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.sweep import SweptFile
from benchmark_manager.services.sweeps.editing import format_of_base
from benchmark_manager.services.sweeps.moment import MomentReader
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.services.sweeps.text_work import settable_paths
from benchmark_manager.workers.pool import WorkerPool


class SweepImport:
    """Reads other tools' sweeps; nothing is stored."""

    def __init__(self, stores: SweepStores, moment: MomentReader, workers: WorkerPool) -> None:
        self._stores = stores
        self._moment = moment
        self._workers = workers

    async def imported(self, principal: Principal, project_id: str, value: JsonValue) -> Imported:
        """Return the definition that another tool's sweep is, and what was not taken over.

        Raises:
            NotFoundError, WorkersBusyError
            InvalidInputError: the request, or the tool's text, is not accepted.
        """
        principal.require("reader", project_id)
        request = await self._workers.run(read_import, value)
        paths = await self._paths(project_id, request.files)
        return await self._workers.run(imported_sweep, request, paths)

    async def _paths(self, project_id: str, files: tuple[SweptFile, ...]) -> dict[str, list[str]]:
        """Return the paths of all values of each file, by the files' aliases."""
        found = await self._moment.bases_now(project_id, files)
        bases = found.complete()
        contents = await self._stores.blobs.get_many(base.sha for base in bases)
        return {
            base.alias: await self._workers.run(
                settable_paths, contents[base.sha].decode(), format_of_base(base)
            )
            for base in bases
        }
