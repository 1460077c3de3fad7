"""The check: where a project's branch stands.

With few projects on a credential each is asked for by one conditional REST request, which is free while nothing moved.
With many, GraphQL tells of up to 50 repositories in one query. Who asks for the same shares one answer either way.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmark_manager.errors import GitHubError
from benchmark_manager.github import graphql
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.credentials import Credential
from benchmark_manager.github.graphql import AT_MOST, CommitPlace, HeadQuestion
from benchmark_manager.github.requests import Connection, NoGraphQLError, PassingFailureError, Requests, unavailable
from benchmark_manager.github.shared import Shared

#: Queries of one batch that may fail in a row, while it is halved, before what is left is not asked for any more.
_FAILURES: Final = 8
_KEPT: Final = 1000
_KEEP_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Head:
    """A branch's head commit; a batch tells its place too."""

    commit_sha: str
    place: CommitPlace | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How a check may be asked: an answer that began at `wanted_at` (monotonic) or later will do.

    `linger`: seconds for which it may wait for others to share a query with; None: by itself, at once.
    """

    wanted_at: float
    linger: float | None = None


class HeadChecker:
    """Checks of all syncs of a process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._single: Shared[str | None] = Shared(at_most=_KEPT, keep_seconds=_KEEP_SECONDS)
        self._batches: dict[str, _Batch] = {}

    async def check(
        self, client: RepositoryClient, branch: str | None, folders: tuple[str, ...], known: str | None, how: Patience
    ) -> Head:
        """The head of `branch` (None: the default branch); `known` is what the project holds, or None.

        Raises:
            GitHubError
        """
        credential = client.requests.credential
        if how.linger is not None and self._connection.has_graphql(credential):
            place = await self._in_batch(credential, HeadQuestion(client.repository, branch, folders), how.linger)
            if place is not None:
                # Others who shared the question may have asked for other folders.
                own = {folder: place.folder_trees[folder] for folder in folders}
                return Head(place.commit_sha, replace(place, folder_trees=own))
        key = (client.requests.sharing_key, client.repository.key, branch, known)

        async def ask() -> str | None:
            return await client.head(branch, known)

        sha = await self._single.get(key, how.wanted_at, ask)
        if sha is None:
            assert known is not None  # noqa: S101 -- only a known head can be unchanged
            return Head(known)
        return Head(sha)

    async def _in_batch(self, credential: Credential, question: HeadQuestion, linger: float) -> CommitPlace | None:
        batch = self._batches.get(credential.fingerprint)
        if batch is None or batch.closed:
            batch = _Batch(self._connection.requests(credential, urgent=False))
            self._batches[credential.fingerprint] = batch
        return await batch.ask(question, linger)


class _Batch:
    """Questions which wait for one query."""

    def __init__(self, requests: Requests) -> None:
        self.closed = False
        self._requests = requests
        self._waiting: dict[HeadQuestion, asyncio.Future[CommitPlace | None]] = {}
        self._repositories: set[tuple[str, str | None]] = set()
        self._deadline: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        #: Failures in a row, and whether any query was answered.
        self._failures = 0
        self._answered = False

    async def ask(self, question: HeadQuestion, linger: float) -> CommitPlace | None:
        """The place, or None where REST has to tell.

        Raises:
            GitHubError
        """
        loop = asyncio.get_running_loop()
        if question not in self._waiting:
            self._waiting[question] = loop.create_future()
        answer = self._waiting[question]
        self._repositories.add((question.repository.key, question.branch))
        if len(self._repositories) >= AT_MOST:
            self._close()
        else:
            when = loop.time() + linger
            if self._deadline is None or self._deadline.when() > when:
                if self._deadline is not None:
                    self._deadline.cancel()
                self._deadline = loop.call_at(when, self._close)
        return await asyncio.shield(answer)

    def _close(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self._deadline is not None:
            self._deadline.cancel()
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._answer(_merged(self._waiting))
        except GitHubError as error:
            self._fail(error)
        except NoGraphQLError:
            pass
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_result(None)

    def _fail(self, error: GitHubError) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
                # Whoever asked may be gone.
                answer.exception()

    async def _answer(self, questions: Sequence[HeadQuestion]) -> None:
        """Ask, or ask for half of it: GitHub gives a query up after 10 s, and a single repository can be why."""
        try:
            places = await self._requests.once(lambda: self._places(questions))
        except PassingFailureError as error:
            await self._halve(questions, error)
            return
        self._failures, self._answered = 0, True
        for question, waiting in self._waiting.items():
            key = (question.repository.key, question.branch)
            if key in places and not waiting.done():
                waiting.set_result(places[key])

    async def _places(self, questions: Sequence[HeadQuestion]) -> dict[tuple[str, str | None], CommitPlace | None]:
        answer = await self._requests.query(graphql.heads_query(questions), kind="check")
        return {
            (question.repository.key, question.branch): graphql.parse_place(answer, f"r{number}", question.folders)
            for number, question in enumerate(questions)
        }

    async def _halve(self, questions: Sequence[HeadQuestion], error: PassingFailureError) -> None:
        self._failures += 1
        if self._failures >= _FAILURES and self._answered:
            # It is not GitHub as a whole: REST tells of the rest.
            return
        if self._failures >= _FAILURES:
            raise unavailable(f"{error}; tried {_FAILURES} times, for fewer repositories each time") from None
        if len(questions) == 1:
            # REST tells what is wrong with this one.
            return
        await self._requests.connection.pause(1)
        half = len(questions) // 2
        await self._answer(questions[:half])
        await self._answer(questions[half:])


def _merged(questions: dict[HeadQuestion, "asyncio.Future[CommitPlace | None]"]) -> list[HeadQuestion]:
    """One question a repository and branch, with everybody's folders."""
    folders: dict[tuple[str, str | None], dict[str, None]] = {}
    first: dict[tuple[str, str | None], HeadQuestion] = {}
    for question in questions:
        key = (question.repository.key, question.branch)
        first.setdefault(key, question)
        folders.setdefault(key, {}).update(dict.fromkeys(question.folders))
    return [HeadQuestion(first[key].repository, first[key].branch, tuple(folders[key])) for key in first]
