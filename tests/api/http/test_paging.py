"""Pages of every list: `limit`, `cursor`, the Link header and X-Total-Count."""

import base64
import json
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import pytest_asyncio

from support.outcomes import UNKNOWN, outcome
from support.problems import assert_problem, fields_at_fault
from support.service import Service
from support.unchanged_service import unchanged_service

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
    """The service of all tests here, for each as it was at first.

    Tests which only read use `module_service`.
    """
    async with unchanged_service(module_service) as running:
        yield running


#: The lists of which the module has seven rows each: an address, and a member that differs
#: in each row.
LISTS = {
    "/projects": "name",
    "{project}/files": "path",
    "{project}/modified-files": "path",
    "{project}/syncs": "id",
    "{project}/files?include=content": "path",
}
PATHS = [path for path in LISTS if "?" not in path]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def project(module_service: Service) -> str:
    """The address of the last of seven projects, with seven files, variants and syncs."""
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
    return f"/projects/{project['id']}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rows(module_service: Service, project: str) -> dict[str, list[str]]:
    """The values that distinguish the rows of each list, in order."""
    found = {}
    for address, member in LISTS.items():
        answer = await module_service.http.get(address.format(project=project))
        found[address] = [row[member] for row in answer.json()]
    return found


def test_every_list_has_seven_rows(rows: dict[str, list[str]]) -> None:
    assert {address: len(found) for address, found in rows.items()} == dict.fromkeys(LISTS, 7)


def parameters(url: httpx.URL) -> dict[str, str]:
    """Return what an address asks for besides its position in the list."""
    return {name: value for name, value in url.params.items() if name != "cursor"}


@pytest.mark.parametrize("limit", [1, 3, 7, 8])
@pytest.mark.parametrize("address", LISTS)
async def test_following_the_links_gives_every_row_once_and_in_order(
    module_service: Service, project: str, rows: dict[str, list[str]], address: str, limit: int
) -> None:
    path = httpx.URL(address.format(project=project)).copy_merge_params({"limit": str(limit)})
    answers = [answer async for answer in pages(module_service, str(path), **dict(path.params))]
    found = [[row[LISTS[address]] for row in answer.json()] for answer in answers]
    # No page is empty, and none is short but the last.
    assert found == [rows[address][begin : begin + limit] for begin in range(0, 7, limit)]
    assert {answer.headers["x-total-count"] for answer in answers} == {"7"}
    assert "link" not in answers[-1].headers
    urls = [httpx.URL(str(link(answer))) for answer in answers[:-1]]
    assert [(url.path, parameters(url)) for url in urls] == [(path.path, parameters(path))] * len(
        urls
    )
    headers = [answer.headers["link"] for answer in answers[:-1]]
    assert [header for header in headers if not header.endswith('>; rel="next"')] == []


async def test_a_limit_is_1_to_1000_and_100_if_not_given(service: Service) -> None:
    service.repository("acme/bench", {f"config/{n:04}.yaml": b"a: 1\n" for n in range(1001)})
    project = await service.synced("acme/bench")
    path = f"/projects/{project['id']}/files"
    limits: tuple[dict[str, int], ...] = ({}, {"limit": 1}, {"limit": 1000})
    right = [await service.http.get(path, params=given) for given in limits]
    assert [len(answer.json()) for answer in right] == [100, 1, 1000]
    assert [answer.headers["x-total-count"] for answer in right] == ["1001"] * 3
    wrong = [await service.http.get(path, params={"limit": given}) for given in (0, -1, 1001)]
    assert [outcome(answer) for answer in wrong] == ["422 invalid_request: limit"] * 3
    assert len(await service.files(project["id"])) == 1001


async def test_rows_made_and_deleted_between_pages_change_no_other_row(service: Service) -> None:
    """Rows that stay are listed exactly once while others are made and deleted at the cursor."""
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    original = (await service.files(project["id"]))["config/a.yaml"]
    ids = {}
    for n in range(10, 30, 2):
        variant = await service.variant(project["id"], original, modified_name=f"{n}.yaml")
        ids[n] = variant["id"]
    seen: list[str] = []
    deletions: list[int] = []
    async for answer in pages(service, f"/projects/{project['id']}/modified-files", limit=3):
        seen += [row["modified_name"] for row in answer.json()]
        last = int(seen[-1].removesuffix(".yaml"))
        if len(deletions) < 3:
            # The very row that the cursor names, one before it and one behind are deleted or made.
            deleted = await service.http.delete(f"/modified-files/{ids.pop(last)}")
            deletions.append(deleted.status_code)
            for n in (last - 5, last + 1):
                await service.variant(project["id"], original, modified_name=f"{n}.yaml")
    assert deletions == [204] * 3
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert {f"{n}.yaml" for n in ids} <= set(seen)


