"""Judges the answers to fuzzed requests, and what they did to the database."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient

from support.fuzz_world import (
    CALLERS,
    CallerName,
    FuzzCaller,
    FuzzCredential,
    FuzzWorld,
    make_world,
)
from support.fuzzed_requests import FuzzedRequests, FuzzedRoute, routes_of_app, twin_of
from support.guarded import GuardedService
from support.raw_calls import RawAnswer, RawRequest, call

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_REFUSED: Final = frozenset({401, 403, 404})
#: Served without an identity; what ends with a slash is the beginning of several.
_OPEN: Final = (
    *("/docs/", "/ui/static/", "/auth/", "/webhooks/github", "/ui/sign-in", "/ui/set-up", "/setup"),
    *("/openapi.json", "/health", "/livez", "/readyz", "/docs", "/ui/preferences", "/sessions"),
)
#: Collections that requests of anybody write: what was refused, and tries to sign in; and what the
#: service itself writes.
_OF_ANYBODY: Final = frozenset({"audit", "replicas", "sign_in_attempts", "start_check"})
#: Collections with what everybody has of their own.
_OF_ACCOUNTS: Final = frozenset({"accounts", "api_tokens", "sessions"})
#: What was read of GitHub is kept, whoever asked for it.
_OF_READERS: Final = frozenset({"file_histories"})
#: Deleted variants of a reset are unpacked by the next request that reads the trash.
_PACKED: Final = "trash_bundles"
#: Collections that only administrators change.
_OF_SITE: Final = frozenset({"federation_rules"})
#: Requests of one caller after the other, before the database is compared.
_BATCH: Final = 200

Contents = dict[tuple[str, Any], bytes]


@dataclass
class FuzzFindings:
    """How many requests had which status, by caller, and what was wrong."""

    counts: dict[CallerName, Counter[int]] = field(
        default_factory=lambda: {name: Counter() for name in CALLERS}
    )
    faults: list[str] = field(default_factory=list)
    #: Requests that were compared with one of nothing, and single refusals with the database.
    twins: int = 0
    compared: int = 0

    @property
    def total(self) -> int:
        return sum(counts.total() for counts in self.counts.values())

    def table(self) -> str:
        """Return the counts by caller and status."""
        statuses = sorted({status for counts in self.counts.values() for status in counts})
        rows = [f"{'':12}" + "".join(f"{status:>8}" for status in statuses)]
        rows += [
            f"{name:12}" + "".join(f"{counts[status]:>8}" for status in statuses)
            for name, counts in self.counts.items()
        ]
        return "\n".join(rows)


class Fuzzer:
    """Sends requests of all callers in turn to a service, and judges what becomes of them."""

    def __init__(
        self, world: FuzzWorld, database: AsyncMongoClient[RawBSONDocument], name: str, seed: str
    ) -> None:
        self.findings = FuzzFindings()
        self._world = world
        self._app = world.guarded.service.app
        self._database = database[name]
        self._requests = FuzzedRequests(world, routes_of_app(self._app), seed)
        self._before: Contents = {}

    async def run(self, total: int) -> FuzzFindings:
        """Send so many requests; stop where twenty were answered wrongly."""
        while self.findings.total < total and len(self.findings.faults) < 20:
            await self._world.renew()
            for name in CALLERS:
                await self._batch(self._world.callers[name], min(_BATCH, -(-total // len(CALLERS))))
        return self.findings

    async def _batch(self, caller: FuzzCaller, size: int) -> None:
        self._before = await self._contents()
        for _ in range(size):
            await self._one(caller, self._world.chance.choice(caller.credentials))
        await self._check_changes(caller)

    async def _check_changes(self, caller: FuzzCaller) -> None:
        """Compare the database with how it was before, and keep how it is now."""
        before, after = self._before, await self._contents()
        allowed = self._allowed(caller)
        wrong = {
            key[0]
            for key in _changed(before, after)
            if not allowed(key, before.get(key, after.get(key)))
        }
        if wrong:
            self.findings.faults.append(f"requests of {caller.name} changed {sorted(wrong)}")
        self._before = after

    def _allowed(self, caller: FuzzCaller) -> Callable[[tuple[str, Any], bytes | None], bool]:
        """Return whether requests of a caller may have changed a document."""
        foreign = self._world.ids["foreign"]["project"][0]
        marks = (foreign.encode(), ObjectId(foreign).binary)
        # That of the keeper, who repairs what was deleted, too.
        accounts = (caller.account or "0" * 24, self._world.guarded.admin.id)
        own = [mark for each in accounts for mark in (each.encode(), ObjectId(each).binary)]

        def may_change(key: tuple[str, Any], document: bytes | None) -> bool:
            collection, content = key[0], document or b""
            if collection in _OF_ANYBODY or caller.name == "admin":
                return True
            if caller.name == "anonymous":
                return False
            if collection in _OF_ACCOUNTS:
                return any(mark in content for mark in own)
            is_reader = caller.name == "reader" and collection not in _OF_READERS
            if is_reader or collection in _OF_SITE:
                return False
            return not any(mark in content for mark in marks)

        return may_change

    async def _one(self, caller: FuzzCaller, credential: FuzzCredential) -> None:
        route, request = self._requests.next(credential)
        is_safe = request.method in _SAFE
        # Of refused changes, some are compared by themselves.
        compares = not is_safe and self._world.chance.random() < 0.05
        before = await self._contents() if compares else {}
        compares &= all(collection != _PACKED for collection, _ in before)
        answer = await call(self._app, request)
        self.findings.counts[caller.name][answer.status] += 1
        self._judge(caller, credential, route, request, answer)
        if compares and answer.status in _REFUSED:
            await self._compare(caller, request, answer, before)
        if is_safe or answer.status in _REFUSED:
            await self._compare_twin(caller, credential, request, answer)
        if not is_safe and answer.status < 400:
            await self._restore(caller)

    def _judge(
        self,
        caller: FuzzCaller,
        credential: FuzzCredential,
        route: FuzzedRoute,
        request: RawRequest,
        answer: RawAnswer,
    ) -> None:
        text = answer.text.lower()
        shown = [word for word in credential.sight.hidden if word.encode() in text]
        shown += ["a secret" for secret in self._world.secrets if secret.lower() in text]
        if answer.status >= 500:
            self._fault("failed", caller, credential, request, answer)
        if shown:
            self._fault(f"shows {shown}", caller, credential, request, answer)
        is_open = request.path == "/" or request.path.startswith(_OPEN)
        if caller.name == "anonymous" and answer.status < 300 and not is_open:
            self._fault(f"{route.label} is open", caller, credential, request, answer)

    async def _compare(
        self, caller: FuzzCaller, request: RawRequest, answer: RawAnswer, before: Contents
    ) -> None:
        self.findings.compared += 1
        changed = {key[0] for key in _changed(before, await self._contents())}
        if wrong := changed - _OF_ANYBODY - _OF_ACCOUNTS:
            text = f"{caller.name}: {request} was refused ({answer.status}), and changed {wrong}"
            self.findings.faults.append(text)

    async def _compare_twin(
        self, caller: FuzzCaller, credential: FuzzCredential, request: RawRequest, answer: RawAnswer
    ) -> None:
        twin = twin_of(request, self._hidden_ids(credential))
        if twin is None:
            return
        self.findings.twins += 1
        other = await call(self._app, twin.request)
        if (answer.status, twin.plain(answer.text)) != (other.status, twin.plain(other.text)):
            pair = [(each.status, twin.plain(each.text)) for each in (answer, other)]
            reason = f"of nothing, {_difference(*pair)}"
            self._fault(reason, caller, credential, request, answer)

    def _hidden_ids(self, credential: FuzzCredential) -> list[str]:
        if credential.sight.is_site_wide:
            return self._world.ids["foreign"]["session"]
        ids = self._world.ids["foreign"]
        # Whoever gives roles has to know accounts.
        shown = {"account"} if credential.sight.role == "maintainer" else set()
        return [each for kind, found in ids.items() if kind not in shown for each in found]

    async def _restore(self, caller: FuzzCaller) -> None:
        """Make anew what the request may have deleted: a project, or the caller's session."""
        if caller.name in {"maintainer", "admin"}:
            for owner in await self._world.lost():
                await self._check_changes(caller)
                await self._world.make_project(owner)
                await self._world.renew_credentials()
                self._before = await self._contents()
        if caller.name != "anonymous":
            headers = ((b"host", b"service"), *caller.credentials[0].headers)
            if (await call(self._app, RawRequest("GET", "/me", headers=headers))).status == 401:
                await self._world.renew_caller(caller.name)

    def _fault(
        self,
        reason: str,
        caller: FuzzCaller,
        credential: FuzzCredential,
        request: RawRequest,
        answer: RawAnswer,
    ) -> None:
        self.findings.faults.append(
            f"{caller.name} by {credential.label}: {request} was answered {answer.status} "
            f"{answer.body[:600]!r}: {reason}"
        )

    async def _contents(self) -> Contents:
        """Return every document, as its bytes."""
        await self._world.rest()
        found: Contents = {}
        for name in sorted(await self._database.list_collection_names()):
            if name in _OF_ANYBODY:
                continue
            async for document in self._database[name].find({}):
                found[name, str(document["_id"])] = bytes(document.raw)
        return found


def _changed(before: Contents, after: Contents) -> set[tuple[str, Any]]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _difference(one: tuple[int, bytes], other: tuple[int, bytes]) -> str:
    """Return the position at which two answers begin to differ."""
    pairs = enumerate(zip(one[1], other[1], strict=False))
    where = next((index for index, (a, b) in pairs if a != b), min(len(one[1]), len(other[1])))
    around = slice(max(0, where - 60), where + 100)
    return f"{one[0]} {one[1][around]!r} is {other[0]} {other[1][around]!r}"


async def fuzz(guarded: GuardedService, database_url: str, total: int, seed: str) -> FuzzFindings:
    """Send so many requests to a service, and return what was found."""
    world = await make_world(guarded, seed)
    client = AsyncMongoClient(
        database_url, serverMonitoringMode="poll", document_class=RawBSONDocument
    )
    async with client:
        fuzzer = Fuzzer(world, client, urlsplit(database_url).path[1:], seed)
        return await fuzzer.run(total)
