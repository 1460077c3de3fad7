"""What the other tests in a browser rely on.

That a page could not leave the service unnoticed, nor reach anything.
"""

import pytest
from playwright.async_api import Error

from support.visitors import Visitors


@pytest.mark.parametrize("address", ["https://192.0.2.1/", "http://a.test/"])
async def test_a_browser_reaches_nothing_beyond_loopback_and_trying_is_noticed(
    visitors: Visitors, address: str
) -> None:
    page = await visitors.page()
    with pytest.raises(Error, match="ERR_PROXY_CONNECTION_FAILED"):
        await page.goto(address)
    assert visitors.unexpected() == [f"left the service: {address}"]
    visitors.allow("left the service")


async def test_what_the_policy_forbids_is_noticed(visitors: Visitors) -> None:
    page = await visitors.page()
    await page.goto("/ui/help")
    await page.evaluate("document.body.setAttribute('style', 'color: red')")
    await page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'x'}))"
    )
    await page.evaluate("setTimeout(() => { throw new Error('on purpose') })")
    await page.wait_for_function("true")
    style, script, uncaught = visitors.unexpected()
    assert "style-src" in style
    assert "script-src" in script
    assert "on purpose" in uncaught
    visitors.allow("Content Security Policy", "on purpose")
