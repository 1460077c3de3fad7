"""The documentation names what is read from result files."""

import json
import re
from pathlib import Path
from typing import Final, get_args

from benchmark_manager.domain.results.metrics import LATENCIES, LENGTHS, OTHERS
from benchmark_manager.domain.results.parsing.collector import ProblemCode
from benchmark_manager.domain.results.parsing.parse import parse_result
from benchmark_manager.models.result import ToolName
from support.result_files import codes_of, values_of

_TEXT: Final = (Path(__file__).parents[3] / "docs" / "results.md").read_text()


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    section = _TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_of_metrics_is_complete() -> None:
    families = [
        (LATENCIES, "ms", "lower"),
        (LENGTHS, "tok", ""),
    ]
    expected = [
        [f"`{name}_…`", unit, better, meaning]
        for family, unit, better in families
        for name, meaning in family.items()
    ] + [
        [f"`{name}`", known.unit, known.direction or "", known.meaning]
        for name, known in OTHERS.items()
    ]
    assert _rows("Metrics") == expected


def test_the_table_of_tools_is_complete() -> None:
    assert [row[0] for row in _rows("Tools")] == [f"`{tool}`" for tool in get_args(ToolName)]


def test_the_table_of_problems_is_complete() -> None:
    named = {code for row in _rows("Problems") for code in re.findall(r"`(\w+)`", row[0])}
    assert named == set(get_args(ProblemCode))


def test_the_example_of_the_plain_form_is_read() -> None:
    example = re.search(r"```json\n(.*?)```", _TEXT, re.DOTALL)
    assert example is not None
    parsed = parse_result(example[1].encode(), "example.json")
    assert codes_of(parsed) == []
    assert values_of(parsed) == {"ttft_p99": 125, "output_throughput": 812.5, "accuracy": 0.71}
    assert json.loads(example[1])["tool_version"] == parsed.tool_version
