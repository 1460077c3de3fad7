"""A person at a page, who presses and types what the page shows in their language."""

import re
from dataclasses import dataclass
from typing import Final

from playwright.async_api import Locator, Page, expect

from benchmark_manager.web.site.languages import translations
from support.visitors import TIMEOUT

#: Milliseconds between two checks of a page that shows nothing new by itself.
_RELOAD: Final = 250
#: Selects a part of a line of an editor as a mouse does: an arrow key for each character would take
#: as many turns of the browser.
_SELECT: Final = """async (editor, [line, column, length]) => {
    const nodes = document.createTreeWalker(
        editor.querySelectorAll(".cm-line")[line], NodeFilter.SHOW_TEXT);
    const at = [];
    for (let passed = 0, node = nodes.nextNode(); node; node = nodes.nextNode()) {
        for (const wanted of [column, column + length].slice(at.length))
            if (wanted <= passed + node.length) at.push([node, wanted - passed]);
        passed += node.length;
    }
    const [[first, from], [last, to]] = at;
    getSelection().setBaseAndExtent(first, from, last, to);
    await new Promise(requestAnimationFrame);
}"""


@dataclass(frozen=True, slots=True)
class BrowserPerson:
    page: Page
    language: str = "en"
    #: Whether the browser runs scripts.
    scripts: bool = True

    def word(self, text: str, **values: object) -> str:
        found: str = translations(self.language).gettext(text)
        return found % values if values else found

    def button(self, text: str) -> Locator:
        return self.page.get_by_role("button", name=self.word(text), exact=True)

    def link(self, text: str) -> Locator:
        return self.page.get_by_role("link", name=self.word(text), exact=True)

    def field(self, text: str) -> Locator:
        return self.page.get_by_label(re.compile("^" + re.escape(self.word(text))))

    async def sees(self, text: str, within: str = "main") -> None:
        """Wait for it: of itself where scripts run, else by asking again."""
        # An expression heeds capitals: "It was not saved." is not "Saved."
        seen = self.page.locator(within).get_by_text(re.compile(re.escape(self.word(text)))).first
        for _ in range(0 if self.scripts else TIMEOUT // _RELOAD):
            if await seen.count():
                break
            await self.page.wait_for_timeout(_RELOAD)
            await self.page.reload()
        await expect(seen).to_be_visible()

    async def send(self, text: str) -> None:
        """Press the button which sends a form, and wait for the page behind it."""
        async with self.page.expect_navigation():
            await self.button(text).click()

    async def press(self, *keys: str) -> None:
        # A page is shown before its scripts run, and until then single keys do nothing.
        await self.page.wait_for_load_state()
        for key in keys:
            await self.page.keyboard.press(key)

    async def stay(self) -> None:
        """Mark this page, to know it again; see `stayed`."""
        await self.page.wait_for_load_state()
        await self.page.evaluate("window.stayed = true")

    async def stayed(self) -> bool:
        """Whether this is still the page which was marked, not loaded anew since."""
        return bool(await self.page.evaluate("window.stayed === true"))

    # The editor.

    async def text(self) -> str:
        """What stands in the editor, with line feeds."""
        area = self.page.locator("textarea[name=content]")
        if self.scripts:
            # The editor writes to the text area at once only for a form that is sent.
            await area.evaluate("area => { new FormData(area.form); }")
        return await area.input_value()

    async def replace(self, old: str, new: str) -> None:
        """Select the first occurrence of a text, and type over it."""
        text = await self.text()
        before, found, after = text.partition(old)
        assert found, text
        if not self.scripts:
            await self.page.locator("textarea[name=content]").fill(before + new + after)
            return
        await self.page.locator("form .cm-content").click()
        await self.page.locator("form .cm-content").evaluate(
            _SELECT, [before.count("\n"), len(before.rpartition("\n")[2]), len(old)]
        )
        await self.page.keyboard.insert_text(new)

    async def save(self) -> None:
        """Ctrl-S where scripts run, else the button."""
        async with self.page.expect_navigation():
            await (
                self.press("Control+s")
                if self.scripts
                else self.page.locator("form .primary").last.click()
            )
