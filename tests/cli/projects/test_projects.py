"""Commands about projects, their syncs and files."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import pytest

from benchmark_manager.cli.projects.sync import sync_record
from benchmark_manager.cli.terminal.failures import CommandError, printable
from benchmark_manager.client import Client, shapes
from benchmark_manager.stores.embedded.ports import free_port
from github_test_server import Delay
from support.commands import Done, ServiceCommands
from support.process import ROOT, environment, run_main

FILES = {
    "config/llama.yaml": b"model: llama\n",
    "config/deep/b.json": b'{"model": "llama"}\n',
    "config/deep/broken.json": b"{",
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}


async def add(cli: ServiceCommands, name: str, *, synced: bool = False) -> str:
    """A registered project, its repository hosted; with a name of its own."""
    cli.service.repository(f"acme/{name}", FILES)
    project_id = (await cli("projects", "add", name, f"acme/{name}", "--interval", "0")).out.strip()
    if synced:
        await cli.service.sync(project_id)
    return project_id


async def test_a_project_is_added_listed_and_shown(cli: ServiceCommands) -> None:
    project_id = await add(cli, "first")
    assert re.fullmatch("[0-9a-f]{24}", project_id)
    listed = (await cli("projects", "list", "-q", "FIRST")).out.splitlines()
    assert listed[0].split()[:3] == ["NAME", "REPOSITORY", "BRANCH"]
    assert ["first", project_id] == [listed[1].split()[0], listed[1].split()[-1]]
    shown = (await cli("projects", "show", "first")).out
    assert re.search(r"^own token +no$", shown, re.MULTILINE)
    assert re.search(r"^polled every +never$", shown, re.MULTILINE)


async def test_patterns_are_given_and_changed(cli: ServiceCommands) -> None:
    cli.service.repository("acme/patterns", FILES)
    given = ("--include", "config/*", "--include", "job", "--exclude", "*.json")
    await cli("projects", "add", "patterns", "acme/patterns", "--interval", "0", *given)
    shown = (await cli("projects", "show", "patterns")).out
    assert re.search(r"^include +config/\*, job$", shown, re.MULTILINE)
    changed = (
        await cli("projects", "update", "patterns", "--include", "", "--exclude", "deep/")
    ).out
    assert re.search(r"^exclude +deep/$", changed, re.MULTILINE)
    assert "config/*" not in changed
    refused = await cli("projects", "update", "patterns", "--include", "!a", code=1)
    assert "must not begin with `!`" in refused.err
    assert "--include or --exclude" in (await cli("projects", "update", "patterns", code=2)).err


async def test_json_is_what_the_api_answers_and_nothing_else(cli: ServiceCommands) -> None:
    project_id = await add(cli, "as-json", synced=True)
    http = cli.service.http
    paths = {
        ("projects", "list"): "/projects",
        ("projects", "show", project_id): f"/projects/{project_id}",
        ("files", project_id): f"/projects/{project_id}/files",
    }
    done = {arguments: await cli(*arguments, "--json") for arguments in paths}
    assert {arguments: each.json for arguments, each in done.items()} == {
        arguments: (await http.get(path)).json() for arguments, path in paths.items()
    }
    assert [arguments for arguments, each in done.items() if each.err] == []


async def test_a_list_is_followed_over_all_its_pages(cli: ServiceCommands) -> None:
    project_id = await add(cli, "pages", synced=True)

    def paths() -> list[str]:
        with Client(cli.url, page_size=3) as client:
            rows = client.rows(f"/projects/{project_id}/files", shapes.FILE)
        return [row["path"] for row in rows]

    assert await asyncio.to_thread(paths) == sorted(FILES)


async def test_projects_are_found_by_name_regardless_of_case_or_by_a_unique_part(
    cli: ServiceCommands,
) -> None:
    one, other = await add(cli, "Nightly"), await add(cli, "Nightly-H100")
    expected = {one: one, "nightly": one, "NIGHTLY-H100": other, "h1": other, other.upper(): other}
    assert {
        reference: (await cli("projects", "show", reference, "--json")).json["id"]
        for reference in expected
    } == expected
    ambiguous = await cli("projects", "show", "ight", code=1)
    assert ambiguous.err.startswith(
        "error: 'ight' may mean any of 2 projects; give more of it, or the id. (project_amb"
    )
    assert f"  {one}  Nightly\n" in ambiguous.err
    missing = await cli("projects", "show", "daily", code=1)
    assert (missing.out, missing.err) == (
        "",
        "error: There is no project 'daily'. (project_not_found)\n",
    )


async def test_a_sync_lists_its_changes(cli: ServiceCommands) -> None:
    project_id = await add(cli, "changes")
    done = await cli("sync", "changes")
    assert sorted(done.out.splitlines()) == [f"added    {path}" for path in sorted(FILES)]
    assert "4 files" in done.err
    again = await cli("sync", "changes", "--json")
    newest = await cli.service.rows(f"/projects/{project_id}/syncs")
    assert again.json == newest[0]
    assert (again.json["status"], again.json["trigger"]) == ("unchanged", "manual")


async def test_a_sync_is_waited_for_or_not(cli: ServiceCommands) -> None:
    project_id = await add(cli, "waiting")
    cli.service.github.faults.add(Delay(1.5), times=2)
    begun = (await cli("sync", "waiting", "--no-wait", "--json")).json
    assert begun["status"] == "running"
    ended = (await cli("sync", "waiting", "--json")).json
    assert ended["id"] == begun["sync_id"]
    assert len(await cli.service.rows(f"/projects/{project_id}/syncs")) == 1


async def test_a_failed_sync_ends_with_1_and_says_why(cli: ServiceCommands) -> None:
    await cli("projects", "add", "gone", "acme/gone")
    done = await cli("sync", "gone", "--json", code=1)
    assert done.json["status"] == "failed"
    assert done.err.endswith("(repository_not_found)\n")
    assert done.err.startswith("error: ")


@pytest.mark.parametrize(
    ("ended", "found"), [("2026-11-23T10:00:01Z", "older"), ("2026-11-23T09:59:59Z", None)]
)
def test_a_sync_without_a_record_was_merged_into_another_or_did_not_finish(
    ended: str, found: str | None
) -> None:
    """A poll may have been merged into an older record; a sync that was killed has no record."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/older"):
            return httpx.Response(200, json={"id": "older"})
        problem = {"code": "sync_not_found", "detail": "There is no sync."}
        return httpx.Response(
            404, json=problem, headers={"content-type": "application/problem+json"}
        )

    begun = {"started_at": "2026-11-23T10:00:00Z"}
    progress = {"last_sync": {"id": "older", "finished_at": ended}}
    with Client("http://service.test", transport=httpx.MockTransport(answer)) as client:
        if found is None:
            with pytest.raises(CommandError, match="did not finish"):
                sync_record(client, "/projects/1/sync", "lost", begun, progress)
        else:
            record = sync_record(client, "/projects/1/sync", "lost", begun, progress)
            assert record.json() == {"id": found}


