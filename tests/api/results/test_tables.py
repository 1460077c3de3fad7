"""Tables of results through the API: what was varied, environments, repeats and baselines."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.measured import LOW, Measured
from support.problems import assert_problem
from support.service import Json, Service
from support.swept import ENGINE, FILES, SweptProject, sizes, swept_project
from support.unchanged_service import unchanged_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_project(module_service: Service) -> SweptProject:
    return await swept_project(module_service)


@pytest.fixture
async def measured(shared_project: SweptProject) -> AsyncIterator[Measured]:
    async with unchanged_service(shared_project.service):
        yield Measured(shared_project)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_on_either(module_either: Service) -> SweptProject:
    return await swept_project(module_either)


@pytest.fixture
async def on_either(shared_on_either: SweptProject) -> AsyncIterator[Measured]:
    async with unchanged_service(shared_on_either.service):
        yield Measured(shared_on_either)


SEED = "job:spec.template.spec.containers[name=server].args[--seed]"


def codes(table: Json) -> list[str]:
    return [notice["code"] for notice in table["notices"]]


def cells_of(table: Json, metric: str = "ttft_p99") -> list[Json]:
    return [row["metrics"][metric] for row in table["rows"]]


async def test_a_sweep_shows_what_its_cells_vary_beside_what_came_out(on_either: Measured) -> None:
    sweep = await on_either.swept.sweep()
    cells = await on_either.swept.cells(sweep)
    for cell in cells:
        slow = 10.0 if cell["assignments"]["seqs"] == 256 else 0.0
        await on_either.repeats(cell["digest"], [value + slow for value in LOW])
    table = await on_either.table(sweep=sweep["id"], baseline="0")
    args = "spec.template.spec.containers[name=server].args[1]"
    assert table["columns"]["varied"] == [
        {"file": "config/engine.yaml", "path": path, "key": path}
        for path in ("engine.max_num_seqs", "engine.tensor_parallel_size")
    ] + [{"file": "job/bench.yaml", "path": args, "key": args}]
    assert [row["varied"] for row in table["rows"]] == [
        {"engine.max_num_seqs": seqs, "engine.tensor_parallel_size": tp, args: str(tp)}
        for seqs in (128, 256)
        for tp in (1, 2)
    ]
    assert [row["assignments"] for row in table["rows"]] == [c["assignments"] for c in cells]
    first, *others = cells_of(table)
    assert first == {
        "median": 11.5,
        "quartiles": [10.75, 12.25],
        "iqr": 1.5,
        "n": 4,
        "values": list(LOW),
        "change_pct": None,
        "verdict": None,
    }
    assert [one["verdict"] for one in others] == ["no_difference_shown", "worse", "worse"]
    assert others[1]["change_pct"] == pytest.approx(1000 / 11.5)
    assert [row["is_baseline"] for row in table["rows"]] == [True, False, False, False]


async def test_a_setting_and_a_driver_that_changed_together_are_kept_apart(
    measured: Measured,
) -> None:
    before = await measured.released("before")
    after = await measured.release(
        "after", {"config/engine.yaml": ENGINE.replace(b"128 ", b"256 ")}
    )
    await measured.repeats(before, LOW[:1], driver="550", gpu="H100")
    await measured.repeats(after, LOW[:1], driver="570", gpu="H100")
    table = await measured.table(baseline=before)
    assert [column["key"] for column in table["columns"]["varied"]] == ["engine.max_num_seqs"]
    assert table["columns"]["environment"] == ["driver"]
    assert table["notices"] == [
        {
            "code": "mixed_environment",
            "detail": "The results were not measured in one environment: driver is 550, 570. "
            "Differences may come from it.",
            "facts": {"label": "driver", "values": ["550", "570"], "missing": 0},
        }
    ]
    assert [(row["release_name"], row["labels"]) for row in table["rows"]] == [
        ("before", {"gpu": "H100", "driver": "550"}),
        ("after", {"gpu": "H100", "driver": "570"}),
    ]


async def test_a_file_that_is_missing_somewhere_is_a_column(measured: Measured) -> None:
    before = await measured.released("before")
    after = await measured.release("after", {"config/template.yaml": None})
    for release in (before, after):
        await measured.repeats(release, [1.0])
    table = await measured.table()
    file = "config/template.yaml"
    assert table["columns"]["varied"] == [{"file": file, "path": "", "key": file}]
    assert [sorted(row["varied"]) for row in table["rows"]] == [[file], []]


async def test_a_file_that_does_not_parse_is_a_column_with_a_notice(measured: Measured) -> None:
    before = await measured.released("before")
    after = await measured.release("after", {"config/other.json": b"{"})
    for release in (before, after):
        await measured.repeats(release, [1.0])
    table = await measured.table()
    assert [column["path"] for column in table["columns"]["varied"]] == [""]
    assert codes(table) == ["not_compared_by_key"]
    assert [len(row["varied"]["config/other.json"]) for row in table["rows"]] == [12, 12]


async def test_paths_that_differ_in_two_files_are_named_with_their_files(
    measured: Measured,
) -> None:
    same = {"config/engine.yaml": b"a: 1\n", "config/other.json": b'{"a": 1}\n'}
    other = {"config/engine.yaml": b"a: 2\n", "config/other.json": b'{"a": 2}\n'}
    for name, files in (("before", same), ("after", other)):
        await measured.repeats(await measured.release(name, files), [1.0])
    table = await measured.table()
    assert [row["varied"] for row in table["rows"]] == [
        {"config/engine.yaml:a": number, "config/other.json:a": number} for number in (1, 2)
    ]


async def test_retired_cells_are_left_out_with_a_notice(measured: Measured) -> None:
    sweep = await measured.swept.sweep(sizes(128, 256))
    cells = await measured.swept.cells(sweep)
    for cell in cells:
        await measured.repeats(cell["digest"], [1.0])
    await measured.swept.change(sweep, sizes(128, 512))
    table = await measured.table(sweep=sweep["id"])
    assert [row["cell_index"] for row in table["rows"]] == [0]
    assert table["columns"]["varied"] == []
    assert codes(table) == ["retired_left_out"]


async def test_retired_cells_are_compared_when_asked_for(measured: Measured) -> None:
    sweep = await measured.swept.sweep(sizes(128, 256))
    for cell in await measured.swept.cells(sweep):
        await measured.repeats(cell["digest"], [1.0])
    await measured.swept.change(sweep, sizes(128, 512))
    table = await measured.table(sweep=sweep["id"], retired="true", baseline="1")
    assert [row["cell_index"] for row in table["rows"]] == [0, 1]
    assert len(table["columns"]["varied"]) == 1
    assert codes(table) == []


async def test_points_have_rows_of_their_own(measured: Measured) -> None:
    release = await measured.released("one")
    for rate in (16, 2):
        await measured.upload(release, {"ttft_p99": rate}, f"rate={rate}")
    table = await measured.table()
    assert [row["point"] for row in table["rows"]] == table["points"] == ["rate=2", "rate=16"]
    assert codes(table) == ["several_points"]


async def test_a_metric_that_nobody_measured_is_an_empty_column(measured: Measured) -> None:
    await measured.repeats(await measured.released("one"), [1.0])
    table = await measured.table(metrics='goodput,"a,b"')
    assert [column["name"] for column in table["columns"]["metrics"]] == ["goodput", "a,b"]
    assert [row["metrics"] for row in table["rows"]] == [{}]


async def test_a_file_without_metrics_is_named_in_a_notice(measured: Measured) -> None:
    release = await measured.released("one")
    await measured.repeats(release, [1.0])
    unread = await measured.upload_file(release, "nothing that a tool writes")
    table = await measured.table()
    assert [(notice["code"], notice["facts"]) for notice in table["notices"]] == [
        ("unknown_format", {"count": 1, "results": [unread]})
    ]


async def test_a_file_of_a_tool_that_is_read_in_part_has_another_notice(
    measured: Measured,
) -> None:
    release = await measured.released("one")
    await measured.repeats(release, [1.0])
    text = '{"metrics": {"ttft_p99": 1, "ttft_p50": "fast"}}'
    unread = await measured.upload_file(release, text)
    table = await measured.table()
    assert [(notice["code"], notice["facts"]) for notice in table["notices"]] == [
        ("unreadable_file", {"count": 1, "results": [unread]})
    ]


async def test_an_empty_project_has_an_empty_table(measured: Measured) -> None:
    table = await measured.table()
    assert table["rows"] == table["notices"] == table["columns"]["varied"] == []


async def test_a_table_as_csv_has_exact_numbers_and_no_formulas(measured: Measured) -> None:
    release = await measured.released("one")
    other = await measured.release("=cmd", {"config/other.json": b'{"a": "+1", "b": -2}\n'})
    await measured.upload(release, {"ttft_p99": 0.1}, gpu="@sum")
    await measured.upload(other, {"ttft_p99": 1e308}, gpu="H100, 80 GB")
    answer = await measured.swept.service.http.get(
        f"{measured.swept.home}/results/table?format=csv&baseline={release}"
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    names, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    first, second = (dict(zip(names, row, strict=True)) for row in rows)
    assert (first["label gpu"], second["label gpu"]) == ("'@sum", "H100, 80 GB")
    assert (second["a"], second["b"], first["b"]) == ("'+1", "-2", "")
    assert second["release_name"] == "'=cmd"
    assert (first["ttft_p99 median (ms)"], second["ttft_p99 median (ms)"]) == ("0.1", "1e+308")
    assert answer.text.count("\r\n") == 3


async def test_a_setting_with_half_of_a_surrogate_pair_can_be_compared(measured: Measured) -> None:
    path = "config/other.json"
    releases = [
        await measured.release(f"v{number}", {path: text.encode()})
        for number, text in enumerate((r'{"a": "\ud800", "\udfff": 1}', '{"a": 2}'))
    ]
    for release in releases:
        await measured.repeats(release, [1.0])
    table = await measured.table(releases=",".join(releases))
    assert [row["varied"] for row in table["rows"]] == [
        {"a": r'"\ud800"', r'"\udfff"': 1},
        {"a": 2},
    ]
    service = measured.swept.service
    await service.get(f"/releases/{releases[0]}/compare/{releases[1]}")
    answers = [
        await service.http.get(f"{measured.swept.home}/results/table?format=csv"),
        await service.http.get(f"/ui{measured.swept.home}/results"),
        await service.http.get(f"/ui/releases/{releases[0]}/compare?with={releases[1]}"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.text for answer in answers if r"\ud800" not in answer.text] == []


async def test_no_value_in_csv_is_a_formula(measured: Measured) -> None:
    values = [
        "=1",
        "+1",
        "-a",
        "@1",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
    ]
    text = "".join(f"k{number}: {json.dumps(value)}\n" for number, value in enumerate(values))
    for name, data in (("odd", text.encode()), ("other", b"a: 1\n")):
        release = await measured.release(name, {"config/engine.yaml": data})
        await measured.repeats(release, [1.0])
    answer = await measured.swept.service.http.get(
        f"{measured.swept.home}/results/table?format=csv"
    )
    odd, _ = csv.DictReader(io.StringIO(answer.text, newline=""))
    found = [odd[f"k{number}"] for number in range(len(values))]
    assert found == [f"'{value}" for value in values]


async def test_different_values_are_different_in_csv(measured: Measured) -> None:
    for number, text in enumerate((b"a: 1\n", b"a: '1'\n", b"b: ''\n", b"b: null\n")):
        release = await measured.release(f"r{number}", {"config/engine.yaml": text})
        await measured.repeats(release, [1.0])
    answer = await measured.swept.service.http.get(
        f"{measured.swept.home}/results/table?format=csv"
    )
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["a"] for row in rows] == ["1", '"1"', "", ""]
    assert [row["b"] for row in rows] == ["", "", '""', "null"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        pytest.param("sweep=65f0c0ffee65f0c0ffee65f0", 404, "sweep_not_found", id="sweep"),
        pytest.param("sweep=%00", 404, "sweep_not_found", id="sweep without form"),
        pytest.param(f"releases=sha256:{'a' * 64}", 404, "release_not_found", id="release"),
        pytest.param("releases=abc", 422, "digest_too_short", id="short digest"),
        pytest.param("releases=%3Cb%3E", 404, "release_not_found", id="no digest"),
        pytest.param("runs=1,2", 404, "run_not_found", id="runs"),
        pytest.param("baseline=0", 422, "baseline_not_compared", id="baseline"),
        pytest.param("sweep=a&releases=b", 422, "invalid_request", id="sweep and releases"),
        pytest.param("metrics=a%00b", 422, "unknown_metric", id="metric with NUL"),
        pytest.param("metrics=a%0Ab", 422, "unknown_metric", id="metric of two lines"),
        pytest.param(f"metrics={'a' * 501}", 422, "unknown_metric", id="long metric"),
        pytest.param(f"metrics={'a,' * 51}", 422, "invalid_request", id="many metrics"),
        pytest.param("pareto=a", 422, "invalid_request", id="trade-off of one"),
        pytest.param("pareto=a,a", 422, "invalid_request", id="trade-off of equals"),
        pytest.param("group=gpu", 422, "invalid_request", id="group"),
        pytest.param("format=xml", 422, "invalid_request", id="format"),
    ],
)
async def test_a_wrong_selection_has_a_clear_answer(
    shared_project: SweptProject, query: str, status: int, code: str
) -> None:
    answer = await shared_project.service.http.get(f"{shared_project.home}/results/table?{query}")
    assert_problem(answer, status, code)


async def test_a_sweep_of_another_project_is_not_found(measured: Measured) -> None:
    service = measured.swept.service
    service.repository("acme/other", FILES)
    other = await service.synced("acme/other")
    sweep = await measured.swept.sweep()
    answer = await service.http.get(f"/projects/{other['id']}/results/table?sweep={sweep['id']}")
    assert_problem(answer, 404, "sweep_not_found")


async def test_a_release_that_another_project_alone_made_is_not_found(measured: Measured) -> None:
    service = measured.swept.service
    service.repository("acme/other", {"config/a.yaml": b"a: 1\n"})
    other = await service.synced("acme/other")
    release = await measured.released("mine")
    answer = await service.http.get(f"/projects/{other['id']}/results/table?releases={release}")
    assert_problem(answer, 404, "release_not_found")


async def test_a_baseline_without_results_is_refused(measured: Measured) -> None:
    release = await measured.released("one")
    answer = await measured.swept.service.http.get(
        f"{measured.swept.home}/results/table?releases={release}&baseline={release}"
    )
    assert_problem(answer, 422, "baseline_not_compared")


async def test_releases_may_be_named_by_the_first_digits(measured: Measured) -> None:
    release = await measured.released("one")
    await measured.repeats(release, LOW[:1])
    short = release.partition(":")[2][:12]
    table = await measured.table(releases=short, baseline=short)
    assert [(row["release"], row["is_baseline"]) for row in table["rows"]] == [(release, True)]


async def test_the_selected_results_are_exported_as_reports(measured: Measured) -> None:
    chosen = await measured.released("one")
    other = await measured.release("two", {"config/other.json": b'{"a": 2}\n'})
    for release in (chosen, other):
        for rate in (2, 4):
            await measured.upload(release, {"ttft_mean": 5.0}, f"rate={rate}")
    answer = await measured.swept.service.http.get(
        f"{measured.swept.home}/results/report?format=brv02&releases={chosen}&point=rate=4"
    )
    [report] = answer.json()
    assert report["version"] == "0.2"
    assert [part["metadata"]["cfg_id"] for part in report["scenario"]["stack"]] == [chosen]


@pytest.mark.parametrize("path", ["table?", "report?format=brv02&"])
async def test_a_cell_without_results_is_no_baseline(measured: Measured, path: str) -> None:
    sweep = await measured.swept.sweep(sizes(128, 256))
    first, _ = await measured.swept.cells(sweep)
    await measured.repeats(first["digest"], [1.0])
    answer = await measured.swept.service.http.get(
        f"{measured.swept.home}/results/{path}sweep={sweep['id']}&baseline=1"
    )
    assert_problem(answer, 422, "baseline_not_compared")


async def test_a_project_without_results_exports_none(measured: Measured) -> None:
    answer = await measured.swept.service.http.get(
        f"{measured.swept.home}/results/report?format=brv02"
    )
    assert answer.json() == []


async def test_a_large_sweep_differs_in_what_its_cells_set(measured: Measured) -> None:
    values = range(100, 142)
    definition = {
        "name": "flags",
        "files": {"job": "job/bench.yaml"},
        "axes": [{"name": "seed", "set": SEED, "values": list(values)}],
    }
    sweep = await measured.swept.sweep(definition)
    cells = await measured.swept.cells(sweep)
    await asyncio.gather(*(measured.upload(cell["digest"], {"ttft_p99": 1}) for cell in cells))
    table = await measured.table(sweep=sweep["id"])
    key = "spec.template.spec.containers[name=server].args[2]"
    assert [row["varied"] for row in table["rows"]] == [{key: f"--seed={n}"} for n in values]
    assert codes(table) == []
