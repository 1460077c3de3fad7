"""GitHub's webhooks: a push makes the projects that it concerns due at once."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import structlog

from benchmark_manager.domain.webhooks.payload import (
    is_payload,
    is_quickly_read,
    read_created,
    read_push,
)
from benchmark_manager.domain.webhooks.push_events import (
    DEBOUNCE,
    Meaning,
    meaning_of,
    repository_of,
)
from benchmark_manager.domain.webhooks.signature import is_signed
from benchmark_manager.errors import SignatureError
from benchmark_manager.models.project import Project, RepositoryAddress
from benchmark_manager.models.push import Push
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.webhooks.deliveries import WebhookDeliveryStore
from benchmark_manager.workers.pool import WorkerPool

_log = structlog.get_logger(__name__)

Outcome = Literal["pong", "queued", "ignored", "repeated"]

#: Events that report a moved branch or tag.
_READERS: Final[Mapping[str, Callable[[bytes, bool], Push | bool | None]]] = {
    "push": read_push,
    "create": read_created,
}
#: Why a push queues nothing, the most helpful reason first.
_REASONS: Final[tuple[tuple[Meaning, str], ...]] = (
    ("untouched", "The push changes nothing in the folders of its projects."),
    ("known", "The projects of this branch or tag have the pushed commit already."),
    ("paused", "The projects of this branch or tag are paused."),
    ("elsewhere", "No project reads this branch or tag."),
)


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of a delivery: its outcome, one sentence, and the ids of the queued projects."""

    outcome: Outcome
    detail: str
    project_ids: tuple[str, ...] = ()


class WebhookService:
    """Takes deliveries. GitHub does not repeat failed ones, so polling finds what they reported."""

    def __init__(
        self,
        database: Database,
        projects: ProjectStore,
        deliveries: WebhookDeliveryStore,
        *,
        secret: str | None,
        api_urls: tuple[str, ...],
        wake: Callable[[float], None],
        workers: WorkerPool,
    ) -> None:
        """Prepare the service.

        `wake` starts due syncs after so many seconds, instead of at the next tick.
        """
        self._database = database
        self._projects = projects
        self._deliveries = deliveries
        self._secret = secret
        self._api_urls = api_urls
        self._wake = wake
        self._workers = workers
        #: Many pushes at once write the same projects: in parallel they would make each other
        #: repeat their transactions.
        self._one_at_a_time = asyncio.Lock()

    @property
    def enabled(self) -> bool:
        """Whether there is a secret; without one, forgeries cannot be detected."""
        return bool(self._secret)

    def check_signature(self, body: bytes | bytearray, signature: str | None) -> None:
        """Check that `signature` is that of this very body.

        Raises:
            SignatureError: also without a secret.
        """
        if not self._secret or not is_signed(self._secret, body, signature):
            _log.info("a webhook with a wrong signature was refused")
            raise SignatureError

    async def receive(
        self, event: str, delivery_id: str, body: bytes, *, is_form: bool
    ) -> DeliveryResult:
        """Process a delivery whose signature was checked.

        Its receipt and the syncs that it queues are stored together or not at all.

        Raises:
            InvalidInputError: `malformed_webhook` or `too_complex`; nothing was stored.
            WorkersBusyError
            StorageError
        """
        push = await self._read(event, body, is_form=is_form)
        if event == "ping":
            return DeliveryResult(
                "pong", "The service takes webhooks, and the secret is the right one."
            )
        repository = None if push is None else repository_of(push, self._api_urls)

        async with contextlib.nullcontext() if repository is None else self._one_at_a_time:
            result = await self._take(event, delivery_id, push, repository)
        if result.project_ids:
            self._wake(DEBOUNCE)
        _log.info(
            "webhook taken",
            webhook=event,
            outcome=result.outcome,
            projects=len(result.project_ids),
        )
        return result

    async def _take(
        self,
        event: str,
        delivery_id: str,
        push: Push | None,
        repository: RepositoryAddress | None,
    ) -> DeliveryResult:
        """Store the receipt of a delivery, and queue the syncs of its push."""
        now = await self._database.now()

        async def work(session: Session) -> DeliveryResult:
            if not await self._deliveries.remember(delivery_id, now, session):
                return DeliveryResult(
                    "repeated", "This delivery was taken before; nothing was done."
                )
            if push is None:
                return DeliveryResult(
                    "ignored",
                    f"The event {event} is of no interest here; push is, and create of a tag.",
                )
            if repository is None:
                return DeliveryResult(
                    "ignored", "The repository is not at a GitHub that this service talks to."
                )
            return await self._apply(push, repository, now, session)

        return await self._database.transaction(work)

    async def _read(self, event: str, body: bytes, *, is_form: bool) -> Push | None:
        """Return the push; None of another event, whose payload has to be an object too."""
        task = _READERS.get(event, is_payload)
        # Counting the values of 25 MB takes 0.1 s.
        if await asyncio.to_thread(is_quickly_read, body, is_form=is_form):
            found = task(body, is_form)
        else:
            found = await self._workers.run(task, body, is_form)
        return found if isinstance(found, Push) else None

    async def _apply(
        self, push: Push, repository: RepositoryAddress, now: datetime, session: Session
    ) -> DeliveryResult:
        found = await self._projects.of_repository(repository, session)
        meanings = {project.id: meaning_of(push, project, now) for project in found}
        due = [project for project in found if meanings[project.id] == "due"]
        passed_over = [
            p for p in found if meanings[p.id] == "untouched" and p.polling_interval == 0
        ]
        pushed_sha = None if push.deleted else push.after
        await self._projects.make_due_by_push(due, pushed_sha, now, session)
        # The next push must be recognised as the one that follows this one.
        if push.after is not None:
            await self._projects.note_push(passed_over, push.after, session)
        if not due:
            return DeliveryResult("ignored", _reason(found, set(meanings.values())))
        count = "1 project is" if len(due) == 1 else f"{len(due)} projects are"
        return DeliveryResult(
            "queued", f"{count} synced in a moment.", tuple(project.id for project in due)
        )


def _reason(found: list[Project], meanings: set[Meaning]) -> str:
    if not found:
        return "No project reads this repository."
    return next(text for meaning, text in _REASONS if meaning in meanings)