def test_a_proxy_that_cannot_be_used_is_reported_without_its_password(tmp_path: Path) -> None:
    done = run_main(
        tmp_path,
        "projects",
        "list",
        "--url",
        "http://service.invalid",
        http_proxy="ftp://jo:secret@proxy",
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "HTTP_PROXY" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


async def test_files_are_filtered(cli: ServiceCommands) -> None:
    await add(cli, "filtered", synced=True)

    async def paths(*filters: str) -> list[str]:
        lines = (await cli("files", "filtered", *filters)).out.splitlines()
        return [line.split()[0] for line in lines[1:]]

    expected = {
        ("--type", "job"): ["job/run.yaml"],
        ("-q", "DEEP"): ["config/deep/b.json", "config/deep/broken.json"],
        ("-q", "nothing"): [],
    }
    assert {filters: await paths(*filters) for filters in expected} == expected
    broken = next(
        line for line in (await cli("files", "filtered")).out.splitlines() if "broken" in line
    )
    assert "invalid" in broken


async def test_wrong_fields_are_listed(cli: ServiceCommands) -> None:
    done = await cli("projects", "add", "x", "acme/x", "--interval", "3", code=1)
    assert re.match(
        r"error: 1 field is wrong: polling_interval: must be 0, or .+ \(invalid_request\)\n$",
        done.err,
    )
    as_json = await cli("projects", "add", "x", "acme/x", "--interval", "3", "--json", code=1)
    assert as_json.json["errors"] == [
        {"field": "polling_interval", "message": "must be 0, or 10 to 604800 seconds"}
    ]


async def test_a_token_comes_from_a_file_and_is_never_shown(
    cli: ServiceCommands, tmp_path: Path
) -> None:
    token = "ghp_TokenOfTheCommandLine0000000000001"
    (tmp_path / "token").write_text(f"{token}\n")

    async def added(name: str, source: str) -> Done:
        arguments = ("projects", "add", name, "acme/x", "--token-file", source, "--json")
        return await cli(*arguments, stdin=f"{token}\n")

    done = [await added("p0", str(tmp_path / "token")), await added("p1", "-")]
    assert [each.json["github_token_set"] for each in done] == [True, True]
    assert [each for each in done if token in each.out + each.err] == []
    folder = await cli("projects", "add", "p", "acme/x", "--token-file", str(tmp_path), code=2)
    assert "The token cannot be read" in folder.err


async def test_changes_are_recorded_with_the_user_s_name(cli: ServiceCommands) -> None:
    await add(cli, "actors", synced=True)
    made = await cli(
        "variants",
        "new",
        "actors",
        "llama.yaml",
        "-n",
        "x.yaml",
        "--json",
        BENCHMARK_MANAGER_ACTOR="Jörg",
    )
    assert made.json["created_by"] == "Jörg"
    unprintable = await cli("projects", "list", code=2, BENCHMARK_MANAGER_ACTOR="a\nb")
    assert "BENCHMARK_MANAGER_ACTOR must be printable" in unprintable.err


async def test_project_names_complete(cli: ServiceCommands) -> None:
    await add(cli, "Complete")
    await add(cli, "Complete-H100")
    ask = {
        "_BENCHMARK_MANAGER_COMPLETE": "complete_bash",
        "COMP_WORDS": "benchmark-manager sync Comp",
        "COMP_CWORD": "2",
    }
    assert (await cli(environment=ask)).out.splitlines() == ["Complete", "Complete-H100"]
    unused = f"http://127.0.0.1:{free_port()}"
    assert (await cli(environment={**ask, "BENCHMARK_MANAGER_URL": unused})).out == "\n"


def test_an_unreachable_service_is_one_line_with_its_address(tmp_path: Path) -> None:
    port = free_port()
    done = run_main(tmp_path, "projects", "list", "--url", f"http://user:password@127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (4, "")
    assert len(done.stderr.splitlines()) == 1
    assert f"http://127.0.0.1:{port} cannot be reached" in done.stderr
    assert "--url or BENCHMARK_MANAGER_URL" in done.stderr
    assert "password" not in done.stderr


async def test_a_proxy_of_the_environment_is_used(cli: ServiceCommands) -> None:
    """The service stands for a proxy that is asked for an address which it does not have."""
    done = await cli(
        "projects",
        "list",
        "--url",
        "http://service",
        code=1,
        HTTP_PROXY=cli.url,
        http_proxy=cli.url,
    )
    assert "(route_not_found)\n" in done.err


@pytest.mark.parametrize("page", ["/ui", "/docs/", "/ui/projects/new"])
async def test_the_address_of_a_page_is_named_as_the_cause(cli: ServiceCommands, page: str) -> None:
    done = await cli("projects", "list", "--url", f"{cli.url}{page}", code=1)
    assert done.err.splitlines()[-1].startswith("Give --url or BENCHMARK_MANAGER_URL the service's")


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "ftp://127.0.0.1", "http://"])
async def test_an_address_that_is_not_a_url_is_wrong_usage(cli: ServiceCommands, url: str) -> None:
    done = await cli("projects", "list", "--url", url, code=2)
    assert "is not a URL such as http://127.0.0.1:8001; name the service by --url" in done.err


