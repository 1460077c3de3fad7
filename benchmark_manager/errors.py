"""Every error that the service raises on purpose.

    StartError                        the service cannot start; one readable line
    BenchmarkManagerError
     + NotFoundError                  nothing has this id, for this reader
     + ConflictError                  the request contradicts what is stored
     |  + MergeConflictError          with the conflicts that a person must decide
     + StaleError                     the writer had read an older revision
     + InvalidInputError              a value is not accepted; names its field
     |  + InvalidContentError         with the problems' lines and columns
     |  + TooComplexError             a text that took too much time or memory
     + UnauthenticatedError           the request does not prove who makes it
     + SignInError                    a sign-in that is refused, without saying why to a guesser
     + IssuerError                    an identity provider cannot be asked, or answers nonsense
     + SignedTokenError               a provider's answer, or a signed token, proves nobody
     + ForbiddenError                 the principal may read this, but not change it so
     + SignatureError                 a webhook that the secret did not sign
     + TokenUnreadableError           a stored token that no key opens, or of another repository
     + StorageError                   the database is there but cannot make a change
     + BackupError                    a backup cannot be taken or restored
     + BusyError                      no capacity for one more request
     + TooManyListenersError          one address listens to events as often as it may
     + RateLimitedError               one identity or address asks more often than it may
     + StoppingError                  the service stops before it finished the request
     + LeaseLostError                 another replica syncs the project now
     + ChangesLostError               the changes since a position are not known any more
     + SourceChangedError             the project's address changed during its sync
     + RequestError                   a request that is refused before a service reads it
     + FaultError                     a fault of the service itself
     + GitHubError                    anything that a sync can fail with
        + GitHubActionError           a person must act: the project shows `failing`
        + GitHubRateLimitedError      the limit is used up until `retry_at`
        + GitHubUnavailableError      GitHub fails or gives an invalid answer

Each carries a stable `code`, a `reason` where a code has several meanings, and facts. None knows
HTTP, names of the API's fields, or sentences: `benchmark_manager.messages` has them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

Fact: TypeAlias = "str | int | datetime | tuple[str, ...] | BenchmarkManagerError"
"""A fact of an error. Times are aware; a tuple is a list of names; an error is the cause."""


class StartError(Exception):
    """The service cannot start; the command line prints `detail`, one line, and exits with 1."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BenchmarkManagerError(Exception):
    """Base of all; `code` is stable, `reason` is "" for a code with one meaning."""

    def __init__(self, code: str, reason: str = "", **facts: Fact) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.facts: Mapping[str, Fact] = facts

    def __str__(self) -> str:
        """Return code, reason and facts, for logs."""
        facts = ", ".join(f"{name}={fact!r}" for name, fact in self.facts.items())
        return " ".join(filter(None, (self.code, self.reason, facts)))


class NotFoundError(BenchmarkManagerError):
    """Nothing has this id, for this reader; `noun` says what was asked for."""

    def __init__(self, noun: str, resource_id: str) -> None:
        super().__init__(f"{noun.replace(' ', '_')}_not_found", id=resource_id[:100])


class ConflictError(BenchmarkManagerError):
    """The request contradicts what is stored."""


class MergeConflictError(ConflictError):
    """A merge which a person must decide; `conflicts` are `models.merge.MergeConflict`s."""

    def __init__(self, conflicts: Sequence[object]) -> None:
        super().__init__("merge_conflict", count=len(conflicts))
        self.conflicts = tuple(conflicts)


class StaleError(BenchmarkManagerError):
    """The writer had read an older revision than the stored one."""

    def __init__(self, current_revision: int) -> None:
        super().__init__("stale", current_revision=current_revision)
        self.current_revision = current_revision


class InvalidInputError(BenchmarkManagerError):
    """A value that is not accepted; `field` is its name in the domain, or None."""

    def __init__(
        self, code: str, reason: str = "", *, field: str | None = None, **facts: Fact
    ) -> None:
        super().__init__(code, reason, **facts if field is None else {"field": field, **facts})
        self.field = field


class InvalidContentError(InvalidInputError):
    """Content that does not parse; `problems` are `models.problem.Problem`s."""

    def __init__(
        self, problems: Sequence[object], code: str = "invalid_content", field: str = "content"
    ) -> None:
        super().__init__(code, field=field)
        self.problems = tuple(problems)


class TooComplexError(InvalidInputError):
    """A text that took more time or memory to process than one may take."""

    def __init__(self) -> None:
        super().__init__("too_complex")


class UnauthenticatedError(BenchmarkManagerError):
    """The request does not prove who makes it, and only known principals are served."""

    def __init__(self, reason: str = "") -> None:
        super().__init__("unauthenticated", reason)


