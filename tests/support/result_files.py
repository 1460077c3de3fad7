"""Files in the forms that benchmark tools write; see tests/data/results/README.md."""

from pathlib import Path
from typing import Final

from benchmark_manager.domain.results.parsing.parse import parse_result
from benchmark_manager.models.result import ParsedResult

FOLDER: Final = Path(__file__).parents[1] / "data" / "results"
#: Paths of all of them, below the folder, as test ids.
NAMES: Final = sorted(
    path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*") if path.is_file()
)


def file_bytes(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def parsed_file(name: str) -> ParsedResult:
    return parse_result(file_bytes(name), Path(name).name)


def values_of(parsed: ParsedResult, point: str = "") -> dict[str, float]:
    """Return the values of the point with this label by their names."""
    return {
        name: metric.value
        for each in parsed.points
        if each.point == point
        for name, metric in each.metrics.items()
    }


def codes_of(parsed: ParsedResult) -> list[str]:
    return [problem.code for problem in parsed.problems]
