"""Histories of more commits than a page of GitHub has, and the cursors that lead through them."""

import base64
import json
from urllib.parse import parse_qs

import pytest
import pytest_asyncio

from support.file_histories import FileHistory, address, begun, commit, requests_for_history
from support.problems import fields_at_fault
from support.service import Service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def history(module_service: Service) -> FileHistory:
    return await begun(module_service, 230)


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [
        (100, [100, 100, 30]),
        (1000, [100, 100, 30]),
        (40, [40, 40, 20, 40, 40, 20, 30]),
        (99, [99, 1, 99, 1, 30]),
    ],
)
async def test_a_long_history_is_paged_and_each_page_of_github_read_once(
    service: Service, history: FileHistory, limit: int, sizes: list[int]
) -> None:
    answers = []
    url = f"{history.path}?limit={limit}"
    while url:
        answers.append(await service.http.get(url))
        url = answers[-1].links.get("next", {}).get("url", "")
    assert [answer.status_code for answer in answers] == [200] * len(sizes)
    assert [len(answer.json()) for answer in answers] == sizes
    assert [row["sha"] for answer in answers for row in answer.json()] == history.ids[::-1]
    counted = [answer for answer in answers if "x-total-count" in answer.headers]
    assert counted == [], "GitHub does not report the number"
    assert len(await service.rows(history.path, limit=70)) == 230
    pages = [parse_qs(request.query)["page"] for request in requests_for_history(service)]
    assert pages == [["1"], ["2"], ["3"]]


async def test_a_cursor_stays_with_the_commit_that_its_list_began_at(
    service: Service, history: FileHistory
) -> None:
    first = await service.http.get(history.path)
    commit(history.repository, 500)
    await service.sync(history.project["id"])
    second = await service.http.get(first.links["next"]["url"])
    shas = [row["sha"] for row in (*first.json(), *second.json())]
    assert shas == history.ids[::-1][:200]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def moved(module_service: Service) -> tuple[FileHistory, str]:
    """A history which went on after a list of it began, and that list's cursor."""
    history = await begun(module_service, 101, "acme/moved")
    link = (await module_service.http.get(history.path)).links["next"]["url"]
    commit(history.repository, 500)
    await module_service.sync(history.project["id"])
    return history, link.partition("cursor=")[2]


async def test_a_cursor_of_another_files_list_is_refused(
    module_service: Service, moved: tuple[FileHistory, str]
) -> None:
    history, cursor = moved
    other = await address(module_service, history.project, "config/other.yaml")
    answer = await module_service.http.get(other, params={"cursor": cursor})
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "W10",
        "eyJhIjogMX0",
        "\0",
        "WyJ4IiwgMF0",
        "WzEsIDJd",
        "bnVsbA",
        "ü",
        pytest.param("A" * 16_000, id="16,000 letters"),
    ],
)
async def test_a_cursor_which_no_list_gave_is_refused(
    module_service: Service, moved: tuple[FileHistory, str], cursor: str
) -> None:
    history, _ = moved
    answer = await module_service.http.get(history.path, params={"cursor": cursor})
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


def _encoded(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


async def test_a_cursor_of_a_commit_at_which_no_list_began_is_refused(
    module_service: Service, moved: tuple[FileHistory, str]
) -> None:
    history, _ = moved
    cursor = _encoded(history.ids[0], 0)
    answer = await module_service.http.get(history.path, params={"cursor": cursor})
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


@pytest.mark.parametrize("offset", [[-1], [True], [10**30], [1.5], []], ids=str)
async def test_a_cursor_without_an_offset_in_the_list_is_refused(
    module_service: Service, moved: tuple[FileHistory, str], offset: list[object]
) -> None:
    history, cursor = moved
    head, _ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    answer = await module_service.http.get(history.path, params={"cursor": _encoded(head, *offset)})
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


async def test_a_cursor_with_an_offset_in_the_list_is_taken(
    module_service: Service, moved: tuple[FileHistory, str]
) -> None:
    """As the control of the refusals, which differ from it in the offset alone."""
    history, cursor = moved
    head, _ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    rows = await module_service.rows(history.path, cursor=_encoded(head, 100))
    assert [row["sha"] for row in rows] == history.ids[:1]


async def test_the_embedded_database_keeps_the_pages_of_a_long_history(
    embedded_service: Service,
) -> None:
    history = await begun(embedded_service, 105)
    lists = [await embedded_service.rows(history.path, limit=60) for _ in range(2)]
    assert [[row["sha"] for row in rows] for rows in lists] == [history.ids[::-1]] * 2
    assert len(requests_for_history(embedded_service)) == 2
