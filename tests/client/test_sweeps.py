"""The client's methods for sweeps, against a running service."""

import asyncio
from typing import Any

import pytest

from benchmark_manager.client import Client, RefusedError, Sweeps
from support.events import listening
from support.service import Service
from support.swept import sizes, swept_project


def life_of_a_sweep(url: str, project_id: str) -> dict[str, Any]:
    """Call every method once, as a user's program does."""
    with Client(url) as client:
        sweeps = Sweeps(client)
        request = {
            "format": "hydra",
            "text": "engine.max_num_seqs=128,256",
            "files": {"engine": "config/engine.yaml"},
        }
        imported = sweeps.import_definition(project_id, request)
        preview = sweeps.preview(project_id, imported["definition"])
        sweep = sweeps.create(project_id, imported["definition"])
        updated = sweeps.update(sweep["id"], sizes(256, 512), revision=sweep["revision"])
        with pytest.raises(RefusedError, match="revision"):
            sweeps.update(sweep["id"], sizes(1), revision=sweep["revision"])
        found = {
            "previewed": preview["cells_count"],
            "listed": [one["id"] for one in sweeps.of_project(project_id)] == [sweep["id"]],
            "drift": sweeps.get(sweep["id"])["drift"],
            "rebased": sweeps.rebase(sweep["id"])["revision"] - updated["revision"],
            "cells": [one["assignments"] for one in sweeps.cells(sweep["id"])],
            "with 512": [one["index"] for one in sweeps.cells(sweep["id"], axes={"seqs": 512})],
            "retired": len(list(sweeps.cells(sweep["id"], retired=True))),
            "changes": sweeps.cell(sweep["id"], 2)["changes"][0]["after"],
        }
        sweeps.delete(sweep["id"])
        return {**found, "left": list(sweeps.of_project(project_id))}


async def test_a_program_makes_reads_changes_and_deletes_a_sweep(service: Service) -> None:
    project = await swept_project(service)
    async with listening(service.app) as http:
        found = await asyncio.to_thread(life_of_a_sweep, str(http.base_url), project.id)
    # The import names the axis by the parameter, so that no cell is defined twice.
    assert found == {
        "previewed": 2,
        "listed": True,
        "drift": "current",
        "rebased": 0,
        "cells": [{"seqs": 256}, {"seqs": 512}],
        "with 512": [3],
        "retired": 2,
        "changes": 256,
        "left": [],
    }
