"""Readers see sweeps and pull their cells; editors make and change them."""

import re

import pytest

from support.known_principals import Callers, callers_of
from support.principals import editor_of, reader_of, stranger
from support.service import Json, Service
from support.sweep_form import ENGINE_PATH

HTML = {"Accept": "text/html"}


@pytest.fixture
async def sweep(service: Service, project: Json) -> Json:
    definition = {
        "name": "night",
        "files": {"engine": ENGINE_PATH},
        "axes": [{"name": "seqs", "set": "engine:engine.max_num_seqs", "values": [1, 2]}],
    }
    return await service.post(f"/projects/{project['id']}/sweeps", definition, 201)


async def offered(callers: Callers, name: str, path: str) -> set[str]:
    """Return the ends of the addresses of links and forms that change a sweep."""
    answer = await callers.ask(name, "GET", path, headers=HTML)
    assert answer.status_code == 200, path
    found = re.findall(
        r'(?:href|action)="[^"]*(/edit|/rebase|/delete|/sweeps/new)[?"]', answer.text
    )
    return set(found)


@pytest.mark.parametrize(
    ("name", "on_list", "on_sweep"),
    [("reader", set(), set()), ("editor", {"/sweeps/new"}, {"/edit", "/delete"})],
)
async def test_the_pages_offer_what_the_role_allows(
    service: Service,
    project: Json,
    sweep: Json,
    *,
    name: str,
    on_list: set[str],
    on_sweep: set[str],
) -> None:
    key = project["id"]
    async with callers_of(service, reader=reader_of(key), editor=editor_of(key)) as callers:
        assert await offered(callers, name, f"/ui/projects/{key}/sweeps") == on_list
        assert await offered(callers, name, f"/ui/sweeps/{sweep['id']}") == on_sweep
        cell = await callers.ask(name, "GET", f"/ui/sweeps/{sweep['id']}/cells/1", headers=HTML)
        assert "benchmark-manager pull" in cell.text


@pytest.mark.parametrize(("name", "status"), [("reader", 403), ("stranger", 404)])
async def test_others_are_refused_and_nothing_changes(
    service: Service, project: Json, sweep: Json, name: str, status: int
) -> None:
    key, home = project["id"], f"/ui/sweeps/{sweep['id']}"
    async with callers_of(service, reader=reader_of(key), stranger=stranger()) as callers:
        new = [f"/ui/projects/{key}/sweeps/new", f"/ui/projects/{key}/sweeps/import"]
        asked = [("GET", path) for path in (*new, f"{home}/edit", f"{home}/delete")]
        answers = {
            (method, path): (await callers.ask(name, method, path, headers=HTML)).status_code
            for method, path in asked
        }
    assert set(answers.values()) == {status}
    assert (await service.get(f"/sweeps/{sweep['id']}"))["revision"] == sweep["revision"]


@pytest.mark.parametrize("name", ["reader", "stranger"])
async def test_the_form_of_a_deleted_sweep_opens_no_project_to_others(
    service: Service, project: Json, name: str
) -> None:
    key = project["id"]
    async with callers_of(service, reader=reader_of(key), stranger=stranger()) as callers:
        page = await callers.ask(name, "GET", "/ui/help", headers=HTML)
        [token] = set(re.findall(r'name="csrf_token" value="([^"]+)"', page.text))
        path = f"/ui/sweeps/{'0' * 24}/edit"
        typed = {"csrf_token": token, "do": "preview", "mode": "form", "project": key}
        answer = await callers.ask(name, "POST", path, headers=HTML, data=typed)
    assert answer.status_code == 404
    assert ENGINE_PATH not in answer.text
