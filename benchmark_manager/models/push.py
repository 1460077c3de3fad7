"""Pushes, as GitHub's webhooks report them."""

from benchmark_manager.models.record import Record


class PushedCommit(Record):
    """A commit of a push.

    `paths` are all that it added, modified or removed; None where they were not reported.
    """

    id: str | None
    paths: frozenset[str] | None


class Push(Record):
    """A push to one ref.

    `addresses` are the repository's, the most exact first. `commits` is None where none were
    listed. Of a ref that was created or deleted, `before` or `after` is all zeros. `after` is None
    where it was not reported.
    """

    addresses: tuple[str, ...]
    default_branch: str | None
    ref: str
    before: str
    after: str | None
    created: bool
    deleted: bool
    forced: bool
    commits: tuple[PushedCommit, ...] | None

    @property
    def branch(self) -> str | None:
        """The branch's name; None for a tag."""
        prefix = "refs/heads/"
        return self.ref.removeprefix(prefix) if self.ref.startswith(prefix) else None

    @property
    def is_of_tag(self) -> bool:
        return self.ref.startswith("refs/tags/")
