"""Errors for edits that fail."""

from collections.abc import Iterable
from typing import Final

from benchmark_manager.domain.edits import EditError
from benchmark_manager.errors import ConflictError, InvalidInputError
from benchmark_manager.models.sweep import SweptBase
from benchmark_manager.services.sweeps.editing import FailedEdit

#: How many paths an error names.
_NAMED: Final = 10
#: Characters of a path that an error repeats.
_SHOWN: Final = 300
#: Reasons of `path_not_found` that become others where there is a similar path.
_WITH_CLOSEST: Final = {"": "closest", "not_addable": "not_addable_closest"}


def refusal_of(failed: FailedEdit) -> InvalidInputError:
    """Return the error of a definition of which this edit fails."""
    error, file = failed.error, failed.base.path
    cell, path = failed.cell, error.path[:_SHOWN]
    match error.code:
        case "not_editable":
            return not_editable(error, file)
        case "path_ambiguous":
            return InvalidInputError("path_ambiguous", cell=cell, file=file, path=path)
        case "path_not_found":
            closest = "" if error.closest is None else error.closest[:_SHOWN]
            reason = _WITH_CLOSEST.get(error.reason, error.reason) if closest else error.reason
            return InvalidInputError(
                "path_not_found", reason, cell=cell, file=file, path=path, closest=closest
            )
        case "edit_not_possible":
            reason = "" if error.reason == "form" else error.reason
            return InvalidInputError("edit_not_possible", reason, cell=cell, file=file, path=path)


def not_editable(error: EditError, file: str) -> InvalidInputError:
    """Return the error of a file, by its path, that cannot be edited at all."""
    return InvalidInputError(
        "not_editable", "" if error.reason == "unreadable" else error.reason, file=file
    )


def conflict_of(removed: Iterable[SweptBase], failed: Iterable[FailedEdit]) -> ConflictError:
    """Return the error of a rebase that removed files, or edits that fail, prevent."""
    files = map(_named, removed)
    edits = [f"{one.base.path}:{one.error.path[:_SHOWN]}".rstrip(":") for one in failed]
    names = tuple(dict.fromkeys([*files, *edits]))
    return ConflictError("sweep_conflict", names=names[:_NAMED])


def _named(base: SweptBase) -> str:
    """Return the path of a file; with a variant's id, since its original may still be there."""
    if base.variant_id is None:
        return base.path
    return f"{base.path} (modified_file_id {base.variant_id})"
