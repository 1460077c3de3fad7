"""`benchmark-manager search` writes matches as grep does."""

import httpx2 as httpx
import pytest
import pytest_asyncio

from benchmark_manager.cli.search.search import UnsearchedFiles
from support.commands import ServiceCommands

FILES = {
    "config/a.yaml": b"model: llama\nparallelism: 4\n",
    "config/many.yaml": b"- same\n" * 2500,
    "config/unsafe.yaml": b"# \x1b[31m llama\n",
    "job/run.yaml": b"kind: Job\nspec:\n\tparallelism: 4\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: ServiceCommands) -> str:
    cli.service.repository("acme/search", FILES)
    synced = await cli.service.synced("acme/search", name="search")
    original = (await cli.service.files(synced["id"]))["config/a.yaml"]
    await cli.service.variant(
        synced["id"], original, modified_name="v.yaml", content="parallelism: 8\n"
    )
    return str(synced["id"])


async def test_matches_are_lines_as_grep_writes_them(cli: ServiceCommands, project: str) -> None:
    done = await cli("search", project, "PARALLELISM")
    assert done.out.splitlines() == [
        "config/a.yaml:2:1: parallelism: 4",
        "job/run.yaml:3:2:  parallelism: 4",
    ]


async def test_keys_of_variants_are_found(cli: ServiceCommands, project: str) -> None:
    [variant] = await cli.service.rows(f"/projects/{project}/modified-files")
    done = await cli("search", "search", "parallelism", "--in", "keys", "--scope", "variants")
    assert done.out == f"config/v.yaml [{variant['id']}]:1:1: parallelism: 8\n"


async def test_json_has_each_file_once(cli: ServiceCommands, project: str) -> None:
    [row] = (await cli("search", project, "same", "--json")).json
    assert row["file"]["path"] == "config/many.yaml"
    assert [match["line"] for match in row["matches"]] == list(range(1, 2501))


async def test_a_limit_stops_behind_so_many_matches(cli: ServiceCommands, project: str) -> None:
    done = await cli("search", project, "same", "--limit", "3")
    assert done.out.splitlines() == [f"config/many.yaml:{line}:3: - same" for line in (1, 2, 3)]
    [row] = (await cli("search", project, "same", "--limit", "1500", "--json")).json
    assert len(row["matches"]) == 1500


async def test_a_terminal_obeys_nothing_that_a_file_holds(
    cli: ServiceCommands, project: str
) -> None:
    done = await cli("search", project, "[31m")
    assert "\x1b" not in done.out


@pytest.mark.parametrize("options", [(), ("--json",), ("--type", "job")])
async def test_nothing_found_is_exit_code_1(
    cli: ServiceCommands, project: str, options: tuple[str, ...]
) -> None:
    done = await cli("search", project, "llama-5", *options, code=1)
    assert (done.out, done.err) == ("[]\n" if "--json" in options else "", "")


async def test_a_query_that_cannot_be_one_is_refused(cli: ServiceCommands, project: str) -> None:
    assert "q must" in (await cli("search", project, " ", code=1)).err


def test_files_that_were_not_searched_are_counted_over_all_pages(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unsearched = UnsearchedFiles()
    unsearched.report()
    assert capsys.readouterr().err == ""
    for value in (
        {},
        {"x-search-incomplete": "2"},
        {"X-Search-Incomplete": "1"},
        {"X-Search-Incomplete": "-1e9"},
    ):
        unsearched.add(httpx.Headers(value))
    unsearched.report()
    assert (
        capsys.readouterr().err
        == "warning: 3 files take too much time to be searched, and may have more matches.\n"
    )
