"""Shapes of the service's answers: the members that commands use, and their types.

An answer of another shape raises `UnreachableError` before any of it is used.
"""

import re
import sys
from dataclasses import dataclass
from typing import Final, TypeAlias

#: Integers of the API fit into 64 bits; a longer one cannot be shown in units.
_LARGEST: Final = 2**63
#: A longer integer cannot be formatted as a number with a point.
_LARGEST_NUMBER: Final = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Text:
    """A string that the regular expression matches as a whole."""

    pattern: str

    def matches(self, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number; Python reads JSON with `NaN` too."""

    def matches(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return abs(value) <= _LARGEST_NUMBER


@dataclass(frozen=True, slots=True)
class OrNull:
    """Null, or a value of `shape`."""

    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Members:
    """A dict with members of any names, each of which has `shape`."""

    shape: "Shape"


#: A type; a list with the shape of its rows; a dict with the shapes of the members that are needed.
Shape: TypeAlias = "type | Text | Number | OrNull | Members | list[Shape] | dict[str, Shape]"


def fits(value: object, shape: Shape) -> bool:
    """Return whether a JSON value has a shape; members that the shape does not name are ignored."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            name in value and fits(value[name], inner) for name, inner in shape.items()
        )
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(row, shape[0]) for row in value)
    if isinstance(shape, OrNull):
        return value is None or fits(value, shape.shape)
    if isinstance(shape, Members):
        return isinstance(value, dict) and all(fits(row, shape.shape) for row in value.values())
    if isinstance(shape, (Text, Number)):
        return shape.matches(value)
    return _is_integer(value) if shape is int else isinstance(value, shape)


def _is_integer(value: object) -> bool:
    return type(value) is int and abs(value) < _LARGEST


#: Ids and digests become parts of paths, so their form is checked.
ID: Final = Text("[0-9a-f]{24}")
DIGEST: Final = Text("sha256:[0-9a-f]{64}")

PROBLEM: Final[Shape] = {"code": str, "detail": str}

