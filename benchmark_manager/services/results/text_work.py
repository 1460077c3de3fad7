"""What worker processes do for results.

Functions here take and return values that can be pickled, and import nothing but rules, so that a
worker stays small.
"""

from benchmark_manager.domain.results.parsing.parse import parse_result
from benchmark_manager.models.result import ParsedResult, ToolName


def read_result(data: bytes, file_name: str, tool: ToolName | None) -> ParsedResult:
    """Return what a result file says."""
    return parse_result(data, file_name, tool)
