"""The lines of a file with a button at each value: every text is whole, whatever it holds."""

import re
from html import unescape

import pytest
import pytest_asyncio

from support.browser import Browser, WebPage
from support.service import Service
from support.site import check
from support.sweep_form import form_of, press

LONG = "".join(f"k{number}: {number}\n" for number in range(1000))
TEXTS = {
    "flags": "args: [--a=1, --b, '2', \"--c=x\", --d]\n",
    "mark": "\N{ZERO WIDTH NO-BREAK SPACE}a: 1\nb: 2\n",
    "returns": "a: 1\r\nb: 'x'\r\n",
    "blocks": "a: |\n  one\n  two\nb: >-\n  three\nc:\nd: {}\n",
    "documents": "kind: A\n---\nkind: B\nname: '</button><script>alert(1)</script>'\n",
    "keys": '"a\\"b": 1\n\'<i>\': 2\n',
    "many": "a: [" + ", ".join(map(str, range(2000))) + "]\n",
    "long": LONG,
}


TEMPLATE = "a: {{ .Values.a }}\nb: 1\n"
#: What a click on the value `a` of a text enters.
ENTERED = {
    "z: &z 256\na: *z\n": "256",
    "z: &z 'x, y'\na: *z\n": '"x, y"',
    "a: &z 256\n": "256",
    "a: no\n": "false",
    "a: '1'\n": '"1"',
    "a:\n": "null",
    "a: 2024-01-01\n": "",
    "a: .inf\n": "",
    "a: 0o17\n": "",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def forms(module_service: Service) -> dict[str, str]:
    """The addresses of new sweeps of files, by their texts; nothing here stores one."""
    texts = [*TEXTS.values(), TEMPLATE, *ENTERED]
    paths = {f"config/{number}/a.yaml": text for number, text in enumerate(texts)}
    module_service.repository("acme/bench", {path: text.encode() for path, text in paths.items()})
    project = await module_service.synced("acme/bench", config_folder="config")
    form = f"/ui/projects/{project['id']}/sweeps/new?file="
    files = await module_service.files(project["id"])
    return {paths[path]: form + file["id"] for path, file in files.items()}


@pytest.fixture
def browser(module_service: Service) -> Browser:
    module_service.http.cookies.clear()
    return Browser(module_service.http)


def shown(page: WebPage) -> str:
    """Return the text of the lines, without what cannot be seen."""
    [html] = re.findall(r'<pre class="code" id="picks"[^>]*>(.*?)</pre>', page.html, re.DOTALL)
    bare = re.sub(r"<b>U\+FEFF</b>|<a [^>]*>\u2205</a>|<button[^>]*>\u2205</button>", "", html)
    return unescape(re.sub("<[^>]*>", "", bare))


def picks(page: WebPage) -> list[str]:
    values = [tag["value"] for tag in page.all("button") if tag.get("name") == "do"]
    return [value.removeprefix("pick:a:") for value in values if value.startswith("pick:")]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_all_of_a_text_is_shown(browser: Browser, forms: dict[str, str], text: str) -> None:
    page = await browser.open(forms[text])
    check(page)
    lines = re.split("\r\n|\n", text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    assert shown(page).split("\n")[:400] == lines[:400]


async def test_flags_are_chosen_instead_of_the_items_that_have_them(
    browser: Browser, forms: dict[str, str]
) -> None:
    page = await browser.open(forms[TEXTS["flags"]])
    assert picks(page) == ["args[--a]", "args[1]", "args[--b]", "args[--c]", "args[4]"]


async def test_what_cannot_be_edited_says_why(browser: Browser, forms: dict[str, str]) -> None:
    page = await browser.open(forms[TEMPLATE])
    check(page)
    assert "it is a template" in page.text
    assert picks(page) == []


@pytest.mark.parametrize(("text", "typed"), ENTERED.items())
async def test_a_chosen_value_is_entered_as_what_a_reader_takes_it_for_where_json_has_it(
    browser: Browser, forms: dict[str, str], text: str, typed: str
) -> None:
    page = await press(browser, await browser.open(forms[text]), "pick:a:a")
    assert form_of(page).fields["axis-0-values"] == typed