class SignInError(BenchmarkManagerError):
    """A sign-in is refused; the reason does not reveal whether an account exists."""

    def __init__(self, code: str = "sign_in_failed", reason: str = "", **facts: Fact) -> None:
        super().__init__(code, reason, **facts)


class IssuerError(BenchmarkManagerError):
    """An identity provider cannot be asked, or what it answers is unusable."""

    def __init__(self, reason: str, **facts: Fact) -> None:
        super().__init__("issuer_failed", reason, **facts)


class SignedTokenError(BenchmarkManagerError):
    """What a provider sent, or a signed token, proves nobody's identity."""

    def __init__(self, reason: str) -> None:
        super().__init__("signed_token_refused", reason)


class ForbiddenError(BenchmarkManagerError):
    """The principal may read this, but not do that; `role_needed` names the least role.

    `project_id` is the project in which it may not; None where that is no single one. The reason
    `everywhere` says that the role is needed in all projects.
    """

    def __init__(
        self, role_needed: str, reason: str = "", *, project_id: str | None = None
    ) -> None:
        super().__init__("forbidden", reason, role_needed=role_needed)
        self.role_needed = role_needed
        self.project_id = project_id


class SignatureError(BenchmarkManagerError):
    """A webhook was not signed with the service's secret; nothing in it was read."""

    def __init__(self) -> None:
        super().__init__("bad_signature")


class TokenUnreadableError(BenchmarkManagerError):
    """A stored token cannot be used: its key is gone, or it belongs to another repository."""

    def __init__(self, reason: str = "key") -> None:
        super().__init__("token_unreadable", reason)


class StorageError(BenchmarkManagerError):
    """The database cannot make a change now; nothing was changed."""


class BackupError(BenchmarkManagerError):
    """A backup that cannot be taken, or a file that cannot be restored into this database."""


class BusyError(BenchmarkManagerError):
    """As many clients listen to changes as this process serves."""

    def __init__(self, clients: int) -> None:
        super().__init__("service_busy", "listeners", clients=clients)


class WorkersBusyError(BenchmarkManagerError):
    """No worker process was free for the text in time."""

    def __init__(self) -> None:
        super().__init__("service_busy", "texts")


class TooManyListenersError(BenchmarkManagerError):
    """As many clients at one address listen to changes as one address may have."""

    def __init__(self, clients: int) -> None:
        super().__init__("too_many_listeners", clients=clients)


class RateLimitedError(BenchmarkManagerError):
    """One identity or address asks more often than it may; `seconds`: when it may ask again."""

    def __init__(self, seconds: int) -> None:
        super().__init__("rate_limited", seconds=seconds)
        self.seconds = seconds


class StoppingError(BenchmarkManagerError):
    """The service stops; nothing of the request was done, and it may be sent again."""

    def __init__(self) -> None:
        super().__init__("service_stopping")


class LeaseLostError(BenchmarkManagerError):
    """Another replica holds the project's lease now, or the project is gone."""

    def __init__(self) -> None:
        super().__init__("lease_lost")


class ChangesLostError(BenchmarkManagerError):
    """The database does not know any more, or never knew, what changed since a given position."""

    def __init__(self) -> None:
        super().__init__("changes_lost")


class SourceChangedError(BenchmarkManagerError):
    """The project's repository, branch, folders or token changed during the sync."""

    def __init__(self) -> None:
        super().__init__("source_changed")


class RequestError(BenchmarkManagerError):
    """A request is refused before a service reads it: its address, method, origin or body."""


class FaultError(BenchmarkManagerError):
    """A fault of the service itself, which its log describes."""

    def __init__(self, reason: str = "") -> None:
        super().__init__("internal_error", reason)


class GitHubError(BenchmarkManagerError):
    """Base of what a sync can fail with; `retry_at` is when GitHub may be asked again, or None."""

    def __init__(
        self, code: str, reason: str = "", *, retry_at: datetime | None = None, **facts: Fact
    ) -> None:
        super().__init__(code, reason, **facts)
        self.retry_at = retry_at


class GitHubActionError(GitHubError):
    """A person must act: repository, branch, access or token."""


class GitHubRateLimitedError(GitHubError):
    """The credential's limit is used up."""

    def __init__(self, reason: str, *, retry_at: datetime) -> None:
        super().__init__("github_rate_limited", reason, retry_at=retry_at, until=retry_at)


class GitHubUnavailableError(GitHubError):
    """GitHub fails, cannot be reached or gives an answer that it never should."""

    def __init__(self, reason: str, *, retry_at: datetime | None = None, **facts: Fact) -> None:
        super().__init__("github_unavailable", reason, retry_at=retry_at, **facts)


def reason_of(error: OSError) -> str:
    """Return the system's words for an error; some errors come without."""
    return error.strerror or type(error).__name__
