"""YAML and JSON texts as trees with positions, their differences and values by path."""

from benchmark_manager.domain.documents.changes import (
    KeyChange,
    key_changes,
    values_at,
)
from benchmark_manager.domain.documents.nodes import DocumentTree, Identities
from benchmark_manager.domain.documents.parse import UnreadableDocumentError, parse, try_parse
from benchmark_manager.domain.documents.three_ways import (
    RowsTogether,
    ThreeWayRow,
    ThreeWayRows,
    VariedBy,
    compare_three_ways,
    compare_together,
    varied_by,
)

__all__ = [
    "DocumentTree",
    "Identities",
    "KeyChange",
    "RowsTogether",
    "ThreeWayRow",
    "ThreeWayRows",
    "UnreadableDocumentError",
    "VariedBy",
    "compare_three_ways",
    "compare_together",
    "key_changes",
    "parse",
    "try_parse",
    "values_at",
    "varied_by",
]
