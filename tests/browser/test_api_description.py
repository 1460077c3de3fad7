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
    await expect(page.get_by_text("/projects/sync-all")).to_be_visible()
    await page.get_by_role("button", name="GET /health", exact=False).first.click()
    await page.get_by_role("button", name="Try it out").click()
    await page.get_by_role("button", name="Execute").click()
    await expect(page.locator(".live-responses-table .response")).to_contain_text("healthy")


async def test_a_script_that_is_not_its_own_does_not_run(visitors: Visitors) -> None:
    page = await visitors.page()
    await page.goto("/docs")
    await page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'x'}))"
    )
    await page.wait_for_function("true")
    [violation] = visitors.unexpected()
    assert "script-src" in violation
    visitors.allow("Content Security Policy")
