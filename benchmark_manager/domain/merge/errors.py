"""Why a person's decisions about a merge cannot be carried out.

    InvalidInputError
     + MergeUnresolvedError      conflicts are left without a decision
     + MergeResolutionError      a decision about what is no conflict, or one which cannot be made
     + MergeImpossibleError      the decisions do not make a text which says exactly that

Each carries a code and facts, for which `benchmark_manager.messages` has sentences.
"""

from collections.abc import Sequence

from benchmark_manager.errors import InvalidInputError

_FIELD = "resolutions"


class MergeUnresolvedError(InvalidInputError):
    """Conflicts are left; `left` are their paths, None for each conflict of lines."""

    def __init__(self, left: Sequence[str | None]) -> None:
        super().__init__("merge_unresolved", field=_FIELD, count=len(left))
        self.left = tuple(left)


class MergeResolutionError(InvalidInputError):
    """A decision is impossible, is a second one about its path, or its path has no conflict."""

    def __init__(self, path: str | None, reason: str) -> None:
        """Name the conflict by its `path`, None for one of lines, and the `reason`."""
        if path is None:
            super().__init__("bad_resolution", f"lines_{reason}", field=_FIELD)
        else:
            super().__init__("bad_resolution", reason, field=_FIELD, path=path[:200])
        self.path = path


class MergeImpossibleError(InvalidInputError):
    """What was decided cannot be written into theirs' text with certainty.

    The whole content is needed.
    """

    def __init__(self) -> None:
        super().__init__("merge_impossible", field=_FIELD)
