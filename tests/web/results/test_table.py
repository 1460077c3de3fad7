"""The table of results: what was varied beside what came out, and all state in the address."""

import csv
import re
from html import unescape
from urllib.parse import urlencode

import pytest

from support.browser import Browser, WebPage
from support.measured_pages import MeasuredPages, plain, upload
from support.service import Service
from support.site import check

WORDS = re.compile(r"\s+")


def rows_of(page: WebPage) -> list[list[str]]:
    """Return the texts of the fields of the table's rows, row by row."""
    [table] = re.findall(r'<table class="result-table">(.*?)</table>', page.html, re.DOTALL)
    [body] = re.findall(r"<tbody>(.*?)</tbody>", table, re.DOTALL)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    texts = [[unescape(re.sub("<[^>]*>", " ", cell)) for cell in row] for row in cells]
    return [[WORDS.sub(" ", text).strip() for text in row] for row in texts]


def heads_of(page: WebPage) -> list[str]:
    return re.findall(r'<a class="sort"[^>]*><bdi>(.*?)</bdi>', page.html)


async def test_the_settings_that_differ_are_beside_what_came_out(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}")
    check(page)
    assert heads_of(page) == [
        *("Cell", "n", "engine.max_num_seqs", "engine.dtype"),
        *("ttft_p99", "output_throughput"),
    ]
    assert [row[1:4] for row in rows_of(page)] == [
        ["4 4 results", "128", '"auto"'],
        ["4 4 results", "128", '"fp16"'],
        ["1 1 result", "256", '"fp16"'],
    ]
    assert [row[4] for row in rows_of(page)] == [
        "31.5 30.75 \N{EN DASH} 32.25",
        "21.5 20.75 \N{EN DASH} 22.25",
        "40",
    ]
    assert f"/ui/sweeps/{measured.sweep}/cells/3" in page.links()


async def test_a_baseline_is_marked_and_others_are_compared_with_it(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}&baseline=0")
    check(page)
    rows = rows_of(page)
    assert "Baseline" in rows[0][0]
    assert rows[1][4].endswith("-31.7 % better")
    assert rows[2][4].endswith("+27.0 % too few repeats")
    assert "Pareto front" in rows[1][0]


async def test_a_link_of_a_row_makes_it_the_baseline(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}")
    [link] = [link for link in page.links() if link.endswith("&baseline=1")]
    assert "Baseline" in rows_of(await browser.open(link))[1][0]


@pytest.mark.parametrize(
    ("sort", "cells", "orders"),
    [
        ("metric.ttft_p99", ["1", "0", "3"], ["ascending"]),
        ("-metric.ttft_p99", ["3", "0", "1"], ["descending"]),
        ("-row", ["3", "1", "0"], ["descending"]),
        ("-varied.engine.max_num_seqs", ["3", "0", "1"], ["descending"]),
        ("nothing", ["0", "1", "3"], []),
    ],
)
async def test_rows_are_ordered_by_any_column(
    browser: Browser, measured: MeasuredPages, sort: str, cells: list[str], orders: list[str]
) -> None:
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}&sort={sort}")
    check(page)
    assert [row[0].split()[1] for row in rows_of(page)] == cells
    given = (head["aria-sort"] for head in page.all("th") if "aria-sort" in head)
    assert [order for order in given if order != "none"] == orders


async def test_the_form_leads_to_an_address_that_shows_the_same(
    browser: Browser, measured: MeasuredPages
) -> None:
    query = f"show=chosen&sweep={measured.sweep}&metric=failed&sort=&baseline=&group=release"
    answer = await browser.http.get(f"{measured.home}?{query}&equal=hide", headers=browser.headers)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address == f"{measured.home}?sweep={measured.sweep}&metric=failed&equal=hide"
    page = await browser.open(address)
    check(page)
    assert "1 metric is equal in all rows, and hidden" in page.text


async def test_what_was_ticked_is_compared_alone(browser: Browser, measured: MeasuredPages) -> None:
    ticks = "&".join(f"tick={measured.cells[index].removeprefix('sha256:')}" for index in (0, 3))
    answer = await browser.http.get(f"{measured.home}?show=ticked&{ticks}", headers=browser.headers)
    page = await browser.open(answer.headers["location"])
    check(page)
    assert len(rows_of(page)) == 2
    assert "2 chosen releases" in page.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"sweep={'0' * 24}", 404),
        ("sweep=nothing", 404),
        ("releases=nothing", 404),
        (f"baseline={'0' * 64}", 422),
    ],
    ids=["unknown sweep", "no sweep", "no release", "not compared"],
)
async def test_a_refused_table_says_why_and_keeps_the_form(
    browser: Browser, measured: MeasuredPages, query: str, status: int
) -> None:
    page = await browser.open(f"{measured.home}?{query}", status)
    check(page)
    assert 'role="alert"' in page.html
    assert measured.home in page.links()


async def test_results_of_retired_cells_are_shown_when_asked_for(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    sweep = await service.get(f"/sweeps/{measured.sweep}")
    definition = sweep["definition"]
    definition["axes"][0]["values"] = [256]
    await service.put(f"/sweeps/{measured.sweep}", definition)
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}")
    check(page)
    assert "8 results of retired cells are not shown." in page.text
    [link] = [link for link in page.links() if "retired=show" in link]
    shown = await browser.open(link)
    check(shown)
    assert len(rows_of(page)) == 1
    assert len(rows_of(shown)) == 3
    assert "With retired cells" in shown.text


