"""Answers of a hostile or broken GitHub: refused within bounds, never with another error."""

import copy
import gzip
import itertools
import json
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx2 as httpx
import pytest

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.errors import GitHubError
from benchmark_manager.github.protocol.answers import GarbledAnswerError, parse_json
from benchmark_manager.github.protocol.limits import rate_limit
from benchmark_manager.github.protocol.listings import TreeListing, parse_tree
from benchmark_manager.github.protocol.urls import check_download_address
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.listing import FolderLister
from benchmark_manager.github.sending.requests import TRIES, NoGraphQLError, PassingFailureError
from benchmark_manager.models.project import Ref
from github_test_server import Repository
from github_test_server.answers import ServedAnswer
from github_test_server.faults import Redirect, Status
from support.hostile_server import gzipped_zeros
from support.hub import Hub
from support.stalls import LONGEST_STALL, LoopWatch

MAIN = Ref.of_branch("main")

TOKEN: Final = "ghp_test"
#: What a JSON value may be instead.
OTHERS: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        7,
        -1,
        2**70,
        1.5,
        "",
        "x",
        "\ud800",
        "9" * 5000,
        "0" * 40,
        [],
        {},
        [[]],
        {"a": {}},
    ),
)


@dataclass(frozen=True)
class Changed:
    """A fault which changes a body."""

    by: Callable[[bytes], bytes]

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "etag"}
        return replace(answer, body=self.by(body), headers=headers)


