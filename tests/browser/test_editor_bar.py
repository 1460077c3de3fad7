"""The bar with *Save* stays visible, and covers nothing that a person has to read."""

import pytest
from playwright.async_api import Page, ViewportSize, expect

from support.service import Api
from support.visitors import Visitors

LINES = "".join(f"k{number}: {number}\n" for number in range(200))
SIZES: list[ViewportSize] = [
    {"width": 360, "height": 740},
    {"width": 360, "height": 480},
    {"width": 1280, "height": 900},
    {"width": 1280, "height": 500},
]
#: Whether the line about problems is in the window, with no corner covered.
SEEN = """element => {
    const box = element.getBoundingClientRect();
    const inside = box.top >= 0 && box.bottom <= innerHeight && box.height > 0;
    const points = [
        [box.left + 1, box.top + 1],
        [box.right - 1, box.bottom - 1],
        [box.left + 8, (box.top + box.bottom) / 2],
    ];
    return inside && points.every(([x, y]) => element.contains(document.elementFromPoint(x, y)));
}"""
POSITIONS = ("0", "document.body.scrollHeight / 2", "document.body.scrollHeight")


async def opened(api: Api, visitors: Visitors, name: str, content: str) -> Page:
    api.repository(name, {"config/a.yaml": LINES.encode()})
    project = await api.synced(name)
    [file] = (await api.files(project["id"])).values()
    body = {"original_file_id": file["id"], "modified_name": "v.yaml", "content": content}
    path = f"/projects/{project['id']}/modified-files?allow_invalid=true"
    variant = await api.post(path, body, 201)
    page = await visitors.page(size=SIZES[0])
    await page.goto(f"/ui/modified-files/{variant['id']}")
    return page


async def is_seen(page: Page, size: ViewportSize, position: str) -> bool:
    """Whether the line about problems is, in a window of this size that is scrolled there."""
    await page.set_viewport_size(size)
    await page.evaluate(f"scrollTo(0, {position})")
    return bool(await page.locator(".editor-status").evaluate(SEEN))


@pytest.mark.parametrize("content", [LINES, LINES + "last: [\n"], ids=["sound", "broken"])
async def test_the_line_about_problems_is_never_covered(
    api: Api, visitors: Visitors, content: str
) -> None:
    page = await opened(api, visitors, f"acme/bar-{len(content)}", content)
    await expect(page.locator(".editor-status")).to_contain_text(
        "problem" if content == LINES else "Errors: 1"
    )
    covered = [
        (size, position)
        for size in SIZES
        for position in POSITIONS
        if not await is_seen(page, size, position)
    ]
    assert covered == []
    for size in SIZES:
        await page.set_viewport_size(size)
        await expect(page.get_by_role("button", name="Save")).to_be_in_viewport()


async def test_the_list_of_problems_below_the_editor_can_be_scrolled_clear_of_the_bar(
    api: Api, visitors: Visitors
) -> None:
    page = await opened(api, visitors, "acme/bar-list", LINES)
    await page.locator(".cm-content").click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type("last: [")
    await expect(page.locator(".editor-status")).to_contain_text("Errors: 1")
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    problem = page.locator(".editor-verdict .problems .button").first
    assert await problem.evaluate(SEEN)
    await problem.focus()
    assert await problem.evaluate(SEEN)
