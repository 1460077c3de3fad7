"""Every page: accessible in both themes, on wide and narrow screens, and light to load."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

from support.accessibility import AXE, looks
from support.service import Api
from support.site import Site
from support.visitors import Visitors

pytestmark = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not installed: `make frontend` says why"
)

#: Tabs at once: one is rendered while the others wait for the service.
TABS = 3
#: Bytes of scripts, style sheets and icons, as sent over the network.
BUDGET = 60_000
EDITOR_BUDGET = 250_000


@dataclass
class Visit:
    """The findings on a page; `assets` are the sizes of the files that it loads."""

    path: str
    has_editor: bool = False
    violations: dict[str, list[str]] = field(default_factory=dict)
    assets: dict[str, float] = field(default_factory=dict)

    def report(self) -> str:
        return "\n".join(
            f"{self.path} {look}: {each}"
            for look, found in self.violations.items()
            for each in found
        )


@dataclass
class Network:
    """Return the bytes that a tab with an empty cache loads, by address."""

    session: CDPSession
    sizes: dict[str, float] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    async def listen(self) -> None:
        self.session.on("Network.responseReceived", self._began)
        self.session.on("Network.loadingFinished", self._finished)
        await self.session.send("Network.enable")
        await self.session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _began(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["response"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        self.sizes[self._urls.get(event["requestId"], "")] = event["encodedDataLength"]


async def test_every_page_is_accessible_and_keeps_its_budget(
    site: Site[Api], visitors: Visitors
) -> None:
    """axe-core finds no violation, nothing scrolls sideways, and the page loads few bytes."""
    visitors.allow("status of 404")
    context = await visitors.context()
    waiting = iter((one_of_each(site) | {"nothing-here": "/ui/nothing-here"}).values())
    found: list[Visit] = []

    async def tab() -> None:
        page = await context.new_page()
        network = Network(await context.new_cdp_session(page))
        await network.listen()
        found.extend([await visit(page, network, path) for path in waiting])

    await asyncio.gather(*(tab() for _ in range(TABS)))
    assert len(found) > 30
    violations = [made.report() for made in found if made.violations]
    assert not violations, "\n".join(violations)
    for made in found:
        assert (
            5_000 < sum(made.assets.values()) <= (EDITOR_BUDGET if made.has_editor else BUDGET)
        ), made


async def visit(page: Page, network: Network, path: str) -> Visit:
    network.sizes.clear()
    await page.goto(path)
    made = Visit(path, has_editor=bool(await page.locator("[data-editor], [data-compare]").count()))
    if made.has_editor:
        await page.locator(".cm-content").first.wait_for()
    made.assets = {url: size for url, size in network.sizes.items() if "/ui/static/" in url}
    made.violations = await looks(page)
    return made


def one_of_each(site: Site[Api]) -> dict[str, str]:
    """Return a page of every kind: addresses that differ only in ids or filters are one kind.

    Merges are of one kind for each kind of drift.
    """
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
