"""The API's description in a browser, with a policy as strict as that of the pages."""

import json
import re
from typing import Any, Final

from playwright.async_api import Page, Route, expect

from support.visitors import Visitors

#: The routes in the description: to show all takes the browser seconds at each click.
ROUTES: Final = ("/health", "/projects/sync-all")


def named_in(part: object, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas that a part of the description refers to, and those that they need."""
    found: dict[str, Any] = {}
    waiting = [part]
    while waiting:
        names = re.findall(r"#/components/schemas/([\w-]+)", json.dumps(waiting.pop()))
        new = {name: schemas[name] for name in names if name not in found}
        found |= new
        waiting += new.values()
    return found


async def shown_in_part(route: Route) -> None:
    """Answer with the part of the service's description that is about `ROUTES`."""
    answer = await route.fetch()
    description = await answer.json()
    description["paths"] = {path: description["paths"][path] for path in ROUTES}
    components = description["components"]
    components["schemas"] = named_in(description["paths"], components["schemas"])
    await route.fulfill(response=answer, json=description)


async def described(visitors: Visitors) -> Page:
    page = await (await visitors.context()).new_page()
    await page.route("**/openapi.json", shown_in_part)
    return page


async def test_the_description_works_under_its_policy(visitors: Visitors) -> None:
    """Its routes are listed, one is tried out, and the browser reports no violation."""
    page = await described(visitors)
    answer = await page.goto("/docs")
    assert answer is not None
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    listed = page.locator("[data-path]")
    await expect(listed).to_have_count(len(ROUTES))
    assert await listed.evaluate_all("all => all.map(({dataset}) => dataset.path)") == [*ROUTES]
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