async def test_a_baseline_that_was_retired_leads_to_the_table_that_has_it(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    sweep = await service.get(f"/sweeps/{measured.sweep}")
    definition = sweep["definition"]
    definition["axes"][0]["values"] = [256]
    await service.put(f"/sweeps/{measured.sweep}", definition)
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}&baseline=0", 422)
    check(page)
    [link] = [link for link in page.links() if "retired=show" in link]
    shown = await browser.open(link)
    assert "Baseline" in rows_of(shown)[0][0]


async def test_environments_that_differ_are_said_and_kept_apart(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    await upload(service, measured.cells[3], plain(41.0), labels='{"gpu": "H200"}')
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}&group=environment")
    check(page)
    assert "gpu" in heads_of(page)
    assert [row[0].split()[1] for row in rows_of(page)] == ["0", "1", "3", "3"]
    assert re.search("gpu.*H100, H200", page.text)


async def test_a_project_without_results_shows_the_commands_for_a_first_one(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/new", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/new", config_folder="config")
    home = f"/ui/projects/{project['id']}/results"
    page = await browser.open(home)
    check(page)
    assert "Make a release" in page.text
    made = await service.post(f"/projects/{project['id']}/releases", {"name": "one"}, 201)
    page = await browser.open(home)
    check(page)
    assert f"benchmark-manager pull {made['digest']}" in page.text
    assert f"benchmark-manager result upload result.json --release {made['digest']}" in page.text


async def test_the_same_table_is_offered_to_programs(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}&baseline=0")
    base = f"/projects/{measured.project}/results"
    query = f"sweep={measured.sweep}&baseline=0"
    assert {
        f"{base}/table?{query}&format=csv",
        f"{base}/table?{query}&format=json",
        f"{base}/report?{query}&format=brv02",
    } <= set(page.links())


async def test_metrics_whose_names_have_commas_are_offered_to_programs(
    browser: Browser, measured: MeasuredPages
) -> None:
    query = urlencode([("metric", 'latency, "p50"'), ("metric", "ttft_p99")])
    page = await browser.open(f"{measured.home}?{query}")
    [path] = [link for link in page.links() if link.endswith("format=csv")]
    answer = await browser.http.get(path)
    [names, *_] = csv.reader(answer.text.splitlines())
    assert [name for name in names if name.endswith(" n")] == ['latency, "p50" n', "ttft_p99 n"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 9),
        ("?tool=plain", 9),
        ("?tool=vllm", 0),
        ("?label=gpu%3DH100", 9),
        ("?label=gpu%3Dx", 0),
    ],
)
async def test_the_list_is_filtered(
    browser: Browser, measured: MeasuredPages, query: str, count: int
) -> None:
    page = await browser.open(f"{measured.home}/list{query}")
    check(page)
    found = {link for link in page.links() if link.startswith("/ui/results/")}
    assert len(found) == count


async def test_the_list_names_the_sweep_of_each_cell(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}/list")
    assert page.html.count("<bdi>night</bdi>") == 9


async def test_the_list_is_of_a_release_by_the_beginning_of_its_digest(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}/list?release={measured.cells[3][7:19].upper()}")
    check(page)
    found = {link for link in page.links() if link.startswith("/ui/results/")}
    assert found == {f"/ui/results/{result}" for result in measured.results[3]}


@pytest.mark.parametrize(
    ("release", "status"), [("f" * 64, 404), ("f" * 11, 422)], ids=["unknown", "short"]
)
async def test_a_release_that_does_not_exist_has_no_list(
    browser: Browser, measured: MeasuredPages, release: str, status: int
) -> None:
    page = await browser.open(f"{measured.home}/list?release={release}", status)
    check(page)


@pytest.mark.parametrize(("known", "announced"), [(-1, False), (-2, True)])
async def test_the_list_announces_results_that_an_open_table_does_not_know(
    browser: Browser, measured: MeasuredPages, known: int, announced: bool
) -> None:
    ids = sorted(result for results in measured.results.values() for result in results)
    page = await browser.open(f"{measured.home}/list?after={ids[known]}")
    check(page)
    assert ("There are new results." in page.text) is announced


async def test_an_open_table_knows_the_newest_result(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}?sweep={measured.sweep}")
    newest = max(result for results in measured.results.values() for result in results)
    [main] = [attributes for tag, attributes in page.tags if tag == "main"]
    assert main["data-live-from"] == f"{measured.home}/list?after={newest}"


async def test_the_first_result_is_announced_to_a_table_without_any(
    browser: Browser, service: Service, measured: MeasuredPages
) -> None:
    project = await service.synced("acme/measured", name="other", config_folder="config")
    page = await browser.open(f"/ui/projects/{project['id']}/results")
    [main] = [attributes for tag, attributes in page.tags if tag == "main"]
    known = main["data-live-from"].partition("?")[2]
    assert "There are new results." in (await browser.open(f"{measured.home}/list?{known}")).text


async def test_a_label_that_is_none_is_refused_beside_its_field(
    browser: Browser, measured: MeasuredPages
) -> None:
    page = await browser.open(f"{measured.home}/list?label=gpu")
    check(page)
    assert "Line 1 is not a label" in page.text


@pytest.mark.parametrize("source", ["release", "cell", "sweep"])
async def test_what_was_measured_leads_to_its_results(
    browser: Browser, measured: MeasuredPages, source: str
) -> None:
    paths = {
        "release": f"/ui/releases/{measured.cells[3]}",
        "cell": f"/ui/sweeps/{measured.sweep}/cells/3",
        "sweep": f"/ui/sweeps/{measured.sweep}",
    }
    page = await browser.open(paths[source])
    check(page)
    wanted = {
        "release": f"/ui/results/{measured.results[3][0]}",
        "cell": f"/ui/results/{measured.results[3][0]}",
        "sweep": f"{measured.home}/list?release={measured.cells[3]}",
    }
    assert wanted[source] in page.links()
