"""Why a person's decisions about a merge cannot be carried out.

    InvalidInputError
     + MergeUnresolvedError      conflicts are left without a decision
     + MergeResolutionError      a decision about what is no conflict, or one which cannot be made
     + MergeImpossibleError      the decisions do not make a text which says exactly that

Each carries the `code` and the `detail` which `api/http/problems` shows.
"""

from collections.abc import Sequence

from benchmark_manager.errors import InvalidInputError

_FIELD = "resolutions"


class MergeUnresolvedError(InvalidInputError):
    """Conflicts are left; `left` are their paths, None for each conflict of lines."""

    def __init__(self, left: Sequence[str | None]) -> None:
        count = len(left)
        super().__init__(
            "merge_unresolved",
            f"{count} {'conflict has' if count == 1 else 'conflicts have'} no decision yet; "
            "give one for every conflict of the merge.",
            field=_FIELD,
        )
        self.left = tuple(left)


class MergeResolutionError(InvalidInputError):
    """A decision is impossible, is a second one about its path, or its path has no conflict."""

    def __init__(self, path: str | None, reason: str) -> None:
        subject = "a conflict of lines" if path is None else repr(path[:200])
        super().__init__(
            "bad_resolution",
            f"The decision about {subject} cannot be taken: {reason}.",
            field=_FIELD,
        )
        self.path = path


class MergeImpossibleError(InvalidInputError):
    """What was decided cannot be written into theirs' text with certainty.

    The whole content is needed.
    """

    def __init__(self) -> None:
        super().__init__(
            "merge_impossible",
            "These decisions cannot be written into upstream's text with certainty; "
            "send the whole content instead.",
            field=_FIELD,
        )
