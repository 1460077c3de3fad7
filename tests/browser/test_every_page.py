"""Every page: accessible in both themes, on wide and narrow screens, and light to load."""

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import CDPSession, Page

from support.accessibility import AXE, needs_axe, problems_by_view
from support.service import Api
from support.site import Site
from support.visitors import Visitors

pytestmark = needs_axe

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
    """The files that a tab loads, and the bytes of each as its first load sent them.

    Later loads come from the cache, which spares Chromium to compile scripts anew.
    """

    session: CDPSession
    sizes: dict[str, float]
    loaded: set[str] = field(default_factory=set)
    _urls: dict[str, str] = field(default_factory=dict)

    async def listen(self) -> None:
        self.session.on("Network.responseReceived", self._began)
        self.session.on("Network.loadingFinished", self._finished)
        await self.session.send("Network.enable")
        await self.session.send("Network.clearBrowserCache")

    def _began(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["response"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        url = self._urls.get(event["requestId"], "")
        self.loaded.add(url)
        self.sizes[url] = max(event["encodedDataLength"], self.sizes.get(url, 0))

    def assets(self) -> dict[str, float]:
        return {url: self.sizes[url] for url in self.loaded if "/ui/static/" in url}


async def test_every_page_is_accessible_and_keeps_its_budget(
    site: Site[Api], visitors: Visitors
) -> None:
    """axe-core finds no violation, nothing scrolls sideways, and the page loads few bytes."""
    visitors.allow("status of 404")
    page = await (await visitors.context()).new_page()
    await page.add_init_script(path=AXE)
    network = Network(await page.context.new_cdp_session(page), {})
    await network.listen()
    paths = [*site.kinds.values(), "/ui/nothing-here"]
    found = [await visit(page, network, path) for path in paths]
    assert len(found) > 30
    violations = [made.report() for made in found if made.violations]
    assert not violations, "\n".join(violations)
    heavy = [
        made
        for made in found
        if not 5_000 < sum(made.assets.values()) <= (EDITOR_BUDGET if made.has_editor else BUDGET)
    ]
    assert heavy == []


async def visit(page: Page, network: Network, path: str) -> Visit:
    network.loaded.clear()
    await page.goto(path)
    # A locator is Playwright's own script in the page, which takes as long as to parse the page.
    has_editor = await page.evaluate(
        "document.querySelector('[data-editor], [data-compare]') !== null"
    )
    made = Visit(path, has_editor=has_editor)
    if made.has_editor:
        await page.locator(".cm-content").first.wait_for()
    made.assets = network.assets()
    made.violations = await problems_by_view(page)
    return made
