"""The API's description in a browser, with a policy as strict as that of the pages."""

from playwright.async_api import expect

from support.visitors import Visitors


async def test_the_description_works_under_its_policy(visitors: Visitors) -> None:
    """Every route is listed, one is tried out, and the browser reports no violation."""
    page = await visitors.page()
    answer = await page.goto("/docs")
    assert answer is not None
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    await expect(page.locator("[data-path='/projects/sync-all']")).to_be_visible()
    health = page.locator(".opblock", has=page.locator("[data-path='/health']"))
    await health.locator("button.opblock-summary-control").click()
    await health.get_by_role("button", name="Try it out").click()
    await health.get_by_role("button", name="Execute").click()
    await expect(health.locator(".live-responses-table .response")).to_contain_text("healthy")
    assert visitors.unexpected() == []

    # A script that is not its own does not run.
    await page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'x'}))"
    )
    await page.wait_for_function("true")
    [violation] = visitors.unexpected()
    assert "script-src" in violation
    visitors.allow("Content Security Policy")
