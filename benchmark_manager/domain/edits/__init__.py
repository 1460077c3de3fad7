"""Set values of a YAML or JSON text by path, and change nothing else."""

from benchmark_manager.domain.edits.assignments import Assignment
from benchmark_manager.domain.edits.editing import EditableText
from benchmark_manager.domain.edits.errors import EditError
from benchmark_manager.domain.edits.settable import SettableValue

__all__ = ["Assignment", "EditError", "EditableText", "SettableValue"]
