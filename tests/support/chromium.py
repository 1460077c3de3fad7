"""Chromium, driven by Playwright.

Found on this machine, and kept from every network but the loopback interface.

Run as a script it prints the browser's path, or ends with 1 where there is none; `make chromium`
asks so.
"""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, async_playwright
from playwright.sync_api import sync_playwright

#: The shell first: it has no window, which costs the others as much as the pages.
NAMES: Final = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)

#: The host of the hostile page of some tests, which is on the loopback interface too.
MISLED: Final = "evil.example"

_RULES: Final = f"MAP {MISLED} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
FLAGS: Final = (
    "--no-sandbox",  # root has none, and only pages of our own are opened
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    # What is not for the loopback interface goes to a proxy which is not there.
    "--proxy-server=http://127.0.0.1:9",
    f"--proxy-bypass-list={MISLED}",
    f"--host-resolver-rules={_RULES}",
    "--disable-popup-blocking",  # a hostile page may try all that it can
    # Debian asks for a GPU; without one it is emulated, which takes longer than to draw on the CPU.
    "--disable-gpu",
    "--disable-gpu-rasterization",
    "--disable-gpu-compositing",
    "--disable-software-rasterizer",
    "--in-process-gpu",  # what is drawn need not be sent to another process
    # Else a renderer is started for the next page, which may never come.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    # Each page compiles its scripts anew; the optimising compilers take longer than they save.
    "--js-flags=--no-opt --no-maglev",
    # What a browser of people keeps ready behind its address bar: two more renderers a window.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
)
#: Without memory for it nothing is drawn. Layout, styles and focus are as ever.
DRAWS_NOTHING: Final = "--force-gpu-mem-available-mb=0"


def find_chromium() -> str | None:
    """The path of a Chromium.

    CHROMIUM, else one in PATH, else what `playwright install chromium` has put in place.
    """
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or _of_playwright()


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@asynccontextmanager
async def running_chromium(path: str, *, draws: bool = True) -> AsyncIterator[Browser]:
    """Run a Chromium; one that does not draw takes less time, and its pictures are empty."""
    flags = FLAGS if draws else (*FLAGS, DRAWS_NOTHING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(flags))
        yield browser
        await browser.close()


if __name__ == "__main__":
    print(find_chromium() or sys.exit(1))
