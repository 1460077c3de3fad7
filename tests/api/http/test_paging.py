"""Pages of every list: `limit`, `cursor`, the Link header and X-Total-Count."""

import base64
import json
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import pytest_asyncio

from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service
from support.unchanged_service import unchanged_service

OID = "65f0c0ffee65f0c0ffee65f0"
MIB = 1024 * 1024


def cursor(values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def link(answer: httpx.Response) -> str | None:
    url: str | None = answer.links.get("next", {}).get("url")
    return url


async def pages(service: Service, path: str, **params: object) -> AsyncIterator[httpx.Response]:
    url: str | None = str(httpx.URL(path, params=params))
    while url is not None:
        answer = await service.http.get(url)
        assert answer.status_code == 200, answer.text
        yield answer
        url = link(answer)


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first."""
    async with unchanged_service(module_service) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def lists(module_service: Service) -> dict[str, tuple[str, list[str]]]:
    """Each list's address, the member which tells its rows apart, and all their values in order."""
    service = module_service
    repository = service.repository(
        "acme/lists", {f"config/{n:02}.yaml": b"a: 1\n" for n in range(7)}
    )
    for n in range(6):
        await service.project("acme/lists", name=f"p{n}")
    project = await service.synced("acme/lists", name="p6")
    for n in range(6):
        repository.commit({"config/00.yaml": f"a: {n}\n".encode()})
        await service.sync(project["id"])
    for file in (await service.files(project["id"])).values():
        await service.variant(project["id"], file)
    here = f"/projects/{project['id']}"
    addresses = {
        "/projects": "name",
        f"{here}/files": "path",
        f"{here}/modified-files": "path",
        f"{here}/syncs": "id",
        f"{here}/files?include=content": "path",
    }
    found = {}
    for address, member in addresses.items():
        rows = [row[member] for row in (await service.http.get(address)).json()]
        assert len(rows) == 7, address
        found[address] = (member, rows)
    return found


async def test_following_the_links_gives_every_row_once_and_in_order(
    service: Service, lists: dict[str, tuple[str, list[str]]]
) -> None:
    for address, (member, expected) in lists.items():
        for limit in (1, 2, 3, 6, 7, 8, 1000):
            path = httpx.URL(address).copy_merge_params({"limit": str(limit)})
            answers = [answer async for answer in pages(service, str(path), **dict(path.params))]
            rows = [row[member] for answer in answers for row in answer.json()]
            assert rows == expected, (address, limit)
            assert len(answers) == -(-7 // limit), (
                "no page is empty, and none is short but the last"
            )
            assert {answer.headers["x-total-count"] for answer in answers} == {"7"}
            for answer in answers[:-1]:
                assert answer.headers["link"].endswith('>; rel="next"')
                url = httpx.URL(str(link(answer)))
                assert url.path == httpx.URL(address).path
                assert url.params["limit"] == str(limit), "the link keeps the other parameters"
                assert url.params.get("include") == path.params.get("include")
            assert "link" not in answers[-1].headers


async def test_a_limit_is_1_to_1000_and_100_if_not_given(service: Service) -> None:
    service.repository("acme/bench", {f"config/{n:04}.yaml": b"a: 1\n" for n in range(1001)})
    project = await service.synced("acme/bench")
    path = f"/projects/{project['id']}/files"
    for given, expected in ({}, 100), ({"limit": 1}, 1), ({"limit": 1000}, 1000):
        answer = await service.http.get(path, params=given)
        assert len(answer.json()) == expected
        assert answer.headers["x-total-count"] == "1001"
    for wrong in (0, -1, 1001):
        assert fields_at_fault(await service.http.get(path, params={"limit": wrong})) == {"limit"}
    assert len(await service.files(project["id"])) == 1001


async def test_what_comes_and_goes_between_pages_disturbs_no_other_row(service: Service) -> None:
    """Rows that stay are listed exactly once while others are made and deleted at the cursor."""
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    original = (await service.files(project["id"]))["config/a.yaml"]
    ids = {}
    for n in range(10, 30, 2):
        variant = await service.variant(project["id"], original, modified_name=f"{n}.yaml")
        ids[n] = variant["id"]
    seen: list[str] = []
    turn = 0
    async for answer in pages(service, f"/projects/{project['id']}/modified-files", limit=3):
        seen += [row["modified_name"] for row in answer.json()]
        last = int(seen[-1].removesuffix(".yaml"))
        if turn < 3:
            # The very row that the cursor names, one before it and one behind are deleted or made.
            assert (
                await service.http.delete(f"/modified-files/{ids.pop(last)}")
            ).status_code == 204
            for n in (last - 5, last + 1):
                await service.variant(project["id"], original, modified_name=f"{n}.yaml")
        turn += 1
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert {f"{n}.yaml" for n in ids} <= set(seen)


async def test_a_sync_between_pages_disturbs_no_other_row(service: Service) -> None:
    paths = [f"config/{n:02}.yaml" for n in range(10)]
    repository = service.repository("acme/bench", dict.fromkeys(paths, b"a: 1\n"))
    project = await service.synced("acme/bench")
    seen: list[str] = []
    async for answer in pages(service, f"/projects/{project['id']}/files", limit=4):
        seen += [row["path"] for row in answer.json()]
        if len(seen) == 4:
            repository.commit(
                {"config/03.yaml": None, "config/00a.yaml": b"", "config/05a.yaml": b""}
            )
            await service.sync(project["id"])
            assert answer.headers["x-total-count"] == "10"
        else:
            assert answer.headers["x-total-count"] == "11"
    assert seen == sorted([*paths, "config/05a.yaml"])


async def test_a_filter_holds_on_every_page(service: Service) -> None:
    files = {f"{folder}/{n}.yaml": b"a: 1\n" for folder in ("config", "job") for n in range(5)}
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    params = {"limit": 2, "file_type": "job", "q": "B/"}
    answers = [
        answer async for answer in pages(service, f"/projects/{project['id']}/files", **params)
    ]
    assert [row["path"] for answer in answers for row in answer.json()] == [
        f"job/{n}.yaml" for n in range(5)
    ]
    assert {answer.headers["x-total-count"] for answer in answers} == {"5"}


async def test_the_longest_names_still_make_cursors(service: Service) -> None:
    """Beyond ASCII, beyond the BMP, and letters which grow when their case is folded."""
    before = len(await service.rows("/projects"))
    for n in range(3):
        await service.project("acme/bench", name="ΐ" * 199 + str(n))
    long = "/".join(["漢" * 80] * 14)
    service.repository(
        "acme/bench", {f"config/{long}/{n}\n\"'&#<>🚀.yaml": b"a: 1\n" for n in range(3)}
    )
    project = await service.synced("acme/bench", name="last")
    for path, expected in (("/projects", before + 4), (f"/projects/{project['id']}/files", 3)):
        answers = [answer async for answer in pages(service, path, limit=1)]
        assert len(answers) == len({answer.text for answer in answers}) == expected


async def test_a_cursor_which_the_list_did_not_give_is_refused(
    service: Service, lists: dict[str, tuple[str, list[str]]]
) -> None:
    times = [{"at": "2026-01-01T00:00:00+00:00"}, OID]
    texts = ["config/00.yaml", OID]
    wrong: list[object] = [
        *(
            [],
            {},
            None,
            5,
            "text",
            [OID],
            ["a", "b"],
            ["a", 5],
            ["a", None],
            [None, OID],
            [5, OID],
            [["a"], OID],
        ),
        *(
            ["a", OID, "c"],
            ["a", OID[:23]],
            ["a", "65 f0 c0 ff ee 65 f0 c0 "],
            ["\ud800", OID],
            [{"at": 5}, OID],
        ),
        *(
            [{"at": "9999-12-31T23:59:59-14:00"}, OID],
            [{"at": "0001-01-01T00:00:00+14:00"}, OID],
            [{"$gt": ""}, OID],
        ),
    ]
    nonsense = (
        "",
        "x",
        "!",
        "ü",
        "=",
        "a" * 5,
        "W10",
        "\0",
        "[" * 100,
        cursor("[" * 50_000)[:16_000],
    )
    for path in {address.partition("?")[0] for address in lists}:
        foreign = texts if path.endswith("/syncs") else times
        for text in (*nonsense, *(cursor(values) for values in [*wrong, foreign])):
            answer = await service.http.get(path, params={"cursor": text})
            assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}, (path, text)
        answer = await service.http.get(path, params={"cursor": "x" * 20_000})
        assert fields_at_fault(answer) == {"cursor"}


