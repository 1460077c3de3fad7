"""A sweep of two axes with results, in a project of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.measured_pages import MEASURED, MeasuredPages, plain, upload
from support.service import Service
from support.sweep_form import ENGINE_PATH, FILES
from support.unchanged_service import unchanged_service


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of a module, as its fixtures left it."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def measured(module_service: Service) -> MeasuredPages:
    module_service.repository("acme/measured", FILES)
    project = await module_service.synced("acme/measured", config_folder="config")
    definition = {
        "name": "night",
        "files": {"engine": ENGINE_PATH},
        "axes": [
            {"name": "seqs", "set": "engine:engine.max_num_seqs", "values": [128, 256]},
            {"name": "dtype", "set": "engine:engine.dtype", "values": ["auto", "fp16"]},
        ],
        "repeats": 4,
    }
    sweep = await module_service.post(f"/projects/{project['id']}/sweeps", definition, 201)
    rows = await module_service.rows(f"/sweeps/{sweep['id']}/cells")
    cells = [row["digest"] for row in rows]
    results = {
        index: [
            (await upload(module_service, cells[index], plain(ttft), labels='{"gpu": "H100"}'))[
                "id"
            ]
            for ttft in values
        ]
        for index, values in MEASURED.items()
    }
    return MeasuredPages(project["id"], sweep["id"], cells, results)
