"""Pictures of the pages with the demo's data: `make pictures`.

Every kind of page that links lead to goes into `build/pictures/`, which git ignores, in both
themes, wide and narrow. Some of them go into `docs/pictures/`, for the READMEs and guides.
"""

import asyncio
import itertools
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

from playwright.async_api import Page, ViewportSize
from rich.console import Console

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmark_manager import demo  # noqa: E402 -- found by the path above
from benchmark_manager.cli.operations.demo_results import (  # noqa: E402
    SweepToMeasure,
    measure_sweep,
    table_page,
)
from benchmark_manager.domain.sweeps.yaml_values import read_yaml  # noqa: E402
from github_test_server import GitHubTestServer  # noqa: E402
from support.accessibility import PICTURES, picture_name  # noqa: E402
from support.chromium import find_chromium, running_chromium  # noqa: E402
from support.process import service_process  # noqa: E402
from support.service import Api, Json  # noqa: E402
from support.visitors import NARROW, TIMEOUT, WIDE  # noqa: E402

OF_DOCS: Final = _ROOT / "docs/pictures"
_REPOSITORY: Final = "acme/vllm-benchmarks"
_LLAMA: Final = "config/vllm/llama-3.1-8b.yaml"
_ALIAS: Final = "llama-3-1-8b"
_AXES: Final = ("engine.max_num_seqs", "engine.tensor_parallel_size")
_VALUES: Final = ("128, 256, 512", "1, 2")
_SIZE: Final[ViewportSize] = {"width": 1200, "height": 720}
_TABLE_SIZE: Final[ViewportSize] = {"width": 1300, "height": 1340}
_SIZES: Final = {"wide": WIDE, "narrow": NARROW}
_THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


async def draw() -> None:
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("There is no Chromium; `make chromium` says how to get one.")
    with tempfile.TemporaryDirectory(prefix="bm-pictures-") as name, GitHubTestServer() as github:
        folder = Path(name)
        github.hosting.add_token("demo")
        async with (
            service_process(
                folder, github_api_urls=github.url, github_token="demo", log_level="warning"
            ) as process,
            process.client() as http,
            running_chromium(chromium) as browser,
        ):
            api = Api(http, github, folder)
            for_docs = await _prepared(api, process.url)
            context = await browser.new_context(
                base_url=process.url, locale="en-GB", viewport=_SIZE
            )
            context.set_default_timeout(TIMEOUT)
            page = await context.new_page()
            for picture, path in for_docs.items():
                await _ready(page, path)
                if picture == "sweep-form":
                    await _type_values(page)
                if picture == "results":
                    await _scroll_to_table(page)
                await page.screenshot(path=OF_DOCS / f"{picture}.png")
                await page.set_viewport_size(_SIZE)
            await _every_kind(page, ["/ui", *for_docs.values()])


async def _prepared(api: Api, url: str) -> dict[str, str]:
    """Make variants of all kinds, releases, a sweep with results, and a move upstream.

    Returns the pictures of the documentation by name, with their addresses.
    """
    repository = api.repository(_REPOSITORY, demo.first_commit())
    project = await api.synced(
        _REPOSITORY, name="vLLM benchmarks", config_folder="config", job_folder="job"
    )
    files = await api.files(project["id"])
    llama = demo.first_commit()[_LLAMA].decode()
    variants = {
        "llama-512-seqs.yaml": llama.replace("max_num_seqs: 256", "max_num_seqs: 512"),
        "llama-fp8-cache.yaml": llama.replace("kv_cache_dtype: auto", "kv_cache_dtype: fp8"),
        "llama-two-gpus.yaml": llama.replace("tensor_parallel_size: 1", "tensor_parallel_size: 2"),
    }
    made = {
        name: await _variant(api, project, files[_LLAMA], name, text)
        for name, text in variants.items()
    }
    await api.post(f"/projects/{project['id']}/releases", {"name": "before the new driver"}, 201)
    definition: Any = read_yaml(demo.sample_sweep(), "sweep")
    sweep = await api.post(f"/projects/{project['id']}/sweeps", definition, 201)
    with Path(os.devnull).open("w") as nothing:
        await measure_sweep(SweepToMeasure(url, sweep, None, api.folder), Console(file=nothing))
    repository.commit(demo.second_commit(), message="Tune for the new driver")
    await api.sync(project["id"])
    await api.post(
        f"/projects/{project['id']}/releases", {"name": "with the new driver", "pinned": True}, 201
    )
    await api.project("acme/gone", name="Nightly of the ranking team")
    chosen = "&".join(f"axis={_ALIAS}:{quote(path)}" for path in _AXES)
    pages = f"/ui/projects/{project['id']}"
    return {
        "results": table_page(sweep),
        "sweep": f"/ui/sweeps/{sweep['id']}",
        "sweep-form": f"{pages}/sweeps/new?file={files[_LLAMA]['id']}&{chosen}",
        "files": pages,
        "editor": f"/ui/modified-files/{made['llama-fp8-cache.yaml']}",
        "merge": f"/ui/modified-files/{made['llama-512-seqs.yaml']}/merge",
        "variants": f"{pages}/files/{files[_LLAMA]['id']}/variants",
    }


async def _variant(api: Api, project: Json, file: Json, name: str, text: str) -> str:
    made = await api.variant(
        project["id"], file, modified_name=name, content=text, description="for the night run"
    )
    found: str = made["id"]
    return found


async def _ready(page: Page, path: str) -> None:
    await page.goto(path)
    if await page.locator("[data-editor], [data-compare]").count():
        await page.locator(".cm-content").first.wait_for()


async def _scroll_to_table(page: Page) -> None:
    await page.set_viewport_size(_TABLE_SIZE)
    table = page.locator(".result-scroll")
    await table.evaluate("table => table.previousElementSibling.scrollIntoView()")


async def _type_values(page: Page) -> None:
    """Give the axes of a new sweep their values, and wait for the count of its cells."""
    for number, values in enumerate(_VALUES):
        await page.get_by_label("Values").nth(number).fill(values)
    await page.get_by_text("6 cells").first.wait_for()


async def _every_kind(page: Page, waiting: list[str]) -> None:
    """Follow the links below `/ui`; addresses which differ in ids or filters alone are one kind."""
    kinds: set[str] = set()
    for path in waiting:
        kind = re.sub(r"(sha256:)?[0-9a-f]{64}|[0-9a-f]{24}", "ID", path.partition("?")[0])
        if kind in kinds:
            continue
        kinds.add(kind)
        await _ready(page, path)
        for (width, size), theme in itertools.product(_SIZES.items(), _THEMES):
            await page.set_viewport_size(size)
            await page.emulate_media(color_scheme=theme)
            await page.screenshot(
                path=PICTURES / f"{picture_name(kind)} {width} {theme}.png", full_page=True
            )
        links = await page.evaluate(
            "[...document.links].map(({ pathname, search }) => pathname + search)"
        )
        waiting += [link for link in links if link.startswith("/ui")]


if __name__ == "__main__":
    asyncio.run(draw())
