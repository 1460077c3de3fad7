"""Checks with axe-core whether people with disabilities can use a page."""

import re
from functools import cache
from typing import Any, Final, Literal

from playwright.async_api import Page, ViewportSize

from support.process import ROOT
from support.visitors import NARROW, WIDE

AXE: Final = ROOT / "frontend/node_modules/axe-core/axe.min.js"
#: Git ignores it.
PICTURES: Final = ROOT / "build/pictures"
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]

_RUN: Final = """async (tags) => {
    const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
        `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`));
}"""
_OVERFLOWING: Final = """() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const isWide = (element) => element.getBoundingClientRect().right > clientWidth + 1;
    const wide = [...document.body.querySelectorAll("*")].filter(isWide).slice(0, 3);
    const tags = wide.map(({ outerHTML }) => outerHTML.slice(0, 150));
    return scrollWidth <= clientWidth ? [] : [`${scrollWidth} px wide`, ...tags];
}"""


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it is now."""
    if not await page.evaluate("'axe' in window"):
        # Evaluated by the debugger, where the page's policy does not reach.
        await page.evaluate(_axe())
    found: list[str] = await page.evaluate(_RUN, _TAGS)
    return found


async def overflowing(page: Page) -> list[str]:
    """What makes the page as a whole scroll sideways."""
    found: list[str] = await page.evaluate(_OVERFLOWING)
    return found


async def problems_by_view(page: Page) -> dict[str, list[str]]:
    """Return the problems of each view: wide and light, and narrow and dark.

    Where it is narrow, the page as a whole must not scroll sideways either.
    """
    found: dict[str, list[str]] = {}
    views: tuple[tuple[str, ViewportSize, Literal["light", "dark"]], ...] = (
        ("wide light", WIDE, "light"),
        ("narrow dark", NARROW, "dark"),
    )
    for view, size, scheme in views:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found[view] = await violations(page) + (await overflowing(page) if size is NARROW else [])
    return {view: problems for view, problems in found.items() if problems}


def picture_name(kind: str) -> str:
    """A file's name for the pages of this address."""
    return re.sub(r"[^\w.-]+", "-", kind.removeprefix("/ui")).strip("-") or "projects"


def as_lines(found: dict[str, Any]) -> str:
    """Write each view or page with its problems below it, a line each."""
    return "\n".join(
        f"{where}\n  {problem}" for where, problems in found.items() for problem in problems
    )
