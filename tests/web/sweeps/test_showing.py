"""The pages of a sweep: its cells, what they change, following upstream, and who may do what."""

import re
import shlex
from html import unescape

import pytest
import pytest_asyncio

from support.browser import Browser, WebPage
from support.service import Json, Service
from support.site import check
from support.sweep_form import ENGINE_PATH, FILES, form_of, press

SEQS = {"name": "seqs", "set": "engine:engine.max_num_seqs", "values": [128, 256, 512]}
DTYPE = {"name": "dtype", "set": "engine:engine.dtype", "values": ["auto", "fp16"]}
WORDS = re.compile(r"\s+")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sweep(module_service: Service, project: Json) -> Json:
    """Five cells: a combination is left out."""
    definition = {
        "name": "night",
        "files": {"engine": ENGINE_PATH},
        "axes": [SEQS, DTYPE],
        "exclude": [{"seqs": 512, "dtype": "fp16"}],
        "repeats": 3,
    }
    return await module_service.post(f"/projects/{project['id']}/sweeps", definition, 201)


def rows_of(page: WebPage, css: str) -> list[list[str]]:
    """Return the texts of the fields of a table, row by row."""
    [table] = re.findall(rf'<table class="{css}">(.*?)</table>', page.html, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    texts = [[unescape(re.sub("<[^>]*>", "", cell)) for cell in row] for row in cells]
    return [[WORDS.sub(" ", text).strip() for text in row] for row in texts]


async def test_two_axes_are_a_grid_whose_fields_lead_to_cells(
    browser: Browser, sweep: Json
) -> None:
    page = await browser.open(f"/ui/sweeps/{sweep['id']}")
    check(page)
    head, *rows = rows_of(page, "cell-grid")
    assert head[1:] == ["auto", "fp16"]
    assert [row[0] for row in rows] == ["128", "256", "512"]
    assert [row[1:] for row in rows] == [
        ["Valid, cell 0", "Valid, cell 1"],
        ["Valid, cell 2", "Valid, cell 3"],
        ["Valid, cell 4", "\N{EN DASH}no cell"],
    ]
    cells = {f"/ui/sweeps/{sweep['id']}/cells/{index}" for index in range(5)}
    assert cells <= set(page.links())
    assert "5 cells \N{MULTIPLICATION SIGN} 3 = 15 measurements" in page.text


@pytest.mark.parametrize(
    ("query", "cells"),
    [
        ("axis.seqs=128", ["0", "1"]),
        ("axis.seqs=128&axis.dtype=fp16", ["1"]),
        ("axis.seqs=&axis.dtype=%22auto%22", ["0", "2", "4"]),
        ("axis.seqs=%22128%22", []),
    ],
)
async def test_cells_are_filtered_by_the_values_of_axes(
    browser: Browser, sweep: Json, query: str, cells: list[str]
) -> None:
    page = await browser.open(f"/ui/sweeps/{sweep['id']}?{query}")
    check(page)
    shown = rows_of(page, "list cell-list")[1:] if cells else []
    assert [row[0] for row in shown] == cells
    assert ("No such cells" in page.text) == (cells == [])


async def test_a_cell_shows_what_it_changes_and_its_release_leads_back(
    service: Service, browser: Browser, project: Json, sweep: Json
) -> None:
    page = await browser.open(f"/ui/sweeps/{sweep['id']}/cells/1")
    check(page)
    detail = await service.get(f"/sweeps/{sweep['id']}/cells/1")
    assert detail["digest"] in page.text
    assert rows_of(page, "list")[1:] == [
        ["engine.max_num_seqs", "256", "128", ENGINE_PATH],
        ["engine.dtype", '"auto"', '"fp16"', ENGINE_PATH],
    ]
    assert "-  max_num_seqs: 256  # per step" in page.text
    assert f"/ui/sweeps/{sweep['id']}/cells/2" in page.links()
    release = await browser.open(f"/ui/releases/{detail['digest']}")
    check(release)
    assert f"/ui/sweeps/{sweep['id']}/cells/1" in release.links()
    assert "seqs=128" in release.text
    home = f"/ui/projects/{project['id']}/releases"
    listed = {query: (await browser.open(home + query)).links() for query in ("", "?cells=true")}
    address = f"/ui/releases/{detail['digest']}"
    assert [address in links for links in listed.values()] == [False, True]


async def test_the_commands_of_a_cell_name_its_release(
    browser: Browser, service: Service, sweep: Json
) -> None:
    page = await browser.open(f"/ui/sweeps/{sweep['id']}/cells/0")
    digest = (await service.get(f"/sweeps/{sweep['id']}/cells/0"))["digest"]
    [command] = re.findall(r'aria-label="benchmark-manager pull">(.*?)</pre>', page.html)
    assert shlex.split(command)[1:] == ["benchmark-manager", "pull", digest, "--to", "files"]


async def test_a_rebase_shows_first_what_changed_and_what_it_would_make(
    service: Service, browser: Browser, project: Json, sweep: Json
) -> None:
    repository = service.github.hosting.repositories()[0].repository
    moved = FILES[ENGINE_PATH].replace(b"dtype: auto", b"dtype: auto\n  max_model_len: 8192")
    repository.commit({ENGINE_PATH: moved}, message="on")
    await service.sync(project["id"])
    listed = await browser.open(f"/ui/projects/{project['id']}/sweeps")
    assert "Files changed" in listed.text
    page = await browser.open(f"/ui/sweeps/{sweep['id']}/rebase")
    check(page)
    assert "+  max_model_len: 8192" in page.text
    assert "5 cells" in page.text
    page = await browser.send(page.form("/rebase"))
    assert "The sweep was rebased." in page.text
    assert [row[0] for row in rows_of(page, "list cell-list")[1:]] == ["5", "6", "7", "8", "9"]
    retired = await browser.open(f"/ui/sweeps/{sweep['id']}?retired=true")
    check(retired)
    assert [row[0] for row in rows_of(retired, "list cell-list")[1:]] == ["0", "1", "2", "3", "4"]
    cell = await browser.open(f"/ui/sweeps/{sweep['id']}/cells/0")
    assert "Retired" in cell.text


async def test_a_conflict_names_the_path_and_nothing_is_rebased(
    service: Service, browser: Browser, project: Json, sweep: Json
) -> None:
    repository = service.github.hosting.repositories()[0].repository
    renamed = FILES[ENGINE_PATH].replace(b"dtype", b"torch_dtype")
    repository.commit({ENGINE_PATH: renamed}, message="on")
    await service.sync(project["id"])
    page = await browser.open(f"/ui/sweeps/{sweep['id']}/rebase")
    check(page)
    assert "Conflict" in page.text
    assert "engine.torch_dtype" in page.text
    page = await browser.send(page.form("/rebase"), 409)
    check(page)
    assert f"{ENGINE_PATH}:engine.dtype" in page.text
    assert (await service.get(f"/sweeps/{sweep['id']}"))["generation"] == 1


async def test_a_sweep_is_deleted_unless_it_changed_meanwhile(
    service: Service, browser: Browser, sweep: Json
) -> None:
    page = await browser.open(f"/ui/sweeps/{sweep['id']}/delete")
    await service.put(f"/sweeps/{sweep['id']}", {**sweep["definition"], "name": "other"})
    page = await browser.send(page.form("/delete"), 412)
    check(page)
    page = await browser.send(page.form("/delete"))
    assert "The sweep was deleted." in page.text
    assert "No sweeps yet" in page.text
    await browser.open(f"/ui/sweeps/{sweep['id']}", 404)


async def test_a_thousand_cells_of_twenty_axes_stay_a_page(
    service: Service, browser: Browser, project: Json
) -> None:
    """They are shown in pages of fewer rows; names and values are shortened."""
    long = {"name": "n" * 60, "set": "engine:engine.max_num_seqs", "values": list(range(1000))}
    others = [
        {"name": f"{number} {'&' * 56}", "set": f"engine:engine.k{number}?", "values": ["&" * 60]}
        for number in range(19)
    ]
    definition = {
        "name": "large",
        "files": {"engine": ENGINE_PATH},
        "axes": [long, *others],
    }
    sweep = await service.post(f"/projects/{project['id']}/sweeps", definition, 201)
    for page in ("", "/edit", "/cells/999", "/definition"):
        check(await browser.open(f"/ui/sweeps/{sweep['id']}{page}"))
    first = await browser.open(f"/ui/sweeps/{sweep['id']}")
    [following] = {link for link in first.links() if "cursor=" in link}
    assert "1,000 cells" in first.text
    assert [row[0] for row in rows_of(await browser.open(following), "list cell-list")[1:]] == [
        str(number) for number in range(20, 40)
    ]


async def test_the_longest_names_and_values_fit_on_pages(
    service: Service, browser: Browser, project: Json
) -> None:
    """Fifty axes of 60 values each, all of a character that takes much of a page."""
    axes = [
        {
            "name": f"{number:02}{'&' * 190}",
            "set": f"engine:engine.k{number}?",
            "values": [f"{value:02}{'&' * 30}" for value in range(60)],
        }
        for number in range(50)
    ]
    definition = {"name": "&" * 200, "files": {"engine": ENGINE_PATH}, "axes": axes}
    sweep = await service.post(
        f"/projects/{project['id']}/sweeps", {**definition, "combine": "zip"}, 201
    )
    for page in ("", "/edit", "/cells/59", "/definition", "/rebase"):
        check(await browser.open(f"/ui/sweeps/{sweep['id']}{page}"))
    edit = await browser.open(f"/ui/sweeps/{sweep['id']}/edit")
    assert form_of(edit).fields["mode"] == "yaml"
    kept = await press(browser, edit, "form")
    check(kept)
    assert "too long for the form" in kept.text
