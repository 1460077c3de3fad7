"""Pure edits of results."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from benchmark_manager.errors import StaleError
from benchmark_manager.models.result import StoredResult

#: What records call the fields that change.
_CALLED: Final = {"labels": "labels", "note": "note", "receipt_id": "receipt"}


def expect_revision(result: StoredResult, expected: Collection[int] | None) -> None:
    """Accept a result at one of the `expected` revisions; None accepts any.

    Raises:
        StaleError
    """
    if expected is not None and result.revision not in expected:
        raise StaleError(result.revision)


def edited(
    result: StoredResult, *, labels: Mapping[str, str] | None, note: str | None
) -> StoredResult:
    """Return the result with other labels and another note; None keeps what it has."""
    given = {"labels": labels if labels is None else dict(labels), "note": note}
    changes = {
        name: value
        for name, value in given.items()
        if value is not None and value != getattr(result, name)
    }
    return _next(result, changes) if changes else result


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


def restored(result: StoredResult, receipt_id: str | None) -> StoredResult:
    """Return the result outside the trash, with this receipt where it has none."""
    return undeleted(result).model_copy(update={"receipt_id": result.receipt_id or receipt_id})


def deleted(result: StoredResult, *, at: datetime, by: str) -> StoredResult:
    """Return the result in the trash."""
    return _next(result, {"deleted_at": at, "deleted_by": by})


def undeleted(result: StoredResult) -> StoredResult:
    """Return the result outside the trash."""
    return _next(result, {"deleted_at": None, "deleted_by": None})


def _next(result: StoredResult, changes: Mapping[str, object]) -> StoredResult:
    return result.model_copy(update={**changes, "revision": result.revision + 1})
