"""The check: where a project's ref stands.

With few projects on a credential each is asked for by one conditional REST request, which is free
while nothing moved. With many, GraphQL tells of up to 50 repositories in one query. Who asks for
the same shares one answer either way.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from benchmark_manager.errors import GitHubError, GitHubUnavailableError
from benchmark_manager.github.protocol import graphql
from benchmark_manager.github.protocol.graphql import (
    AT_MOST,
    CommitPlace,
    PlaceQuestion,
    head_revision,
)
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.requests import (
    Connection,
    NoGraphQLError,
    PassingFailureError,
    Requests,
)
from benchmark_manager.github.sending.shared import Shared
from benchmark_manager.models.project import Ref

#: Queries of one batch that may fail in a row, while it is halved, before what is left is not asked
#: for any more.
_FAILURES: Final = 8
_KEPT: Final = 1000
_KEEP_SECONDS: Final = 60.0
#: Those whose branch moved hear of it from one query, and share the next one without waiting much
#: longer, seconds.
_PLACES_LINGER: Final = 0.1
#: After checks which no query answered, they are asked for one by one for so long, seconds.
_WITHOUT_BATCHES: Final = 300.0

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """A branch's head commit; `place` is that of this very commit, None where it was not asked for or not told.

    Of a commit which is the one that was known, a batch tells the repository's names, but of no
    folder.
    """

    commit_sha: str
    place: CommitPlace | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How a check may be asked: an answer that began at `wanted_at` (monotonic) or later will do.

    `linger`: seconds for which it may wait for others to share a query with; None: by itself, at
    once.
    """

    wanted_at: float
    linger: float | None = None


class HeadChecker:
    """Checks of all syncs of a process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._single: Shared[str | None] = Shared(at_most=_KEPT, keep_seconds=_KEEP_SECONDS)
        self._batches: dict[tuple[str, _BatchKind], _Batch] = {}

    async def check(
        self,
        client: RepositoryClient,
        ref: Ref | None,
        folders: tuple[str, ...],
        known: str | None,
        how: Patience,
    ) -> Head:
        """The commit of `ref` (None: the default branch's); `known` is what the project holds, or None.

        Where it is another commit, its place with these folders is asked for, by that commit's id:
        a batch resolves a branch for its head and for each folder by itself, and a push may come in
        between.

        Raises:
            GitHubError
        """
        linger = how.linger if client.requests.has_graphql else None
        if linger is not None:
            place = await self._in_batch("check", client, head_revision(ref), (), linger)
            if place is not None and place.commit_sha == known:
                return Head(place.commit_sha, place)
            if place is not None:
                found = await self._in_batch(
                    "place", client, place.commit_sha, folders, _PLACES_LINGER
                )
                if found is None or found.commit_sha != place.commit_sha:
                    found = await client.place(place.commit_sha, folders)
                return Head(place.commit_sha, found)
        sha = await self._alone(client, ref, known, how)
        if sha is None:
            assert known is not None  # noqa: S101 -- only a known head can be unchanged
            return Head(known)
        found = await client.place(sha, folders, ref)
        return Head(sha if found is None else found.commit_sha, found)

    async def _alone(
        self, client: RepositoryClient, ref: Ref | None, known: str | None, how: Patience
    ) -> str | None:
        """The head, or None while it is what is known."""
        key = (client.requests.sharing_key, client.repository.key, ref, known)

        async def ask() -> str | None:
            return await client.head(ref, known)

        return await self._single.get(key, how.wanted_at, ask)

    async def _in_batch(
        self,
        kind: "_BatchKind",
        client: RepositoryClient,
        revision: str,
        folders: tuple[str, ...],
        linger: float,
    ) -> CommitPlace | None:
        """The place, or None where REST has to tell."""
        credential = client.requests.credential
        key = credential.fingerprint, kind
        batch = self._batches.get(key)
        if batch is None or batch.closed:
            batch = self._batches[key] = _Batch(
                self._connection.requests(credential, urgent=False), kind
            )
        place = await batch.ask(PlaceQuestion(client.repository, revision, folders), linger)
        if place is None:
            return None
        # Others who shared the question may have asked for other folders.
        return replace(
            place, folder_trees={folder: place.folder_trees[folder] for folder in folders}
        )


_BatchKind = Literal["check", "place"]


class _Batch:
    """Questions which wait for one query."""

    def __init__(self, requests: Requests, kind: _BatchKind) -> None:
        self.closed = False
        self._requests = requests
        self._kind: _BatchKind = kind
        self._waiting: dict[PlaceQuestion, asyncio.Future[CommitPlace | None]] = {}
        self._repositories: set[_Key] = set()
        self._deadline: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        #: Failures in a row, and whether any query was answered.
        self._failures = 0
        self._answered = False

    async def ask(self, question: PlaceQuestion, linger: float) -> CommitPlace | None:
        """The place, or None where REST has to tell.

        Raises:
            GitHubError
        """
        loop = asyncio.get_running_loop()
        if question not in self._waiting:
            self._waiting[question] = loop.create_future()
        answer = self._waiting[question]
        self._repositories.add(_key(question))
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

    async def _answer(self, questions: Sequence[PlaceQuestion]) -> None:
        """Ask, or ask for half of it: GitHub gives a query up after 10 s, and a single repository can be why."""
        try:
            places = await self._requests.once(lambda: self._places(questions))
        except PassingFailureError as error:
            await self._halve(questions, error)
            return
        self._failures, self._answered = 0, True
        for question, waiting in self._waiting.items():
            key = _key(question)
            if key in places and not waiting.done():
                waiting.set_result(places[key])

    async def _places(self, questions: Sequence[PlaceQuestion]) -> dict[_Key, CommitPlace | None]:
        answer = await self._requests.query(graphql.places_query(questions), kind=self._kind)
        return {
            _key(question): graphql.parse_place(answer, f"r{number}", question.folders)
            for number, question in enumerate(questions)
        }

    async def _halve(self, questions: Sequence[PlaceQuestion], error: PassingFailureError) -> None:
        self._failures += 1
        if self._failures >= _FAILURES and self._answered:
            # It is not GitHub as a whole: REST tells of the rest.
            return
        if self._failures >= _FAILURES:
            # Where GraphQL alone fails, the next checks go on by REST.
            self._requests.connection.learn_no_graphql(self._requests.credential, _WITHOUT_BATCHES)
            raise GitHubUnavailableError(
                "tried_with_fewer", what=str(error), tries=_FAILURES
            ) from None
        if len(questions) == 1:
            # REST tells what is wrong with this one.
            return
        await self._requests.connection.pause(1)
        half = len(questions) // 2
        await self._answer(questions[:half])
        await self._answer(questions[half:])


def _key(question: PlaceQuestion) -> _Key:
    return question.repository.key, question.revision


def _merged(questions: Iterable[PlaceQuestion]) -> list[PlaceQuestion]:
    """One question a repository and revision, with everybody's folders."""
    merged: dict[_Key, PlaceQuestion] = {}
    for question in questions:
        first = merged.setdefault(_key(question), question)
        folders = dict.fromkeys((*first.folders, *question.folders))
        merged[_key(question)] = replace(first, folders=tuple(folders))
    return list(merged.values())
