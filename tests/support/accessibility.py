"""Checks with axe-core whether people with disabilities can use a page."""

import re
from functools import cache
from typing import Any, Final, Literal, NamedTuple

import pytest
from playwright.async_api import Page, ViewportSize

from support.process import ROOT
from support.visitors import NARROW, WIDE

AXE: Final = ROOT / "frontend/node_modules/axe-core/axe.min.js"
needs_axe = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not installed: `make frontend` says why"
)
#: Git ignores it.
PICTURES: Final = ROOT / "build/pictures"
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]

#: The rules whose verdict depends on colours, sizes and positions. That of all others depends on
#: the visible elements and their attributes alone.
_OF_LOOKS: Final = [
    "color-contrast",
    "link-in-text-block",
    "scrollable-region-focusable",
    "target-size",
]

_RUN: Final = """async (rules) => {
    const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
        `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`));
}"""
#: Notes which elements are visible; returns whether they are others than were noted before.
_SHOWS_OTHERS: Final = """() => {
    const how = { opacityProperty: true, visibilityProperty: true };
    const all = [...document.querySelectorAll("*")];
    const visible = new Set(all.filter((element) => element.checkVisibility(how)));
    const before = window.visibleBefore ?? new Set();
    window.visibleBefore = visible;
    return visible.size !== before.size || [...visible].some((element) => !before.has(element));
}"""
_OVERFLOWING: Final = """() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const isWide = (element) => element.getBoundingClientRect().right > clientWidth + 1;
    const wide = [...document.body.querySelectorAll("*")].filter(isWide).slice(0, 3);
    const tags = wide.map(({ outerHTML }) => outerHTML.slice(0, 150));
    return scrollWidth <= clientWidth ? [] : [`${scrollWidth} px wide`, ...tags];
}"""


class View(NamedTuple):
    """A size of the window with a theme."""

    name: str
    size: ViewportSize
    scheme: Literal["light", "dark"]


_VIEWS: Final = (View("wide light", WIDE, "light"), View("narrow dark", NARROW, "dark"))


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


async def violations(page: Page, rules: list[str]) -> list[str]:
    """What axe-core finds by these tags or rules on the page as it is now."""
    if not await page.evaluate("'axe' in window"):
        # Evaluated by the debugger, where the page's policy does not reach.
        await page.evaluate(_axe())
    found: list[str] = await page.evaluate(_RUN, rules)
    return found


async def overflowing(page: Page) -> list[str]:
    """What makes the page as a whole scroll sideways."""
    found: list[str] = await page.evaluate(_OVERFLOWING)
    return found


async def problems_by_view(page: Page) -> dict[str, list[str]]:
    """Return the problems of each view: wide and light, and narrow and dark.

    Where it is narrow, the page as a whole must not scroll sideways either. The
    second view is checked by the rules about looks alone where it shows the same elements.
    """
    await page.evaluate("delete window.visibleBefore")
    found: dict[str, list[str]] = {}
    # The one in which the page is comes first: to lay it out anew takes as long as to open it.
    views = sorted(_VIEWS, key=lambda view: view.size != page.viewport_size)
    for view in views:
        if view.size != page.viewport_size:
            await page.set_viewport_size(view.size)
        await page.emulate_media(color_scheme=view.scheme, reduced_motion="reduce")
        rules = _TAGS if await page.evaluate(_SHOWS_OTHERS) else _OF_LOOKS
        found[view.name] = await violations(page, rules)
        if view.size == NARROW:
            found[view.name] += await overflowing(page)
    return {view: problems for view, problems in found.items() if problems}


def picture_name(kind: str) -> str:
    """A file's name for the pages of this address."""
    return re.sub(r"[^\w.-]+", "-", kind.removeprefix("/ui")).strip("-") or "projects"


def as_lines(found: dict[str, Any]) -> str:
    """Write each view or page with its problems below it, a line each."""
    return "\n".join(
        f"{where}\n  {problem}" for where, problems in found.items() for problem in problems
    )
