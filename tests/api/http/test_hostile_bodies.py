"""Any body to any route gets a 4xx soon, and does not block the event loop.

That no request holds the loop for long is what every test's client checks; see `support.service`.
"""

import json
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from benchmark_manager.api.http.json_bodies import MAX_CONTAINERS, MAX_VALUES, BoundedBody
from benchmark_manager.app import create_app
from benchmark_manager.domain.text.json_size import counted_values
from github_test_server import GitHubTestServer
from support.outcomes import JSON, UNKNOWN, answers_of, filled, outcomes
from support.problems import DescribedRoute, assert_problem, description, fields_at_fault, routes_of
from support.reused_database import reused_database
from support.service import Json, Service, running_service
from support.webhooks import FORM, PATH, SECRET, headers

MIB: Final = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One for all: nothing that is sent here changes anything."""
    folder = tmp_path_factory.mktemp("hostile")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(url, github, folder, webhook_secret=SecretStr(SECRET)) as running,
        ):
            yield running


ROUTES: Final = [route for route in routes_of(description()) if route.path != "/events"]
WITH_BODY: Final = [route for route in ROUTES if route.takes_json]


def repeated(piece: bytes, size: int) -> bytes:
    return b"[" + piece * (size // len(piece)) + b"0]"


def members(size: int) -> bytes:
    return b"{" + b",".join(b'"%07d":1' % number for number in range(size // 13)) + b"}"


FOUR: Final = 4 * MIB - 100
#: Enough bytes for more values than are read.
ENOUGH: Final = 5 * MIB // 4
BODIES: Final[dict[str, Callable[[int], bytes]]] = {
    "lists": lambda size: repeated(b"[],", size),
    "objects": lambda size: repeated(b"{},", size),
    "numbers": lambda size: repeated(b"1e5,", size),
    "texts": lambda size: repeated(b'"",', size),
    "nested a little": lambda size: repeated(b"[" * 200 + b"]" * 200 + b",", size),
    "nested": lambda size: b"[" * size,
    "members": members,
    "digits": lambda size: b"9" * size,
    "quotes": lambda size: b'"' * size,
    "backslashes": lambda size: b'"' + b"\\" * (size - 2) + b'"',
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_large_body_without_meaning_is_refused_by_every_route(
    name: str, service: Service
) -> None:
    """One route stands for the others with the largest body that is received."""
    first, *others = WITH_BODY
    answers = await answers_of(service, [first], content=BODIES[name](FOUR), headers=JSON)
    answers |= await answers_of(service, others, content=BODIES[name](ENOUGH), headers=JSON)
    found = outcomes(answers)
    assert {
        label: text for label, text in found.items() if not text.startswith(("400 ", "422 "))
    } == {}
    assert [label for label, answer in answers.items() if len(answer.content) >= 5000] == []


LARGEST: Final = 100_000
WORST: Final[dict[str, tuple[str, str, Callable[[], Any]]]] = {
    "numbers to resolve": (
        "POST",
        "/modified-files/{id}/rebase",
        lambda: {"resolutions": [{"path": "a", "take": "value", "value": [1] * (MAX_VALUES - 20)}]},
    ),
    "lists to resolve": (
        "POST",
        "/modified-files/{id}/rebase",
        lambda: {
            "resolutions": [{"path": "a", "take": "value", "value": [[]] * (MAX_CONTAINERS - 20)}]
        },
    ),
    "names to resolve": (
        "POST",
        "/modified-files/{id}/rebase",
        lambda: {
            "resolutions": [
                {
                    "path": "a",
                    "take": "value",
                    "value": {str(n): 1 for n in range(MAX_VALUES // 2 - 20)},
                }
            ]
        },
    ),
    "depth to resolve": (
        "POST",
        "/modified-files/{id}/rebase",
        lambda: {
            "resolutions": [
                {
                    "path": "a",
                    "take": "value",
                    "value": [json.loads("[" * 190 + "]" * 190)] * (MAX_CONTAINERS // 191),
                }
            ]
        },
    ),
    "files of a release": (
        "POST",
        "/projects/{id}/releases",
        lambda: {"modified_file_ids": [UNKNOWN] * LARGEST},
    ),
    "a text of control characters": (
        "POST",
        "/validate",
        lambda: {"name": "a.yaml", "content": "\x01" * 600_000, "file_type": "config"},
    ),
    "a hundred unknown fields": (
        "POST",
        "/validate",
        lambda: {f"{'f' * 30_000}{number}": [0] * 2000 for number in range(100)},
    ),
}


@pytest.mark.parametrize("name", WORST)
async def test_the_worst_body_that_is_read_does_not_hold_the_event_loop(
    name: str, service: Service
) -> None:
    method, path, body = WORST[name]
    content = json.dumps(body()).encode()
    *_, count = counted_values(content)
    assert count.values <= MAX_VALUES
    answer = await service.http.request(
        method, path.format(id=UNKNOWN), content=content, headers=JSON
    )
    assert answer.status_code in {200, 404, 422}, answer.text[:300]
    assert len(answer.content) < 50_000


async def test_a_body_of_too_many_values_says_how_many_there_may_be(service: Service) -> None:
    body = {"resolutions": [{"path": "a", "take": "value", "value": [1] * (MAX_VALUES + 1)}]}
    answer = await service.http.post(f"/modified-files/{UNKNOWN}/rebase", json=body)
    assert fields_at_fault(answer) == {"body"}
    assert str(MAX_VALUES) in answer.text


async def test_of_thousands_of_wrong_parameters_a_hundred_are_listed(service: Service) -> None:
    answer = await service.http.get(f"/projects/{UNKNOWN}/syncs?" + "status=x&" * 6000)
    document = assert_problem(answer, 422, "invalid_request")
    assert len(document["errors"]) == 100
    assert "6000 fields are wrong" in document["detail"]


def test_every_route_with_a_body_counts_its_values() -> None:
    from benchmark_manager.config import Settings

    bounded = {
        (method.lower(), route.path)
        for route in create_app(Settings(_env_file=None)).routes
        if isinstance(route, BoundedBody)
        for method in route.methods or ()
    }
    assert {
        (route.method, route.path.replace("{path}", "{path:any_path}")) for route in WITH_BODY
    } <= bounded


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\[],{}:\n\x7fé\U0001f389', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text('a"\\,[', max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)


def objects_in(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + objects_in(inner) for inner in value.values())
    return 1 + sum(map(objects_in, value)) if isinstance(value, list) else 1


@given(values, st.sampled_from([1, 2, 3, 7, 1000]), st.booleans())
def test_no_text_has_more_values_than_are_counted(value: object, step: int, plain: bool) -> None:
    body = json.dumps(value, ensure_ascii=plain).encode()
    *_, count = counted_values(body, step=step)
    assert objects_in(value) <= count.values + 1
    assert (
        count.containers == sum(text.count(mark) for text in [body.decode()] for mark in "[{")
        or b'"' in body
    )


# Every route, with unusual values


VALUES: Final = (
    "",
    " ",
    "\0",
    "\x1b[31m",
    "\u202e",
    "\U0001f389" * 100,
    "a" * 5000,
    "..",
    "../../etc/passwd",
    "%00",
    "%2e%2e",
    "-1",
    "0",
    "1e999",
    "9" * 400,
    "NaN",
    "null",
    "[]",
    "{}",
    "'; drop",
    "$where",
    "{{7*7}}",
    "\r\nX: y",
    "\ufffd",
)
ANY: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    2**70,
    1e308,
    "",
    "\0",
    "a" * 5000,
    "\u202e\x1b",
    [],
    {},
    [None],
    {"$ne": 1},
    [[[]]],
)


def values_of(route: DescribedRoute, chosen: random.Random) -> Iterator[Json]:
    """Requests with unusual values in the path, in every query and in every header."""
    parameters = route.operation.get("parameters", [])
    names = [each["name"] for each in parameters if each["in"] == "query"]
    headers = [each["name"] for each in parameters if each["in"] == "header"]
    for value in chosen.sample(VALUES, 10):
        params = {name: chosen.choice(VALUES) for name in names}
        sent = {name: chosen.choice(VALUES).encode("utf-8", "replace") for name in headers}
        sent = {name: text.translate(None, b"\r\n\0") for name, text in sent.items()}
        yield {"url": filled(route, value), "params": params, "headers": sent}


def bodies_of(route: DescribedRoute, chosen: random.Random) -> Iterator[Json]:
    """Requests with the route's own fields in their bodies, and anything in them."""
    reference = re.search(r"#/components/schemas/(\w+)", str(route.operation["requestBody"]))
    assert reference is not None
    fields = list(description()["components"]["schemas"][reference[1]]["properties"])
    for _ in range(12):
        body = {field: chosen.choice(ANY) for field in fields if chosen.random() < 0.8}
        yield {"url": filled(route), "json": body}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