async def test_another_server_is_recognised(cli: ServiceCommands) -> None:
    """Our GitHub answers 404 with JSON, but is not Benchmark Manager."""
    done = await cli("projects", "list", "--url", cli.service.github.url, code=4)
    assert "is not Benchmark Manager: it answers 404" in done.err


def test_control_characters_are_escaped() -> None:
    assert printable("a\x1b[31m\rb\u202ec") == r"a\x1b[31m\rb\u202ec"


def test_the_client_starts_without_the_server_s_modules() -> None:
    """The import of each costs more than a command's own work."""
    program = (
        "import sys, benchmark_manager.cli.commands; "
        "print([n for n in sys.modules if n in set(sys.argv[1:])])"
    )
    heavy = [
        "fastapi",
        "pymongo",
        "uvicorn",
        "structlog",
        "rich.table",
        "benchmark_manager.factory",
        "cryptography",
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, *heavy],
        env=environment(pythonpath=ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


async def test_a_tag_or_a_commit_is_given_instead_of_a_branch_and_shown_with_its_kind(
    cli: ServiceCommands,
) -> None:
    repository = cli.service.repository("acme/refs", FILES)
    found = repository.find_commit("HEAD")
    assert found is not None
    repository.tag("v1", found.sha)
    given = (("--tag", "v1"), ("--commit", found.sha), ("--branch", "heads/main"))
    listed: list[str] = []
    for number, (option, name) in enumerate(given):
        await cli("projects", "add", f"ref {number}", "acme/refs", option, name, "--interval", "0")
        listed.append((await cli("projects", "list", "-q", f"ref {number}")).out)
    shown = ("tag v1", f"commit {found.sha[:12]}", "main")
    assert [words in text for words, text in zip(shown, listed, strict=True)] == [True] * 3
    assert re.search(r"^tag +v1$", (await cli("projects", "show", "ref 0")).out, re.MULTILINE)
    done = await cli(
        "projects", "add", "both", "acme/refs", "--tag", "v1", "--branch", "main", code=2
    )
    assert "one of --branch, --tag and --commit" in done.err


async def test_a_preview_shows_branches_and_folders_and_how_to_add_the_repository(
    cli: ServiceCommands,
) -> None:
    cli.service.repository("acme/looked-at", FILES)
    done = await cli("projects", "preview", "acme/looked-at")
    assert re.search(r"^branches +main$", done.out, re.MULTILINE)
    assert re.search(r"^files +3 config, 1 job, 0 skipped$", done.out, re.MULTILINE)
    assert re.search(r"^config +1 +2 +2 *$", done.out, re.MULTILINE)
    assert "projects add NAME acme/looked-at --config-folder config --job-folder job" in done.err
    answer = await cli.service.http.post(
        "/repositories/preview", json={"github_repo_url": "acme/looked-at"}
    )
    assert (await cli("projects", "preview", "acme/looked-at", "--json")).json == answer.json()


async def test_a_preview_warns_about_cut_folders_and_listings(cli: ServiceCommands) -> None:
    cli.service.repository("acme/wide", {f"f{number:03}/a.json": b"{}" for number in range(201)})
    done = await cli("projects", "preview", "acme/wide")
    assert "Only the first 200 folders are shown." in done.err
    assert "too large" not in done.err
    # JSON is skipped in a folder of Jobs only.
    assert re.search(r"^f001 +0 +1 +1 *$", done.out, re.MULTILINE)
    limits = cli.service.github.tree_limits
    usual, limits.recursive_entries = limits.recursive_entries, 3
    done = await cli("projects", "preview", "acme/wide")
    limits.recursive_entries = usual
    assert "too large to be listed completely" in done.err
    assert "folders are shown" not in done.err


async def test_a_preview_takes_a_token_from_a_file(cli: ServiceCommands, tmp_path: Path) -> None:
    cli.service.repository("acme/closed", FILES, private_to=["opener"])
    (tmp_path / "token").write_text("opener\n")
    refused = await cli("projects", "preview", "acme/closed", code=1)
    assert "repository_not_found" in refused.err
    opened = await cli(
        "projects", "preview", "acme/closed", "--token-file", str(tmp_path / "token")
    )
    assert "config/deep" in opened.out
    assert "opener" not in opened.out + opened.err
