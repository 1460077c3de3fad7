"""The keyboard alone: nothing traps the focus, and the focus is visible."""

from playwright.async_api import Page, expect

from support.person import BrowserPerson
from support.service import Api
from support.visitors import Visitors
from support.waiting import eventually

_FOCUS = """() => {
    const focused = document.activeElement;
    const shown = focused.closest(".cm-editor") ?? focused;
    const { outlineStyle, outlineWidth } = getComputedStyle(shown);
    const label = (focused.getAttribute("aria-label") ?? focused.textContent).trim();
    return {
        name: label || focused.id || focused.tagName,
        isSeen: outlineStyle !== "none" && parseFloat(outlineWidth) > 0,
        isEditor: shown !== focused,
    };
}"""


async def focus(page: Page) -> dict[str, object]:
    """Return the focused element; an editor shows its focus a moment later."""

    async def settled() -> dict[str, object] | None:
        found: dict[str, object] = await page.evaluate(_FOCUS)
        return found if found["isSeen"] or not found["isEditor"] else None

    return await eventually(settled, "the editor does not show its focus")


async def tab_to(page: Page, wanted: str, key: str = "Tab") -> None:
    """Press Tab until the element is focused; every focused element on the way is visible."""
    for _ in range(60):
        await page.keyboard.press(key)
        now = await focus(page)
        assert now["isSeen"], now
        if now["name"] == wanted or (wanted == "the editor" and now["isEditor"]):
            return
    raise AssertionError(f"the focus never came to {wanted}")


async def test_a_variant_is_made_and_deleted_by_keys_alone(api: Api, visitors: Visitors) -> None:
    api.repository("acme/keys", {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 1\n"})
    page = await visitors.page()
    person = BrowserPerson(page)
    await page.goto("/ui")
    await tab_to(page, "Skip to the content")
    await person.press("Enter", "n")
    await page.wait_for_url("**/projects/new")
    await person.field("Repository").focus()
    await page.keyboard.type("acme/keys")
    await tab_to(page, "name")
    await page.keyboard.type("keys")
    await person.press("Enter")
    await person.sees("In sync", "#status")
    await expect(page.locator("#results")).to_contain_text("b.yaml")
    await person.press("/")
    await page.keyboard.type("b.y")
    await expect(page.locator("#results")).to_contain_text("config/b.yaml")
    await tab_to(page, "config/b.yaml")
    await person.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("config/b.yaml")
    await person.press("n")
    await page.wait_for_url("**/new-variant")
    await tab_to(page, "the editor")
    await page.keyboard.type("c: 2\n")
    await tab_to(page, "Make the variant")
    await person.press("Enter")
    await person.sees("The variant was made.")
    variant = page.url.rpartition("/")[2]
    assert (await api.http.get(f"/modified-files/{variant}/raw")).text == "c: 2\nb: 1\n"
    await tab_to(page, "Delete …")
    await person.press("Enter")
    await page.wait_for_url("**/delete")
    await tab_to(page, "Delete the variant")
    await person.press("Enter")
    await person.sees("The variant was deleted.")
    await tab_to(page, "Undo")
    await person.press("Enter")
    await person.sees("The variant was restored.")


async def test_the_editor_releases_the_focus_and_explains_how(api: Api, visitors: Visitors) -> None:
    api.repository("acme/focus", {"config/a.yaml": b"a: 1\n"})
    project = await api.synced("acme/focus", name="focus")
    file = await api.variant(project["id"], (await api.files(project["id"]))["config/a.yaml"])
    page = await visitors.page()
    await page.goto(f"/ui/modified-files/{file['id']}")
    await page.locator("form .cm-content").wait_for()
    await tab_to(page, "the editor")
    await page.keyboard.press("Tab")
    assert not (await focus(page))["isEditor"]
    await tab_to(page, "the editor", "Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    assert not (await focus(page))["isEditor"]
    await page.locator("main").focus()
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_contain_text("leave the editor: Escape, then Tab")
    await expect(dialog).to_contain_text("Compare")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.keyboard.press("2")
    await page.wait_for_url("**/compare")