async def test_a_sync_between_pages_changes_no_other_row(service: Service) -> None:
    paths = [f"config/{n:02}.yaml" for n in range(10)]
    repository = service.repository("acme/bench", dict.fromkeys(paths, b"a: 1\n"))
    project = await service.synced("acme/bench")
    seen: list[str] = []
    totals: list[str] = []
    async for answer in pages(service, f"/projects/{project['id']}/files", limit=4):
        if not seen:
            repository.commit(
                {"config/03.yaml": None, "config/00a.yaml": b"", "config/05a.yaml": b""}
            )
            await service.sync(project["id"])
        seen += [row["path"] for row in answer.json()]
        totals.append(answer.headers["x-total-count"])
    assert seen == sorted([*paths, "config/05a.yaml"])
    assert totals == ["10", "11", "11"]


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
    texts = [
        [answer.text async for answer in pages(service, path, limit=1)]
        for path in ("/projects", f"/projects/{project['id']}/files")
    ]
    assert [len(found) for found in texts] == [before + 4, 3]
    assert [len(set(found)) for found in texts] == [before + 4, 3]


#: What no list gives as a cursor, though it can be read.
WRONG_VALUES: tuple[object, ...] = (
    [],
    {},
    None,
    5,
    "text",
    [UNKNOWN],
    ["a", "b"],
    ["a", 5],
    ["a", None],
    [None, UNKNOWN],
    [5, UNKNOWN],
    [["a"], UNKNOWN],
    ["a", UNKNOWN, "c"],
    ["a", UNKNOWN[:23]],
    ["a", "65 f0 c0 ff ee 65 f0 c0 "],
    ["\ud800", UNKNOWN],
    [{"at": 5}, UNKNOWN],
    [{"$gt": ""}, UNKNOWN],
    [{"at": "9999-12-31T23:59:59-14:00"}, UNKNOWN],
    [{"at": "0001-01-01T00:00:00+14:00"}, UNKNOWN],
)
#: What cannot be read as a cursor.
UNREADABLE = (
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
#: What lists of another kind give as a cursor.
OF_TIMES, OF_TEXTS = [{"at": "2026-01-01T00:00:00+00:00"}, UNKNOWN], ["config/00.yaml", UNKNOWN]


@pytest.mark.parametrize("path", PATHS)
async def test_a_cursor_which_the_list_did_not_give_is_refused(
    module_service: Service, project: str, path: str
) -> None:
    foreign = OF_TEXTS if path.endswith("/syncs") else OF_TIMES
    texts = [*UNREADABLE, *(cursor(values) for values in (*WRONG_VALUES, foreign))]
    outcomes = {
        text: outcome(
            await module_service.http.get(path.format(project=project), params={"cursor": text})
        )
        for text in texts
    }
    assert outcomes == dict.fromkeys(texts, "422 invalid_cursor: cursor")


@pytest.mark.parametrize("path", PATHS)
async def test_a_cursor_of_20_000_letters_is_refused(
    module_service: Service, project: str, path: str
) -> None:
    answer = await module_service.http.get(
        path.format(project=project), params={"cursor": "x" * 20_000}
    )
    assert fields_at_fault(answer) == {"cursor"}


async def test_a_cursor_of_another_project_shows_none_of_its_rows(
    service: Service, project: str, files: dict[str, bytes]
) -> None:
    service.repository("acme/other", files)
    other = await service.synced("acme/other")
    first = await service.http.get(f"{project}/files", params={"limit": 1})
    given = httpx.URL(str(link(first))).params["cursor"]
    answer = await service.http.get(f"/projects/{other['id']}/files", params={"cursor": given})
    assert {row["project_id"] for row in answer.json()} == {other["id"]}


@pytest.mark.parametrize("kind", ["files", "modified-files", "syncs"])
async def test_an_unknown_project_goes_before_a_wrong_cursor(
    module_service: Service, kind: str
) -> None:
    answer = await module_service.http.get(f"/projects/{UNKNOWN}/{kind}", params={"cursor": "x"})
    assert_problem(answer, 404, "project_not_found")


async def test_a_list_with_contents_ends_before_16_mib_but_never_empty(service: Service) -> None:
    """The same content under every path: 1 MiB each, of which 16 fit."""
    text = b"# " + b"x" * (MIB - 3) + b"\n"
    service.repository("acme/bench", {f"config/{n:02}.yaml": text for n in range(18)})
    project = await service.synced("acme/bench")
    path = f"/projects/{project['id']}/files"
    answers = [answer async for answer in pages(service, path, include="content")]
    sizes = [sum(row["size"] for row in answer.json()) for answer in answers]
    assert sizes == [16 * MIB, 2 * MIB]
    assert [answer.headers["x-total-count"] for answer in answers] == ["18", "18"]
    rows = [row for answer in answers for row in answer.json()]
    assert [row["path"] for row in rows] == [f"config/{n:02}.yaml" for n in range(18)]
    assert [row["path"] for row in rows if row["content"].encode() != text] == []
