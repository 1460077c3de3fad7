"""Contents of files are shown as text, and saved as typed, byte by byte."""

import re

import pytest
from playwright.async_api import Page

from support.person import BrowserPerson
from support.service import Api, Json
from support.visitors import Visitors

#: Each is typed at the end, and saved.
CONTENTS = {
    "mixed": b"a: 1\r\nb: 2\nc: 3\r\n",
    "bom-crlf-unfinished": b"\xef\xbb\xbfa: 1\r\nb: 2",
    "tabs-closing-marks": (
        "\n\na:\t1   \nb: [1,\t2]\t# tab\n"
        "c: '</textarea></script><script>alert(1)</script><!--'\n"
        "d: \u202eevil\u202c \u200b\u2028x\u2066 'é\u0301 🎉 한국어'\n\n\n"
    ).encode(),
}
TYPED = "# 한글 🎉 </textarea>"

LONG_LINE = b"x: " + b"y" * 1_000_000 + b"\n"
MANY_LINES = b"".join(b"key-%d: %d\n" % (number, number) for number in range(10_000))


async def variants(api: Api, name: str, contents: dict[str, bytes]) -> dict[str, Json]:
    """A variant of each content, in one project."""
    api.repository(
        f"acme/{name}", {f"config/{path}.yaml": content for path, content in contents.items()}
    )
    project = await api.synced(f"acme/{name}", name=name)
    files = await api.files(project["id"])
    return {
        path: await api.post(
            f"/projects/{project['id']}/modified-files",
            {"original_file_id": files[f"config/{path}.yaml"]["id"]},
            201,
        )
        for path in contents
    }


async def type_behind(page: Page, file: Json, *, is_valid: bool = True) -> None:
    """Open a variant, type a comment at the end of its first line, and save it even if invalid."""
    person = BrowserPerson(page)
    await page.goto(f"/ui/modified-files/{file['id']}")
    await page.locator("form .cm-content").click()
    await person.press("Control+Home", "End")
    await page.keyboard.insert_text(TYPED)
    await person.save()
    if not is_valid:
        await person.field("Save anyway").check()
        await person.save()
    await person.sees("Saved.")


async def test_what_was_typed_is_what_is_saved(api: Api, visitors: Visitors) -> None:
    page = await visitors.page()
    saved = {}
    for name, file in (await variants(api, "exact", CONTENTS)).items():
        await type_behind(page, file)
        saved[name] = (await api.http.get(f"/modified-files/{file['id']}/raw")).content
    assert saved == {name: with_comment(content) for name, content in CONTENTS.items()}


def with_comment(content: bytes) -> bytes:
    """Return the content with what was typed at the end of its first line."""
    line_end = min(content.find(end) for end in (b"\r", b"\n") if end in content)
    return content[:line_end] + TYPED.encode() + content[line_end:]


async def test_a_nul_is_shown_and_stays_where_something_else_is_typed(
    api: Api, visitors: Visitors
) -> None:
    """Forms cannot send NUL, so it is restored at its position."""
    page = await visitors.page()
    file = (await variants(api, "nul", {"nul": b"a: 1\nb: 2\n"}))["nul"]
    address = f"/modified-files/{file['id']}"
    await api.put(f"{address}?allow_invalid=true", {"content": "a: 1\nb: 'x\0y'\n"})
    texts = {}
    for part in ("compare", "revisions/2"):
        await page.goto(f"/ui{address}/{part}")
        texts[part] = await page.locator("main").inner_text()
    shown = re.compile(r"b: 'x(U\+0000|\W+)y'")
    assert [part for part, text in texts.items() if not shown.search(text)] == []
    visitors.allow("status of 422")
    await type_behind(page, file, is_valid=False)
    assert (
        await api.http.get(f"{address}/raw")
    ).content == b"a: 1" + TYPED.encode() + b"\nb: 'x\0y'\n"


@pytest.mark.parametrize(
    ("name", "content"), [("long-line", LONG_LINE), ("many-lines", MANY_LINES)]
)
async def test_a_megabyte_in_a_line_and_ten_thousand_lines_are_edited(
    api: Api, visitors: Visitors, name: str, content: bytes
) -> None:
    page = await visitors.page()
    files = await variants(api, name, {name: content})
    file = files[name]
    await page.goto(f"/ui/projects/{file['project_id']}/files/{file['original_file_id']}")
    shown = page.locator("pre.code, .cm-content").first
    await shown.wait_for()
    assert content.decode()[:60].strip() in await shown.inner_text()
    await page.goto(f"/ui/modified-files/{file['id']}")
    person = BrowserPerson(page)
    await page.locator("form .cm-content").click(position={"x": 20, "y": 8})
    await person.press("Control+Home")
    await page.keyboard.insert_text("# first\n")
    await person.save()
    await person.sees("Saved.")
    assert (
        await api.http.get(f"/modified-files/{file['id']}/raw")
    ).content == b"# first\n" + content