def positions(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values within a JSON value; of a list, the first one's."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from positions(inner, (*path, name))
    elif isinstance(value, list) and value:
        yield from positions(value[0], (*path, 0))


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """The value with another one at a path."""
    if not path:
        return other
    changed = copy.deepcopy(value)
    inner = changed
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = other
    return changed


FILES: Final = {"config/a.yaml": b"a: 1\n", "job/b.yaml": b"b: 1\n"}
BLOBS: Final = [blob_id(data) for data in FILES.values()]


@dataclass(frozen=True)
class Known:
    """A repository with one commit, and its ids."""

    hub: Hub
    commit: str
    tree: str

    def client(self) -> RepositoryClient:
        """One which has no bad experience with GraphQL."""
        client = self.hub.repository(TOKEN)
        self.hub.connection.learn_no_graphql(client.requests.credential, 0.0)
        return client


@pytest.fixture
def known(hub: Hub, repository: Repository) -> Known:
    commit = repository.commit(FILES)
    hub.server.hosting.add_token(TOKEN)
    return Known(hub, commit, repository.find_tree(commit) or "")


CALLS: Final[dict[str, tuple[str, Callable[[RepositoryClient, Known], Awaitable[object]]]]] = {
    "the branch's commit": ("/commits", lambda client, _: client.head_commit(MAIN)),
    "the commit": ("/git/commits/", lambda client, known: client.commit(known.commit)),
    "the repository": ("/demo$", lambda client, _: client.info()),
    "the listing": ("/git/trees/", lambda client, known: client.tree(known.tree, recursive=True)),
    "the history": (
        "/commits",
        lambda client, known: client.file_commits(
            "config/a.yaml", known.commit, page=1, per_page=5
        ),
    ),
    "the folders' trees": (
        "/graphql",
        lambda client, known: client.commit_with_folders(known.commit, ("config", "no"), MAIN),
    ),
    "the contents": ("/graphql", lambda client, _: client.blobs(BLOBS)),
}


def answer_last_try(known: Known, path: str, answer: Status) -> None:
    """Give the answer to the last try, whose failure the caller gets."""
    known.hub.server.faults.add(Status(502), path=path, times=TRIES - 1)
    known.hub.server.faults.add(answer, path=path, nth=TRIES, times=None)


async def outcome(asked: Awaitable[object]) -> object:
    """What came of a request: a value, or one of the errors which a caller expects."""
    try:
        return await asked
    except (GitHubError, PassingFailureError, NoGraphQLError) as error:
        return error


class Answering(httpx.AsyncHTTPTransport):
    """Answers what matches `path` with `body`, where there is one; the server answers the rest."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.body: bytes | None = None
        self._path = re.compile(path)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.body is None or not self._path.search(request.url.path):
            return await super().handle_async_request(request)
        return httpx.Response(200, content=self.body)


@pytest.mark.parametrize("name", CALLS)
async def test_a_value_of_another_type_anywhere_is_refused_or_harmless(
    name: str, known: Known
) -> None:
    path, call = CALLS[name]
    bodies: list[bytes] = []

    def noted(body: bytes) -> bytes:
        bodies.append(body)
        return body

    known.hub.server.faults.add(Changed(noted), path=path)
    # Thousands of requests over a connection would take longer than all else.
    transport = Answering(path)
    known = replace(known, hub=Hub(known.hub.server, transport=transport))
    right = await call(known.client(), known)
    answer = json.loads(bodies[0])
    chosen = random.Random(name)  # noqa: S311 -- which values are tried is no secret
    tried = [
        (position, other) for position in positions(answer) for other in chosen.sample(OTHERS, 2)
    ]

    async def is_harmless(position: tuple[Any, ...], other: Any) -> bool:
        transport.body = json.dumps(with_other(answer, position, other)).encode()
        found = await outcome(call(known.client(), known))
        return found is None or isinstance(found, (type(right), Exception))

    assert [each for each in tried if not await is_harmless(*each)] == []
    await known.hub.connection.close()


def lists(size: int, inner: bytes = b"[],") -> bytes:
    return b"[" + inner * (size // len(inner)) + b"0]"


def members(size: int) -> bytes:
    return b"{" + b",".join(map(b'"%d":1'.__mod__, range(size // 11))) + b"}"


MB: Final = 1_000_000
SHA: Final = b"1" * 40
BODIES: Final[dict[str, Callable[[], bytes]]] = {
    "lists": lambda: lists(16 * MB),
    "members": lambda: members(16 * MB),
    "nested": lambda: b"[" * (16 * MB),
    "nested a little": lambda: lists(16 * MB, b"[" * 200 + b"]" * 200 + b","),
    "digits": lambda: b"9" * (16 * MB),
    "too long": lambda: b" " * (70 * MB),
    "wrong entries": lambda: b'{"sha":"%b","truncated":false,"tree":%b}' % (SHA, lists(7 * MB)),
    "many entries": lambda: (
        b'{"sha":"%b","truncated":false,"tree":[%b]}'
        % (SHA, b",".join([b'{"path":"","mode":"","type":"blob","sha":"%b"}' % SHA] * 250_000))
    ),
    "unknown members": lambda: (
        b'{"sha":"%b","truncated":false,"tree":[],"x":%b}' % (SHA, lists(3 * MB))
    ),
    "GraphQL data": lambda: b'{"data":{"r0":%b}}' % lists(16 * MB),
    "GraphQL errors": lambda: b'{"errors":%b}' % lists(7 * MB, b"{},"),
    "GraphQL errors of no shape": lambda: b'{"errors":%b}' % lists(7 * MB, b"0,"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_no_answer_holds_the_event_loop(name: str, known: Known) -> None:
    path, ask = CALLS["the folders' trees" if "GraphQL" in name else "the listing"]
    body = BODIES[name]()
    # The server's own work is done in another thread, and would be taken for the client's: it only
    # sends.
    answer_last_try(known, path, Status(200, body))
    client = known.client()
    with LoopWatch() as watch:
        found = await outcome(ask(client, known))
    assert found is None or isinstance(found, GitHubError)
    assert len(known.hub.server.requests) == TRIES
    assert len(str(found)) < 500
    assert watch.longest < LONGEST_STALL


BOMB: Final = gzipped_zeros(300)
BOMBS: Final = {
    "gzip": (BOMB, "longer than"),
    "gzip, gzip": (gzip.compress(BOMB), "was not asked for"),
    "br": (b"x", "was not asked for"),
}


@pytest.mark.parametrize("codings", BOMBS)
async def test_an_answer_which_unpacks_a_thousandfold_is_refused(
    codings: str, known: Known
) -> None:
    body, reason = BOMBS[codings]
    fault = Status(200, body, {"Content-Encoding": codings})
    answer_last_try(known, "/git/trees/", fault)
    with LoopWatch() as watch:
        found = await outcome(known.client().tree(known.tree, recursive=True))
    assert isinstance(found, GitHubError)
    assert reason in str(found)
    assert watch.longest < LONGEST_STALL


async def test_of_an_error_only_the_beginning_is_read(known: Known) -> None:
    fault = Status(403, b"rate limit" + b" " * (30 * MB))
    known.hub.server.faults.add(fault, path="/git/trees/", times=None)
    found = await outcome(known.client().tree(known.tree, recursive=True))
    assert "github_rate_limited" in str(found)


@pytest.mark.parametrize(
    "headers",
    [
        {
            "x-ratelimit-limit": "9" * 30,
            "x-ratelimit-remaining": "9" * 30,
            "x-ratelimit-reset": "9",
        },
        {"x-ratelimit-limit": "9" * 5000, "x-ratelimit-remaining": "1", "x-ratelimit-reset": "9"},
        {"x-ratelimit-limit": "-1", "x-ratelimit-remaining": "-1", "x-ratelimit-reset": "9"},
        {"x-ratelimit-limit": "1", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "9" * 30},
        {"x-ratelimit-limit": "1e9", "x-ratelimit-remaining": "\xb2", "x-ratelimit-reset": "x"},
    ],
)
def test_a_limit_which_makes_no_sense_is_none(headers: dict[str, str]) -> None:
    assert rate_limit(headers) is None


async def test_a_megabyte_of_headers_is_refused(known: Known) -> None:
    headers = {f"X-{number}": "y" * 1000 for number in range(1000)}
    known.hub.server.faults.add(Status(200, b"{}", headers), path="/git/trees/", times=None)
    assert isinstance(await outcome(known.client().tree(known.tree, recursive=True)), GitHubError)


async def test_a_name_twice_in_an_answer_is_its_last_value(known: Known) -> None:
    """As every JSON parser of GitHub's own clients takes it."""
    body = b'{"sha":"%b","sha":"%b","tree":[],"truncated":false}' % (SHA, known.tree.encode())
    known.hub.server.faults.add(Status(200, body), path="/git/trees/", times=None)
    assert (await known.client().tree(known.tree, recursive=True)).tree == ()


GITHUB: Final = "https://api.github.com"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "0.0.0.0",  # noqa: S104 -- refused
        "::",
        "169.254.1.1",
        "fe80::1%eth0",
        "::ffff:127.0.0.1",
    ],
)
def test_a_download_never_comes_from_this_machine_or_its_link(address: str) -> None:
    with pytest.raises(GarbledAnswerError):
        check_download_address(address, GITHUB)