async def test_no_value_makes_a_route_fail(route: DescribedRoute, service: Service) -> None:
    chosen = random.Random(route.label)  # noqa: S311 -- which values are tried is no secret
    requests = [*values_of(route, chosen)]
    if route in WITH_BODY:
        requests += bodies_of(route, chosen)
    method = route.method.upper()
    answers = [await service.http.request(method, **request) for request in requests]
    assert [
        (request, answer.text)
        for request, answer in zip(requests, answers, strict=True)
        if answer.status_code >= 500
    ] == []


# Webhooks, which may have 25 MB


def push(size: int) -> bytes:
    return b'{"ref":"refs/heads/main","commits":[{"added":%b}]}' % repeated(b'"a",', size)


PAYLOADS: Final[dict[str, Callable[[], bytes]]] = {
    "lists": lambda: repeated(b"[],", 24 * MIB),
    "nested": lambda: b"[" * (24 * MIB),
    "nested a little": lambda: repeated(b"[" * 900 + b"]" * 900 + b",", 24 * MIB),
    "paths": lambda: push(24 * MIB),
    "wrong paths": lambda: b'{"commits":[{"added":%b}]}' % repeated(b"0,", 2 * MIB),
    "blanks": lambda: b" " * (24 * MIB) + b"{}",
}


@pytest.mark.parametrize(
    ("name", "as_form"), [*((name, False) for name in PAYLOADS), ("paths", True)]
)
async def test_no_webhook_holds_the_event_loop(name: str, as_form: bool, service: Service) -> None:
    body = PAYLOADS[name]()
    if as_form:
        body = b"payload=" + body[: 8 * MIB].replace(b"[", b"%5B").replace(b'"', b"%22").replace(
            b",", b"%2C"
        )
    sent = {**headers(body), "Content-Type": FORM if as_form else "application/json"}
    answer = await service.http.post(PATH, content=body[: 25 * MIB], headers=sent)
    assert answer.status_code in {400, 401, 422, 503}, answer.text
