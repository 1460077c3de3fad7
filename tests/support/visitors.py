"""People at real browsers, whose every request, error and violation is noticed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
    WebError,
    expect,
)

#: Milliseconds. What takes longer on a busy machine than this is broken.
TIMEOUT: Final = 120_000
expect.set_options(timeout=TIMEOUT)
WIDE: Final[ViewportSize] = {"width": 1280, "height": 900}
NARROW: Final[ViewportSize] = {"width": 360, "height": 740}


@dataclass
class Contexts:
    """Browsers with cookies and storage of their own, each for one test after the other.

    To open one takes Chromium longer than most tests do. A test gets it without cookies and
    storage, but with what the tests before left in the HTTP cache.
    """

    chromium: Browser
    _idle: dict[tuple[object, ...], list[BrowserContext]] = field(default_factory=dict)

    async def take(self, url: str, language: str, scripts: bool) -> BrowserContext:
        """Return a browser at this service, with one blank page."""
        idle = self._idle.get((url, language, scripts))
        if idle:
            return idle.pop()
        context = await self.chromium.new_context(
            base_url=url,
            locale={"en": "en-GB", "ko": "ko-KR"}[language],
            timezone_id="Asia/Seoul",
            java_script_enabled=scripts,
            viewport=WIDE,
            reduced_motion="reduce",
        )
        context.set_default_timeout(TIMEOUT)
        await context.new_page()
        return context

    def put_back(self, context: BrowserContext, url: str, language: str, scripts: bool) -> None:
        """Keep a browser that `cleared` has made blank."""
        self._idle.setdefault((url, language, scripts), []).append(context)


async def cleared(context: BrowserContext, url: str) -> None:
    """Leave one blank page, without cookies, storage and permissions of the service."""
    first, *others = context.pages or [await context.new_page()]
    for page in others:
        await page.close()
    if first.url.startswith(url):
        await first.evaluate("sessionStorage.clear()")
    try:
        await first.goto("about:blank")
    except Error:  # another navigation was under way still
        await first.close()
        first = await context.new_page()
    session = await context.new_cdp_session(first)
    await session.send(
        "Storage.clearDataForOrigin", {"origin": url, "storageTypes": "local_storage"}
    )
    await session.detach()
    await context.clear_cookies()
    await context.clear_permissions()


@dataclass
class Visitors:
    """Opens browsers at one service.

    Whatever goes wrong in any of their pages is kept in `faults`.
    """

    contexts: Contexts
    url: str
    faults: list[str] = field(default_factory=list)
    _open: list[tuple[BrowserContext, str, str, bool]] = field(default_factory=list)
    _allowed: list[re.Pattern[str]] = field(default_factory=list)

    def allow(self, *patterns: str) -> None:
        """Take no offence at faults which match.

        A browser reports every answer of 400 and above as an error.
        """
        self._allowed += [re.compile(pattern) for pattern in patterns]

    def unexpected(self) -> list[str]:
        return [
            fault
            for fault in self.faults
            if not any(allowed.search(fault) for allowed in self._allowed)
        ]

    async def context(self, *, language: str = "en", scripts: bool = True) -> BrowserContext:
        """A browser of its own, with cookies and storage of its own."""
        context = await self.contexts.take(self.url, language, scripts)
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        context.on("request", self._asked)
        self._open.append((context, self.url, language, scripts))
        return context

    async def page(self, *, size: ViewportSize = WIDE, **options: Any) -> Page:
        """One page in a browser of its own."""
        [page] = (await self.context(**options)).pages
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme="light", reduced_motion="reduce")
        return page

    async def leave(self) -> None:
        while self._open:
            context, url, language, scripts = self._open.pop()
            await cleared(context, url)
            context.remove_listener("console", self._heard)
            context.remove_listener("weberror", self._failed)
            context.remove_listener("request", self._asked)
            self.contexts.put_back(context, url, language, scripts)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(
                f"{message.type}: {message.text} at {message.location.get('url', '')}"
            )

    def _failed(self, error: WebError) -> None:
        self.faults.append(f"uncaught: {error.error}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url)[:2] != urlsplit(self.url)[:2]:
            self.faults.append(f"left the service: {request.url}")


@asynccontextmanager
async def visiting(contexts: Contexts, url: str) -> AsyncIterator[Visitors]:
    """Visitors, whose faults are checked when they leave."""
    visitors = Visitors(contexts, url)
    try:
        yield visitors
    finally:
        await visitors.leave()
    assert not visitors.unexpected(), "\n".join(visitors.unexpected())