async def test_a_cursor_is_no_way_into_another_project(
    service: Service, lists: dict[str, tuple[str, list[str]]], files: dict[str, bytes]
) -> None:
    service.repository("acme/other", files)
    other = await service.synced("acme/other")
    [path] = [address for address in lists if address.endswith("/files")]
    first = await service.http.get(path, params={"limit": 1})
    given = httpx.URL(str(link(first))).params["cursor"]
    answer = await service.http.get(f"/projects/{other['id']}/files", params={"cursor": given})
    assert {row["project_id"] for row in answer.json()} == {other["id"]}


async def test_an_unknown_project_goes_before_a_wrong_cursor(service: Service) -> None:
    for kind in ("files", "modified-files", "syncs"):
        answer = await service.http.get(f"/projects/{OID}/{kind}", params={"cursor": "x"})
        assert_problem(answer, 404, "project_not_found")


async def test_a_list_with_contents_ends_before_16_mib_but_never_empty(service: Service) -> None:
    """The same content under every path: 1 MiB each, of which 16 fit."""
    text = b"# " + b"x" * (MIB - 3) + b"\n"
    service.repository("acme/bench", {f"config/{n:02}.yaml": text for n in range(18)})
    project = await service.synced("acme/bench")
    sizes = []
    seen: list[Json] = []
    async for answer in pages(service, f"/projects/{project['id']}/files", include="content"):
        rows = answer.json()
        sizes.append(sum(row["size"] for row in rows))
        seen += rows
        assert answer.headers["x-total-count"] == "18"
    assert sizes == [16 * MIB, 2 * MIB]
    assert [row["path"] for row in seen] == [f"config/{n:02}.yaml" for n in range(18)]
    assert all(row["content"].encode() == text for row in seen)
