"""The names that people give branches, tags and commits.

Sources: gitrevisions(7) and git-check-ref-format(1). GitHub refuses branches and tags named like a
    whole commit id.
"""

import re
from typing import Final

from benchmark_manager.domain.git.objects import is_object_id
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import Ref, RefKind

_HEADS: Final = "refs/heads/"
_TAGS: Final = "refs/tags/"
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
#: GitHub's limit, in bytes.
_LONGEST: Final = 255
_SHORT_ID: Final = re.compile(r"[0-9A-Fa-f]{4,39}")


def check_branch(branch: str) -> None:
    """Accept a name that git accepts for a branch.

    Raises:
        InvalidInputError: `invalid_branch`.
    """
    if not _is_ref_name(branch):
        raise InvalidInputError("invalid_branch", "name", field="branch")


def _is_ref_name(name: str) -> bool:
    """Return whether git accepts this name for a branch or a tag."""
    segments = name.split("/")
    return not (
        not name
        or _FORBIDDEN.search(name)
        or name in {"@", "HEAD"}
        or name.endswith(".")
        or name.startswith("-")
        or any(s == "" or s.startswith(".") or s.endswith(".lock") for s in segments)
        or len(name.encode("utf-8", "replace")) > _LONGEST
    )


def branch_name(text: str) -> str:
    """Return NAME for `refs/heads/NAME` and `heads/NAME`, else the text.

    Git too tries `refs/` before `refs/heads/`. So a branch that is really called `heads/x` is given
    as `refs/heads/heads/x`.
    """
    return _without(text, _HEADS)


def ref_of_branch(text: str) -> Ref:
    """Return the branch that a person names without its kind.

    Raises:
        InvalidInputError: `invalid_branch`, also for a name that can only be a tag or a commit.
    """
    if is_object_id(text.lower()):
        raise InvalidInputError("invalid_branch", "commit", field="branch")
    if text.startswith("refs/") and not text.startswith(_HEADS):
        raise InvalidInputError("invalid_branch", "full_name", field="branch")
    name = branch_name(text)
    check_branch(name)
    return Ref.of_branch(name)


def ref_of(kind: RefKind, name: str) -> Ref:
    """Return the ref that a person gives with its kind.

    Raises:
        InvalidInputError: `invalid_ref`.
    """
    if kind == "commit":
        return Ref(kind=kind, name=_commit_id(name))
    plain = _without(name, _HEADS if kind == "branch" else _TAGS)
    if (plain == name and name.startswith("refs/")) or is_object_id(name.lower()):
        raise InvalidInputError("invalid_ref", "other_kind", field="ref", kind=kind)
    if not _is_ref_name(plain):
        raise InvalidInputError("invalid_ref", "name", field="ref", kind=kind)
    return Ref(kind=kind, name=plain)


def _commit_id(text: str) -> str:
    sha = text.lower()
    if is_object_id(sha):
        return sha
    if _SHORT_ID.fullmatch(text):
        raise InvalidInputError("invalid_ref", "short_id", field="ref")
    raise InvalidInputError("invalid_ref", "no_id", field="ref")


def ref_of_stored_branch(text: str) -> Ref:
    """Return the ref that versions before 0.2 stored as a branch, which may also be a commit."""
    if is_object_id(text):
        return Ref(kind="commit", name=text)
    return Ref.of_branch(branch_name(text))


def _without(text: str, prefix: str) -> str:
    """Return the text without `refs/heads/` or `heads/`, or the same of tags."""
    if text.startswith(prefix):
        return text.removeprefix(prefix)
    return text.removeprefix(prefix.removeprefix("refs/"))
