"""The catalogues are complete, and readers get the language and theme that they choose."""

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir

from benchmark_manager.web.site.languages import LANGUAGES, LOCALES, catalogue, chosen
from support.browser import Browser

ROOT = Path(__file__).resolve().parents[3]
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def texts() -> Catalog:
    """Return every text of the pages, found as `make translations` finds it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(row["pattern"], row["method"]) for row in settings]
    options = {
        row["pattern"]: {"newstyle_gettext": row.get("newstyle_gettext", "")} for row in settings
    }
    found = Catalog()
    for _, _, message, _, _ in extract_from_dir(LOCALES.parent, methods, options):
        found.add(message)
    assert len(found) > 200
    return found


def forms(message: str | Sequence[str] | None) -> list[str]:
    return [message] if isinstance(message, str) else list(message or ())


def placeholders(text: str) -> Counter[str]:
    return Counter(re.findall(r"%\(\w+\)[a-z]", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_missing_fuzzy_or_left_over(language: str) -> None:
    """If this fails: run `make translations`, and translate what is empty."""
    wanted = {message.id for message in texts() if message.id}
    have = {message.id: message for message in catalogue(language) if message.id}
    assert wanted - have.keys() == set(), "missing"
    assert have.keys() - wanted == set(), "left over"
    assert [key for key, message in have.items() if message.fuzzy] == []
    assert [key for key, message in have.items() if not all(forms(message.string))] == [], "empty"
    assert catalogue(language).obsolete == {}


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_the_same(language: str) -> None:
    """And a % of its own is doubled."""
    assert [message.id for message in catalogue(language) if message.id and differs(message)] == []


def differs(message: Message) -> bool:
    wanted = placeholders(forms(message.id)[-1])
    return any(
        placeholders(text) != wanted or text.count("%") != wanted.total()
        for text in forms(message.string)
    )


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_are_in_their_script(language: str) -> None:
    """Texts that are the same in both languages are listed here."""
    same = [
        message.id for message in catalogue(language) if message.id and message.id == message.string
    ]
    assert same == ["API"]


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        (None, None, "en"),
        (None, "", "en"),
        (None, "ko", "ko"),
        (None, "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        (None, "en-US,en;q=0.9,ko;q=0.8", "en"),
        (None, "de, ko;q=0.5, en;q=0.4", "ko"),
        (None, "KO", "ko"),
        (None, "de", "en"),
        (None, "ko;q=0", "en"),
        (None, "ko;q=abc,,;;q=1,\x00", "en"),
        (None, "a" * 100_000 + ",ko", "en"),
        ("ko", "en", "ko"),
        ("en", "ko", "en"),
        ("xx", "ko", "ko"),
    ],
)
def test_the_reader_s_choice_goes_before_the_browser_s(
    cookie: str | None, header: str | None, language: str
) -> None:
    assert chosen(cookie, header) == language


async def test_the_switches_lead_back_to_where_one_was(browser: Browser) -> None:
    page = await browser.open("/ui/projects/new?repository=a%26b")
    [switch] = [form for form in page.forms if form.fields.get("language") == "ko"]
    page = await browser.send(switch)
    assert (page.url, page.all("html")[0]["lang"]) == ("/ui/projects/new?repository=a%26b", "ko")
    themes = []
    for _ in range(3):
        [switch] = [form for form in page.forms if "theme" in form.fields]
        page = await browser.send(switch)
        themes.append(page.all("html")[0]["data-theme"])
    assert themes == ["light", "dark", "auto"]


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/ui",
        "//evil.example",
        "/\\evil.example",
        "/ui\r\nX: y",
        "/uix",
        "",
        "/projects",
        "/ui/../docs",
        "/ui//x",
    ],
)
async def test_a_switch_leads_to_no_other_site(browser: Browser, target: str) -> None:
    [switch] = [form for form in (await browser.open("/ui")).forms if "theme" in form.fields]
    page = await browser.send(switch, next=target, theme="<script>", language="xx")
    assert page.url == "/ui"


async def test_errors_are_in_the_language_of_the_reader(browser: Browser) -> None:
    page = await browser.open("/ui/projects/nothing", 404, {"Accept-Language": "ko"})
    assert "'nothing' 프로젝트가 없습니다" in page.text
    assert (
        "There is no project 'nothing'." in (await browser.open("/ui/projects/nothing", 404)).text
    )
