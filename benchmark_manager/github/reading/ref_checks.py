"""Checks: which commit a project's ref points to.

With few projects on a credential, each check is one conditional REST request, which is free while
the ref does not move. With many, one GraphQL query answers for up to 50 repositories. Equal checks
share one answer either way.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from benchmark_manager.errors import GitHubError, GitHubUnavailableError
from benchmark_manager.github.protocol import graphql
from benchmark_manager.github.protocol.graphql import AT_MOST, CommitQuestion, head_revision
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.requests import (
    Connection,
    NoGraphQLError,
    PassingFailureError,
    Requests,
)
from benchmark_manager.github.sending.shared import Shared
from benchmark_manager.models.commit import Commit, CommitAnswer
from benchmark_manager.models.project import Ref

#: Queries of one batch that may fail in a row, while it is halved, before the rest is given up.
_FAILURES: Final = 8
_KEPT: Final = 1000
_KEEP_SECONDS: Final = 60.0
#: Checks whose ref moved learn it from one query, so they share the next query after this short
#: wait, seconds.
_FOLDERS_LINGER: Final = 0.1
#: After checks that no query answered, refs are checked one by one for this long, seconds.
_WITHOUT_BATCHES: Final = 300.0

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CheckTiming:
    """When a check has to be made.

    An answer to a request that began at `wanted_at` (monotonic) or later is recent enough.
    `linger`: seconds for which the check may wait for others to share a query with; None: it is
    sent by itself, at once.
    """

    wanted_at: float
    linger: float | None = None


class RefChecker:
    """Makes the checks of all syncs of a process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._single: Shared[str | None] = Shared(at_most=_KEPT, keep_seconds=_KEEP_SECONDS)
        self._batches: dict[tuple[str, _BatchKind], _QueryBatch] = {}

    async def check(
        self,
        client: RepositoryClient,
        ref: Ref | None,
        folders: tuple[str, ...],
        known: str | None,
        timing: CheckTiming,
    ) -> CommitAnswer:
        """Return the commit of `ref` (None: of the default branch).

        `known` is the id of the commit that the project holds, or None. Where the commit is
        another one, its folders' trees are asked for by its id: a batch resolves a branch for its
        head and for each folder by itself, and a push may come in between.

        Raises:
            GitHubError
        """
        linger = timing.linger if client.requests.has_graphql else None
        if linger is not None:
            answer = await self._in_batch("check", client, head_revision(ref), (), linger)
            if answer is not None and answer.commit.sha == known:
                return answer
            if answer is not None:
                return await self._with_folders(client, answer.commit.sha, folders)
        commit_sha = await self._alone(client, ref, known, timing)
        if commit_sha is None:
            assert known is not None  # noqa: S101 -- only a known commit can be unchanged
            return CommitAnswer(Commit(known))
        found = await client.commit_with_folders(commit_sha, folders, ref)
        return CommitAnswer(Commit(commit_sha)) if found is None else found

    async def _with_folders(
        self, client: RepositoryClient, commit_sha: str, folders: tuple[str, ...]
    ) -> CommitAnswer:
        found = await self._in_batch("place", client, commit_sha, folders, _FOLDERS_LINGER)
        if found is None or found.commit.sha != commit_sha:
            found = await client.commit_with_folders(commit_sha, folders)
        return CommitAnswer(Commit(commit_sha)) if found is None else found

    async def _alone(
        self, client: RepositoryClient, ref: Ref | None, known: str | None, timing: CheckTiming
    ) -> str | None:
        """Return the commit's id, or None while it is the known one."""
        key = (client.requests.sharing_key, client.repository.key, ref, known)

        async def ask() -> str | None:
            return await client.head(ref, known)

        return await self._single.get(key, timing.wanted_at, ask)

    async def _in_batch(
        self,
        kind: "_BatchKind",
        client: RepositoryClient,
        revision: str,
        folders: tuple[str, ...],
        linger: float,
    ) -> CommitAnswer | None:
        """Return the revision's commit, or None where only REST can answer."""
        credential = client.requests.credential
        key = credential.fingerprint, kind
        batch = self._batches.get(key)
        if batch is None or batch.closed:
            batch = self._batches[key] = _QueryBatch(
                self._connection.requests(credential, urgent=False), kind
            )
        answer = await batch.ask(CommitQuestion(client.repository, revision, folders), linger)
        return None if answer is None else _of_folders(answer, folders)


def _of_folders(answer: CommitAnswer, folders: tuple[str, ...]) -> CommitAnswer:
    """Leave out the folders that other checks, which shared the question, asked for."""
    trees = answer.commit.folder_trees or {}
    commit = replace(answer.commit, folder_trees={folder: trees[folder] for folder in folders})
    return replace(answer, commit=commit)


#: What a batch asks for; the same words label requests in the metrics.
_BatchKind = Literal["check", "place"]


class _QueryBatch:
    """Questions that wait for one query."""

    def __init__(self, requests: Requests, kind: _BatchKind) -> None:
        self.closed = False
        self._requests = requests
        self._kind: _BatchKind = kind
        self._waiting: dict[CommitQuestion, asyncio.Future[CommitAnswer | None]] = {}
        self._repositories: set[_Key] = set()
        self._deadline: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        #: Failures in a row, and whether any query was answered.
        self._failures = 0
        self._answered = False

    async def ask(self, question: CommitQuestion, linger: float) -> CommitAnswer | None:
        """Return the answer, or None where only REST can answer.

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
                # The caller may be gone.
                answer.exception()

    async def _answer(self, questions: Sequence[CommitQuestion]) -> None:
        """Ask all questions, or half of them at once.

        GitHub gives a query up after 10 s, and a single repository can be the reason.
        """
        try:
            answers = await self._requests.once(lambda: self._answers(questions))
        except PassingFailureError as error:
            await self._halve(questions, error)
            return
        self._failures, self._answered = 0, True
        for question, waiting in self._waiting.items():
            key = _key(question)
            if key in answers and not waiting.done():
                waiting.set_result(answers[key])

    async def _answers(
        self, questions: Sequence[CommitQuestion]
    ) -> dict[_Key, CommitAnswer | None]:
        answer = await self._requests.query(graphql.commits_query(questions), kind=self._kind)
        return {
            _key(question): graphql.parse_commit(answer, f"r{number}", question.folders)
            for number, question in enumerate(questions)
        }

    async def _halve(self, questions: Sequence[CommitQuestion], error: PassingFailureError) -> None:
        self._failures += 1
        if self._failures >= _FAILURES and self._answered:
            # GitHub as a whole works: REST answers for the rest.
            return
        if self._failures >= _FAILURES:
            # Where GraphQL alone fails, the next checks use REST.
            self._requests.connection.learn_no_graphql(self._requests.credential, _WITHOUT_BATCHES)
            raise GitHubUnavailableError(
                "tried_with_fewer", what=str(error), tries=_FAILURES
            ) from None
        if len(questions) == 1:
            # REST reports what is wrong with this one.
            return
        await self._requests.connection.pause(1)
        half = len(questions) // 2
        await self._answer(questions[:half])
        await self._answer(questions[half:])


def _key(question: CommitQuestion) -> _Key:
    return question.repository.key, question.revision


def _merged(questions: Iterable[CommitQuestion]) -> list[CommitQuestion]:
    """Merge the folders of equal questions: one question for a repository and revision."""
    merged: dict[_Key, CommitQuestion] = {}
    for question in questions:
        first = merged.setdefault(_key(question), question)
        folders = dict.fromkeys((*first.folders, *question.folders))
        merged[_key(question)] = replace(first, folders=tuple(folders))
    return list(merged.values())
