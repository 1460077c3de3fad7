"""YAML and JSON texts as trees with positions, their differences and values by path."""

from benchmark_manager.domain.documents.changes import (
    KeyChange,
    ValueRow,
    key_changes,
    rows_beside,
    value_rows,
    values_at,
)
from benchmark_manager.domain.documents.nodes import Identities, Tree
from benchmark_manager.domain.documents.parse import UnreadableError, parse, try_parse

__all__ = [
    "Identities",
    "KeyChange",
    "Tree",
    "UnreadableError",
    "ValueRow",
    "key_changes",
    "parse",
    "rows_beside",
    "try_parse",
    "value_rows",
    "values_at",
]