def test_a_download_may_come_from_anywhere_else() -> None:
    for address in ("140.82.121.9", "10.0.0.1", "fd00::1"):
        check_download_address(address, GITHUB)
    for address in ("127.0.0.1", "::1"):
        check_download_address(address, "http://localhost:3000")
    with pytest.raises(GarbledAnswerError):
        check_download_address("169.254.169.254", "http://127.0.0.1")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://2130706433/", "http://[::1]/", "http://localhost/"]
)
async def test_a_redirect_to_this_machine_is_not_followed(url: str, known: Known) -> None:
    """Where the API is elsewhere."""
    known.hub.server.faults.add(Redirect(url), path="/tarball/", times=None)
    hub = Hub(known.hub.server, transport=Elsewhere(known.hub.server.url))
    requests = hub.repository(TOKEN, api_url="http://github.example").requests

    async def download() -> object:
        async with requests.download(
            f"repos/octo/demo/tarball/{known.commit}", kind="archive"
        ) as response:
            return response.status_code

    with pytest.raises(PassingFailureError, match="an address of this machine"):
        await requests.once(download)
    await hub.connection.close()


class Elsewhere(httpx.AsyncHTTPTransport):
    """Reaches the server under a name which is not this machine's."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._server = httpx.URL(url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "github.example":
            request.url = request.url.copy_with(host=self._server.host, port=self._server.port)
        return await super().handle_async_request(request)


# Listings as long as GitHub's longest


def listing_of(entries: list[dict[str, Any]], **members: Any) -> bytes:
    return json.dumps(
        {"sha": "1" * 40, "url": "u", "tree": entries, "truncated": False, **members}
    ).encode()


def entry(path: str, **members: Any) -> dict[str, Any]:
    url = "https://api.github.com/repos/acme/benchmarks/git/blobs/" + "1" * 40
    return {
        "path": path,
        "mode": "100644",
        "type": "blob",
        "sha": "1" * 40,
        "size": 1000,
        "url": url,
        **members,
    }


#: How many entries of a long listing are parsed at once.
STEP: Final = 2000


def in_steps(body: bytes) -> tuple[TreeListing, int]:
    steps = parse_tree(body)
    for number in itertools.count():
        try:
            next(steps)
        except StopIteration as done:
            return done.value, number
    raise AssertionError


@pytest.mark.parametrize(
    "entries",
    [
        [entry(f"config/{number}.yaml") for number in range(STEP + 1)],
        [entry(f'a"]}},{{["\\{number}', size=None) for number in range(STEP + 1)],
        [entry(f"{number} größe \U0001f389 \x7f") for number in range(STEP + 1)],
        [entry(f"{number}", more=[{"tree": [1]}]) for number in range(STEP + 1)],
        [],
    ],
    ids=["plain", "quotes and brackets", "letters", "nested members", "none"],
)
def test_a_listing_in_steps_is_the_same_as_at_once(entries: list[dict[str, Any]]) -> None:
    long = listing_of(entries, x=" " * 2 * MB)
    bodies = {
        "short": listing_of(entries),
        "long": long,
        "indented": json.dumps(json.loads(long), indent=1, sort_keys=True).encode(),
        "inside another member": listing_of([], x={"tree": entries}, y=" " * 2 * MB),
        "behind another": b'{"x": {"tree": [%b]}, ' % json.dumps(entry("x")).encode() + long[1:],
    }
    assert [
        name for name, body in bodies.items() if in_steps(body)[0] != parse_json(body, TreeListing)
    ] == []


def test_a_long_listing_is_parsed_in_steps() -> None:
    entries = [entry(str(number)) for number in range(3 * STEP)]
    assert in_steps(listing_of(entries, x=" " * 2 * MB))[1] == 3
    with pytest.raises(GarbledAnswerError):
        in_steps(listing_of([*entries, entry("x", sha=7)], x=" " * 2 * MB))


async def test_a_listing_of_100_000_entries_does_not_hold_the_event_loop(known: Known) -> None:
    one = json.dumps(entry("vllm/%d.yaml")).encode()
    entries = b",".join(map(one.__mod__, range(100_000)))
    body = b'{"sha":"%b","truncated":false,"tree":[%b]}' % (known.tree.encode(), entries)
    known.hub.server.faults.add(Status(200, body), path="/git/trees/", times=None)
    with LoopWatch() as watch:
        listing = await FolderLister().by_folder(known.client(), {"config": known.tree})
    assert len(listing.entries) == 100_000
    assert listing.entries["config/vllm/7.yaml"].path == "config/vllm/7.yaml"
    assert watch.longest < LONGEST_STALL
