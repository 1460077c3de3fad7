"""The guide's examples are read as it says."""

import re
from pathlib import Path

import pytest

from benchmark_manager.domain.sweeps.cells import planned_cells
from benchmark_manager.domain.sweeps.importing.conversion import imported_sweep
from benchmark_manager.domain.sweeps.importing.request import ImportRequest, ToolFormat
from benchmark_manager.models.sweep import SweptFile

GUIDE = Path(__file__).resolve().parents[4] / "docs/guides/sweep-imports.md"
EXAMPLES = re.findall(r"^```\w+\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("number", "tool", "cells"),
    [(0, "vllm", 2), (1, "llm-d", 6), (2, "llm-d", 4), (3, "hydra", 12), (4, "wandb", 4)],
)
def test_an_example_of_the_guide_is_taken_over_whole(
    number: int, tool: ToolFormat, cells: int
) -> None:
    names = re.findall(r"[\w.-]+", EXAMPLES[number])
    request = ImportRequest(
        format=tool, text=EXAMPLES[number], files=(SweptFile(alias="a", path="a.yaml"),), targets={}
    )
    # Any file that has a value for each word of the example.
    paths = {re.sub(r"\.(\d+)", r"[\1]", name) for name in names}
    found = imported_sweep(request, {"a": sorted(paths)})
    assert (len(planned_cells(found.definition).cells), found.notes) == (cells, ())


def test_every_example_of_the_guide_is_tried() -> None:
    assert len(EXAMPLES) == 5
