"""Pure edits of results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.unset import UNSET, Unset, given_or
from benchmark_manager.models.result import StoredResult, ToolName

#: What records call the fields that change.
_CALLED: Final = {
    "labels": "labels",
    "note": "note",
    "chosen_tool": "tool",
    "file_name": "file_name",
    "receipt_id": "receipt",
}
#: What a restored result takes over from the upload that restores it.
_TAKEN_OVER: Final = ("chosen_tool", "file_name", "labels", "note")


@dataclass(frozen=True, slots=True)
class ResultChanges:
    """What is to change in a result: labels and a note that are None stay, a tool that is UNSET.

    Without a tool (None), the content of the file decides.
    """

    labels: Mapping[str, str] | None = None
    note: str | None = None
    tool: ToolName | Unset | None = UNSET


def edited(result: StoredResult, changes: ResultChanges) -> StoredResult:
    """Return the result with what the changes give, or as it is where that is the same."""
    wanted = {
        "labels": result.labels if changes.labels is None else dict(changes.labels),
        "note": result.note if changes.note is None else changes.note,
        "chosen_tool": given_or(changes.tool, result.chosen_tool),
    }
    after = result.model_copy(update=wanted)
    return result if after == result else _next(after, {})


def is_read_alike(one: StoredResult, other: StoredResult) -> bool:
    """Return whether the same is read from two revisions of a result."""
    return (one.chosen_tool, one.file_name) == (other.chosen_tool, other.file_name)


def changed_fields(before: StoredResult, after: StoredResult) -> tuple[str, ...]:
    """Return the names of the fields in which two revisions differ."""
    return tuple(
        called for name, called in _CALLED.items() if getattr(before, name) != getattr(after, name)
    )


def with_receipt(result: StoredResult, receipt_id: str | None) -> StoredResult:
    """Return the result with this receipt, or as it is: where it has one, or with None."""
    if receipt_id is None or result.receipt_id is not None:
        return result
    return _next(result, {"receipt_id": receipt_id})


def restored(result: StoredResult, upload: StoredResult) -> StoredResult:
    """Return the result outside the trash as an upload of the same bytes describes it.

    A receipt that it has stays.
    """
    taken_over = {name: getattr(upload, name) for name in _TAKEN_OVER}
    receipt_id = result.receipt_id or upload.receipt_id
    return undeleted(result).model_copy(update={**taken_over, "receipt_id": receipt_id})


def deleted(result: StoredResult, *, at: datetime, by: str) -> StoredResult:
    """Return the result in the trash."""
    return _next(result, {"deleted_at": at, "deleted_by": by})


def undeleted(result: StoredResult) -> StoredResult:
    """Return the result outside the trash."""
    return _next(result, {"deleted_at": None, "deleted_by": None})


def _next(result: StoredResult, changes: Mapping[str, object]) -> StoredResult:
    return result.model_copy(update={**changes, "revision": result.revision + 1})