_LAST_SYNC: Final[Shape] = {
    "id": ID,
    "finished_at": str,
    "synced_files": int,
    "message": str,
    "commit_sha": OrNull(str),
}
PROJECT: Final[dict[str, Shape]] = {
    "id": ID,
    "name": str,
    "github_web_url": str,
    "resolved_branch": OrNull(str),
    "ref": OrNull({"kind": str, "name": str}),
    "sync_status": str,
    "paused": bool,
    "last_sync": OrNull(_LAST_SYNC),
}
PROJECT_DETAIL: Final[Shape] = {
    **PROJECT,
    "config_folder": str,
    "include": [str],
    "exclude": [str],
    "job_folder": str,
    "polling_interval": int,
    "github_token_set": bool,
    "error": OrNull({"detail": str, "code": str}),
    "next_poll_at": OrNull(str),
    "stats": {
        "original_files": int,
        "config_files": int,
        "job_files": int,
        "modified_files": int,
        "modified_files_by_drift": dict,
    },
}
PREVIEW: Final[Shape] = {
    "github_web_url": str,
    "default_branch": OrNull(str),
    "branches": [str],
    "more_branches": bool,
    "complete": bool,
    "more_folders": bool,
    "folders": [
        {
            "path": str,
            "yaml_files": int,
            "json_files": int,
            "likely_jobs": int,
            "as_config": {"skipped": int},
        },
    ],
    "selected": {
        "config_folder": str,
        "job_folder": str,
        "config_files": int,
        "job_files": int,
        "files_by_content": int,
        "skipped_files": int,
    },
}
FILE: Final[Shape] = {
    "id": ID,
    "name": str,
    "path": str,
    "file_type": str,
    "size": int,
    "validity": str,
    "commit_sha": str,
    "removed_at": OrNull(str),
    "modified_files_count": int,
}
FINDING: Final[Shape] = {
    "severity": str,
    "code": str,
    "message": str,
    "line": OrNull(int),
    "column": OrNull(int),
}
VARIANT: Final[dict[str, Shape]] = {
    "id": ID,
    "path": str,
    "original_path": str,
    "modified_name": str,
    "revision": int,
    "drift": str,
    "validity": str,
    "updated_at": str,
    "updated_by": str,
    "description": str,
    "base_sha": str,
    "problems": [FINDING],
}
VARIANT_WITH_CONTENT: Final[Shape] = {**VARIANT, "content": str}
TRASHED: Final[Shape] = {
    **VARIANT,
    "deleted_at": str,
    "deleted_by": str,
    "restorable_until": str,
}
REVISION: Final[Shape] = {
    "number": int,
    "what": str,
    "created_at": str,
    "created_by": str,
    "modified_name": str,
    "size": int,
    "base_commit_sha": str,
}
DIFF: Final[Shape] = {"changes": OrNull([{"path": str, "kind": str}])}
VARIANTS_TABLE: Final[Shape] = {
    "columns": [{"id": ID, "modified_name": str}],
    "rows": OrNull(
        [
            {
                "path": str,
                "original": object,
                "values": dict,
                "absent": [str],
                "upstream": [str],
                "base": dict,
                "base_absent": [str],
            }
        ]
    ),
    "kinds": Members(Members(str)),
}
CONFLICTS: Final[list[Shape]] = [
    {
        "path": OrNull(str),
        "line": OrNull(int),
        "absent": [str],
        "base": object,
        "theirs": object,
        "mine": object,
    }
]
MERGE: Final[Shape] = {"outcome": str, "content": OrNull(str), "conflicts": CONFLICTS}
REBASE_ALL: Final[dict[str, Shape]] = {
    "rebased": [ID],
    "conflicts": [ID],
    "unchanged": [ID],
    "failed": [{"id": str, "code": str, "detail": str}],
    "total": int,
    "next_cursor": OrNull(str),
    "left": [ID],
}
REBASE_PREVIEW: Final[Shape] = {
    **REBASE_ALL,
    "preview": [
        {
            "id": ID,
            "path": str,
            "revision": int,
            "outcome": str,
            "code": OrNull(str),
            "theirs_sha": OrNull(str),
            "changes": [{"path": str, "kind": str, "before": OrNull(str), "after": OrNull(str)}],
            "changes_count": OrNull(int),
            "conflicts": [OrNull(str)],
            "conflicts_count": int,
        }
    ],
}
OF_PROJECT: Final[Shape] = {"id": ID, "project_id": ID}
RELEASE: Final[dict[str, Shape]] = {
    "digest": DIGEST,
    "name": str,
    "description": str,
    "files_count": int,
    "size": int,
    "pinned": bool,
    "project_id": str,
    "created_at": str,
    "created_by": str,
}
RELEASE_DETAIL: Final[Shape] = {
    **RELEASE,
    "files": [
        {
            "path": str,
            "size": int,
            "source": str,
            "commit_sha": str,
            "modified_file_id": OrNull(str),
            "revision": OrNull(int),
            "sha256": str,
        }
    ],
}
COMPARISON: Final[Shape] = {
    "added": [str],
    "removed": [str],
    "changed": [{"path": str, "changes": OrNull([{"path": str, "kind": str}])}],
    "complete": bool,
}
_NOTES: Final[list[Shape]] = [{"code": str, "detail": str}]
_DEFINED: Final[dict[str, Shape]] = {
    "name": str,
    "description": str,
    "definition": dict,
    "notes": _NOTES,
    "cells_count": int,
    "base_commit_sha": OrNull(str),
}
SWEEP: Final[dict[str, Shape]] = {
    **_DEFINED,
    "id": ID,
    "project_id": ID,
    "generation": int,
    "revision": int,
    "created_at": str,
    "created_by": str,
    "updated_at": str,
    "drift": str,
}
_CHANGES: Final[list[Shape]] = [{"file": str, "path": str, "before": object, "after": object}]
CELL: Final[dict[str, Shape]] = {
    "index": int,
    "assignments": dict,
    "also": [dict],
    "digest": DIGEST,
    "validity": str,
    "problems": [{"severity": str, "code": str, "message": str, "file": str}],
    "retired": bool,
    "generation": int,
    "results_count": int,
}
CELL_DETAIL: Final[Shape] = {**CELL, "changes": _CHANGES, "unified": OrNull(str)}
SWEEP_PREVIEW: Final[Shape] = {**_DEFINED, "cells": [{**CELL, "changes": _CHANGES}]}
IMPORTED_SWEEP: Final[Shape] = {"definition": dict, "notes": _NOTES}
RECEIPT: Final[dict[str, Shape]] = {
    "id": ID,
    "status": str,
    "files": int,
    "differing": [str],
    "node": OrNull(str),
    "image_id": OrNull(str),
    "gpus": [str],
    "driver": OrNull(str),
    "at": str,
}
NEW_RECEIPT: Final[Shape] = {**RECEIPT, "release": DIGEST, "differing_count": int}
RESULT: Final[dict[str, Shape]] = {
    "id": ID,
    "project_id": ID,
    "release": DIGEST,
    "sweep_id": OrNull(ID),
    "cell_index": OrNull(int),
    "tool": str,
    "tool_version": OrNull(str),
    "file_name": str,
    "size": int,
    "sha256": str,
    "labels": Members(str),
    "note": str,
    "points": [
        {
            "point": str,
            "metrics": Members({"value": Number(), "unit": str, "direction": OrNull(str)}),
        }
    ],
    "problems": [FINDING],
    "receipt": OrNull(RECEIPT),
    "revision": int,
    "created_at": str,
    "created_by": str,
}
_METRIC_COLUMNS: Final[list[Shape]] = [{"name": str, "unit": str, "direction": OrNull(str)}]
RESULT_TABLE: Final[Shape] = {
    "columns": {
        "varied": [{"file": str, "path": str, "key": str}],
        "environment": [str],
        "metrics": _METRIC_COLUMNS,
    },
    "notices": _NOTES,
    "rows": [
        {
            "release": DIGEST,
            "release_name": str,
            "cell_index": OrNull(int),
            "assignments": dict,
            "point": str,
            "labels": dict,
            "varied": dict,
            "metrics": Members(
                {
                    "median": Number(),
                    "quartiles": [Number()],
                    "n": int,
                    "change_pct": OrNull(Number()),
                    "verdict": OrNull(str),
                }
            ),
            "pareto": OrNull(bool),
            "is_baseline": bool,
        }
    ],
    "pareto": OrNull([str]),
}
PROGRESS: Final[Shape] = {
    "status": str,
    "sync_id": OrNull(ID),
    "started_at": OrNull(str),
    "phase": OrNull(str),
    "files_fetched": int,
    "files_total": OrNull(int),
    "last_sync": OrNull({"id": ID, "finished_at": str}),
}
SYNC: Final[Shape] = {
    "status": str,
    "message": str,
    "error": OrNull({"detail": str, "code": str}),
    "changes": [{"change": str, "path": str, "previous_path": OrNull(str)}],
    "skipped": [{"path": str, "reason": str}],
    "warnings": [{"detail": str, "code": str}],
}
FOUND_FILE: Final[Shape] = {
    "file": {"id": ID, "path": str, "kind": str},
    "matches": [{"line": int, "column": int, "key": OrNull(str), "excerpt": str}],
}

ME: Final[Shape] = {"name": str, "role": str, "groups": [str], "via": str}
ACCOUNT: Final[Shape] = {
    "id": ID,
    "kind": str,
    "name": str,
    "role": str,
    "groups": [str],
    "disabled": bool,
}
TOKEN: Final[dict[str, Shape]] = {
    "id": ID,
    "name": str,
    "account": str,
    "role": str,
    "projects": object,
    "expires_at": str,
    "last_used_at": OrNull(str),
}
NEW_TOKEN: Final[Shape] = {**TOKEN, "token": str}
