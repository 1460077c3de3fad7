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
    Page,
    Request,
    ViewportSize,
    WebError,
)

#: Milliseconds. What takes longer on a busy machine than this is broken.
TIMEOUT: Final = 40_000
WIDE: Final[ViewportSize] = {"width": 1280, "height": 900}
NARROW: Final[ViewportSize] = {"width": 360, "height": 740}


@dataclass
class Visitors:
    """Opens browsers at one service.

    Whatever goes wrong in any of their pages is kept in `faults`.
    """

    chromium: Browser
    url: str
    faults: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)
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

    async def context(
        self,
        *,
        language: str = "en",
        scripts: bool = True,
        size: ViewportSize = WIDE,
        **options: Any,
    ) -> BrowserContext:
        """A browser of its own, with cookies and storage of its own."""
        context = await self.chromium.new_context(
            base_url=self.url,
            locale={"en": "en-GB", "ko": "ko-KR"}[language],
            timezone_id="Asia/Seoul",
            java_script_enabled=scripts,
            viewport=size,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(TIMEOUT)
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        context.on("request", self._asked)
        self._contexts.append(context)
        return context

    async def page(self, **options: Any) -> Page:
        """One page in a browser of its own."""
        return await (await self.context(**options)).new_page()

    async def leave(self) -> None:
        for context in self._contexts:
            await context.close()

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
async def visiting(chromium: Browser, url: str) -> AsyncIterator[Visitors]:
    """Visitors, whose faults are looked at when they leave."""
    visitors = Visitors(chromium, url)
    try:
        yield visitors
    finally:
        await visitors.leave()
    assert not visitors.unexpected(), "\n".join(visitors.unexpected())
