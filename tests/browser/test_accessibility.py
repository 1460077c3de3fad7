"""axe-core finds no violation on any page, in either theme, wide or as narrow as a phone."""

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext

from support.accessibility import AXE, looks, picture_name, told
from support.service import Api
from support.site import Site
from support.visitors import Visitors

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: `make frontend` says why")

#: Tabs at once: one is drawn while the others are waited for.
TABS = 3


async def test_every_page_is_accessible(site: Site[Api], visitors: Visitors) -> None:
    visitors.allow("status of 404")
    context = await visitors.context()
    waiting = iter((one_of_each(site) | {"nothing-here": "/ui/nothing-here"}).items())
    found = {}

    async def visit(context: BrowserContext) -> None:
        page = await context.new_page()
        for kind, path in waiting:
            await page.goto(path)
            if await page.locator("[data-editor], [data-compare]").count():
                await page.locator(".cm-content").first.wait_for()
            found.update(
                {f"{path} {look}": complaints for look, complaints in (await looks(page, picture_name(kind))).items()}
            )

    await asyncio.gather(*(visit(context) for _ in range(TABS)))
    assert not found, told(found)


def one_of_each(site: Site[Api]) -> dict[str, str]:
    """A page of every kind: addresses which differ in ids or filters alone are one kind, but for merges."""
    drifts = {modified: drift for drift, modified in site.moved.items()}
    kinds: dict[str, str] = {}
    empty_or_compared = re.compile("zzz|nothing|compare.with")
    for path in site.pages:
        if "?" in path and not empty_or_compared.search(path):
            continue
        kind = re.sub(r"(sha256:)?[0-9a-f]{64}|[0-9a-f]{24}", "ID", path)
        merged = drifts.get(path.split("/")[3] if "/merge" in path else "", "")
        kinds.setdefault(f"{kind} {merged}", path)
    return kinds
