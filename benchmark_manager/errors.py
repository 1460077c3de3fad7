"""Every error that the service raises on purpose.

    BenchmarkManagerError
     + StartError                     the service cannot start; one readable line
     + NotFoundError                  404
     + ConflictError                  409
     |  + MergeConflictError          409, with the places where a person must decide
     + StaleError                     412
     + InvalidInputError              422, with the fields at fault
     |  + InvalidContentError         422, with the problems' lines and columns
     |  + TooComplexError             422, a text which took too much time or memory
     + SignatureError                 401, a webhook which the secret did not sign
     + TokenUnreadableError           a stored token that no key opens, or of another repository
     + StorageError                   the database is there but cannot take a write
     + BackupError                    a backup cannot be taken, or not be restored
     + BusyError                      this process has no place for one more
     + WorkersBusyError               no worker process was free in time
     + TooManyListenersError          one address listens to events as often as it may
     + StoppingError                  the service stops before it did what was asked
     + LeaseLostError                 another replica took the project over
     + ChangesLostError               what changed since cannot be told any more
     + SourceChangedError             the project's address changed while it was synced
     + GitHubError                    anything that a sync can fail with
        + GitHubActionError           a person must act: the project shows `failing`
        + GitHubRateLimitedError      the limit is used up until `retry_at`
        + GitHubUnavailableError      GitHub fails or answers nonsense

Each carries a stable `code`. None knows HTTP: `api/http/problems` chooses the status.
"""

from collections.abc import Sequence
from datetime import datetime


class BenchmarkManagerError(Exception):
    """Base of all; `code` is stable, `detail` says in one sentence what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class StartError(BenchmarkManagerError):
    """The service cannot start; the command line prints `detail` and exits with 1."""

    def __init__(self, detail: str) -> None:
        super().__init__("start_failed", detail)


class NotFoundError(BenchmarkManagerError):
    """Nothing has this id, for this reader."""

    def __init__(self, noun: str, resource_id: str) -> None:
        super().__init__(
            f"{noun.replace(' ', '_')}_not_found", f"There is no {noun} {resource_id[:100]!r}."
        )


class ConflictError(BenchmarkManagerError):
    """What was asked for contradicts what is stored."""


class MergeConflictError(ConflictError):
    """A merge which a person must decide; `conflicts` are `models.merge.MergeConflict`s."""

    def __init__(self, conflicts: Sequence[object]) -> None:
        count = len(conflicts)
        super().__init__(
            "merge_conflict",
            f"Upstream changed the same in {count} {'place' if count == 1 else 'places'}; nothing was changed. "
            "Send `resolutions` for the `conflicts`, or the whole `content`.",
        )
        self.conflicts = tuple(conflicts)


class StaleError(BenchmarkManagerError):
    """The writer had seen an older revision than the stored one."""

    def __init__(self, current_revision: int) -> None:
        super().__init__(
            "stale",
            f"Somebody else changed this in the meantime; it is at revision {current_revision} now. "
            "Read it again, then repeat your change.",
        )
        self.current_revision = current_revision


class InvalidInputError(BenchmarkManagerError):
    """A value that cannot be taken; `field` is its place in the request, or None."""

    def __init__(self, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(code, detail)
        self.field = field


class InvalidContentError(InvalidInputError):
    """Content which does not parse; `problems` are `models.problem.Problem`s."""

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__(
            "invalid_content",
            "The content does not parse; correct the places listed in `problems`, "
            "or save it as it is with `?allow_invalid=true`.",
            field="content",
        )
        self.problems = tuple(problems)


class TooComplexError(InvalidInputError):
    """A text which took more time or memory to read, compare, merge or validate than one may take."""

    def __init__(self) -> None:
        super().__init__(
            "too_complex",
            "This text takes too much time or memory to process; make it smaller, simpler, or several files.",
        )


class SignatureError(BenchmarkManagerError):
    """A webhook was not signed with the service's secret; nothing in it was looked at."""

    def __init__(self) -> None:
        super().__init__(
            "bad_signature",
            "X-Hub-Signature-256 is not this body's; give the webhook at GitHub the secret that WEBHOOK_SECRET has.",
        )


class TokenUnreadableError(BenchmarkManagerError):
    """A stored token was encrypted with a key that the service no longer has, or for another repository."""

    def __init__(
        self,
        detail: str = "The stored GitHub token was encrypted with another SECRET_KEY; enter the token again.",
    ) -> None:
        super().__init__("token_unreadable", detail)


class StorageError(BenchmarkManagerError):
    """The database cannot take a write now; nothing was changed."""


class BackupError(BenchmarkManagerError):
    """A backup that cannot be taken, or a file that cannot be restored into this database."""


class BusyError(BenchmarkManagerError):
    """As many clients listen to changes as this process serves."""

    def __init__(self, clients: int) -> None:
        super().__init__(
            "service_busy",
            f"{clients} clients listen to this process already; try again in a moment.",
        )


class WorkersBusyError(BenchmarkManagerError):
    """No worker process took the text in time: others use them, or the machine is busy."""

    def __init__(self) -> None:
        super().__init__(
            "service_busy",
            "The service is busy with other texts; nothing was changed. Try again in a moment.",
        )


class TooManyListenersError(BenchmarkManagerError):
    """As many clients at one address listen to changes as one address may have."""

    def __init__(self, clients: int) -> None:
        super().__init__(
            "too_many_listeners",
            f"{clients} clients at this address listen to events already; close some.",
        )


class StoppingError(BenchmarkManagerError):
    """The service stops; what was asked for was abandoned whole and may be asked for again."""

    def __init__(self) -> None:
        super().__init__(
            "service_stopping",
            "The service stops now and did not finish this; ask again in a moment.",
        )


class LeaseLostError(BenchmarkManagerError):
    """Another replica holds the project's lease now, or the project is gone."""

    def __init__(self) -> None:
        super().__init__(
            "lease_lost", "Another replica took this project over; nothing was applied."
        )


class ChangesLostError(BenchmarkManagerError):
    """The database does not know any more, or never knew, what changed since a given position."""

    def __init__(self) -> None:
        super().__init__(
            "changes_lost", "What changed since cannot be told; read everything again."
        )


class SourceChangedError(BenchmarkManagerError):
    """The project's repository, branch, folders or token changed during the sync."""

    def __init__(self) -> None:
        super().__init__(
            "source_changed", "The project's settings changed during the sync; sync again."
        )


class GitHubError(BenchmarkManagerError):
    """Base of what a sync can fail with; `retry_at` is when GitHub may be asked again, or None."""

    def __init__(self, code: str, detail: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(code, detail)
        self.retry_at = retry_at


class GitHubActionError(GitHubError):
    """A person must act: repository, branch, access or token."""


class GitHubRateLimitedError(GitHubError):
    """The credential's limit is used up."""

    def __init__(self, detail: str, *, retry_at: datetime) -> None:
        super().__init__("github_rate_limited", detail, retry_at=retry_at)


class GitHubUnavailableError(GitHubError):
    """GitHub fails, cannot be reached or answers what it never should."""

    def __init__(self, detail: str, *, retry_at: datetime | None = None) -> None:
        super().__init__("github_unavailable", detail, retry_at=retry_at)


def reason_of(error: OSError) -> str:
    """What the system says of an error; some come without its words."""
    return error.strerror or type(error).__name__
