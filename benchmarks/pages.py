"""The time to render pages of a project with thousands of files, on the server and in a browser.

    python benchmarks/pages.py [--rounds 10] [--data ../shared/data]

On lm-evaluation-harness of the collection beside the checkout (3,691 files), else on as many
generated files; on MongoDB. Server time is from the request's first byte to the answer's last, over
one loopback connection. In the browser, if there is a Chromium: until the page's files are visible,
and from a key typed in the search until its results are.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from playwright.async_api import Page

from benchmarks.harness.report import parsed, print_table, say, seconds
from github_test_server import GitHubTestServer, Repository
from support.chromium import find_chromium, running_chromium
from support.mongod import ReplicaSet
from support.process import ServiceProcess, service_process
from support.real_repositories import real_repository
from support.service import Api, Json

_NAME: Final = "EleutherAI/lm-evaluation-harness"
_FOLDERS: Final = {"config_folder": "lm_eval/tasks", "job_folder": "templates"}
_TYPED: Final = "mmlu_high"
_MADE_UP: Final = 3691


async def measure(data: Path, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bm-pages-") as name, GitHubTestServer() as github:
        folder = Path(name)
        github.add(_NAME, _repository(data, folder / "upstream.git"))
        async with (
            await ReplicaSet.start(folder / "mongod") as replica_set,
            service_process(
                folder,
                mongo_url=f"{replica_set.url}",
                github_api_urls=github.url,
                log_level="warning",
            ) as it,
            it.client() as http,
        ):
            api = Api(http, github, folder)
            project = await api.synced(_NAME, name=_NAME, **_FOLDERS)
            say(f"{project['stats']['original_files']} files")
            await _by_the_server(api, project, rounds)
            await _in_a_browser(it, project, rounds)


def _repository(data: Path, target: Path) -> Repository:
    if data.is_dir():
        real_repository(data, _NAME.replace("/", "__")).build(target, 3)
        return Repository(target)
    repository = Repository.init(target)
    paths = (
        f"lm_eval/tasks/group-{number % 90}/mmlu_high_{number}.yaml" for number in range(_MADE_UP)
    )
    repository.commit(
        {path: b"task: %d\n" % number for number, path in enumerate(paths)}, message="made up"
    )
    return repository


async def _by_the_server(api: Api, project: Json, rounds: int) -> None:
    home = f"/ui/projects/{project['id']}"
    file = (await api.rows(f"/projects/{project['id']}/files", q=_TYPED))[0]
    variant = await api.variant(project["id"], file, content="task: mine\n")
    pages = {
        "file tree, all files": home,
        "search over paths": f"{home}?q={_TYPED}",
        "filter: with variants": f"{home}?show=variants",
        "original file": f"{home}/files/{file['id']}",
        "editor": f"/ui/modified-files/{variant['id']}",
        "compare": f"/ui/modified-files/{variant['id']}/compare",
        "list of projects": "/ui",
    }
    rows = []
    for what, path in pages.items():
        size = 0

        async def ask(path: str = path) -> None:
            nonlocal size
            answer = await api.http.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 200, answer.text
            size = len(answer.content)

        taken = await _timed(ask, rounds)
        rows.append([what, *_figures(taken), f"{size / 1000:.0f} kB"])
    head = ["page", "the first", "fastest", "median", "HTML"]
    print_table(f"Drawn by the server, {rounds} rounds", head, rows)


async def _in_a_browser(process: ServiceProcess, project: Json, rounds: int) -> None:
    path = find_chromium()
    if path is None:
        say("no Chromium, so nothing is measured in a browser")
        return
    async with _page(path, process) as page:

        async def open_tree() -> None:
            await page.goto(f"/ui/projects/{project['id']}", wait_until="domcontentloaded")
            await page.locator(".tree summary").first.wait_for()

        async def search() -> None:
            await page.locator("#q").press_sequentially(_TYPED[-1])
            await page.locator(".tree.flat li").first.wait_for()

        opened = await _timed(open_tree, rounds)
        searched = []
        for _ in range(rounds):
            await open_tree()
            await page.locator("#q").fill(_TYPED[:-1])
            await page.locator(".tree.flat li").first.wait_for()
            await page.evaluate("document.querySelector('.tree.flat').remove()")
            searched += await _timed(search, 1)
        rows = [
            ["file tree can be seen", *_figures(opened)],
            ["a key in the search, until its results", *_figures(searched)],
        ]
        print_table(
            f"In a browser, {rounds} rounds", ["what", "the first", "fastest", "median"], rows
        )


@asynccontextmanager
async def _page(path: str, process: ServiceProcess) -> AsyncIterator[Page]:
    async with running_chromium(path) as chromium:
        context = await chromium.new_context(base_url=process.url)
        yield await context.new_page()
        await context.close()


async def _timed(ask: Callable[[], Awaitable[Any]], rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - begin)
    return taken


def _figures(taken: list[float]) -> list[str]:
    return [seconds(taken[0]), seconds(min(taken)), seconds(statistics.median(taken))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared/data")
    arguments = parsed(parser, rounds=50)
    asyncio.run(measure(arguments.data, arguments.rounds))
