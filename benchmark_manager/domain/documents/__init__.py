"""YAML and JSON texts as trees with positions, their differences and values by path."""

from benchmark_manager.domain.documents.changes import (
    KeyChange,
    ValueRow,
    key_changes,
    rows_beside,
    value_rows,
    values_at,
)
from benchmark_manager.domain.documents.nodes import DocumentTree, Identities
from benchmark_manager.domain.documents.parse import UnreadableDocumentError, parse, try_parse

__all__ = [
    "DocumentTree",
    "Identities",
    "KeyChange",
    "UnreadableDocumentError",
    "ValueRow",
    "key_changes",
    "parse",
    "rows_beside",
    "try_parse",
    "value_rows",
    "values_at",
]
