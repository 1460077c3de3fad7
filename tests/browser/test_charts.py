"""Charts of results in a browser: accessible, readable, and inside their place."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from benchmark_manager.web.charts.from_table import charts_of
from benchmark_manager.web.site.assets import FOLDER
from benchmark_manager.web.site.rendering import environment
from support.accessibility import needs_axe, problems_by_view
from support.result_tables import sweep_table
from support.visitors import NARROW

SHEETS: Final = ("tokens", "base", "components", "pages", "charts")
PAGE: Final = """<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8"><title>Charts</title><meta name="viewport" content="width=device-width">
{% for sheet in sheets %}<style>{{ sheet|safe }}</style>{% endfor %}
</head>
{% from "charts/charts.html" import metric_chart, trade_off_chart, heat_map %}
<body><main><h1>Charts</h1><div class="graphs">
{{ metric_chart(charts.metric, level=2) }}
{{ trade_off_chart(charts.trade_off, level=2) }}
{{ heat_map(charts.heat_map, level=2) }}
</div></main></body>
</html>"""
#: Where the texts of a chart are, from left to right, with the size in which they are drawn.
TEXTS: Final = """(chart) => [...chart.querySelectorAll("text")].map((text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    const { a, b } = text.getScreenCTM();
    const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
    return { left, right, top, bottom, size };
}).sort((one, other) => one.left - other.left)"""
SEQS: Final = {
    "numbers": (128, 256, 512, 1024),
    "names": ("auto", "fp8_e4m3 of a long name", "int8", "한국어 이름", "bf16", "fp16", "mxfp4"),
}


def page_of(values: tuple[int | str, ...], language: str) -> str:
    charts = charts_of(
        sweep_table(values, without=[5]),
        lambda row: f"/ui/releases/{row.release}",
        x_axis="engine.max_num_seqs",
    )
    sheets = [(FOLDER / "css" / f"{sheet}.css").read_text() for sheet in SHEETS]
    template = environment(language).from_string(PAGE)
    return template.render(charts=charts, sheets=sheets, language=language)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context()
    yield await context.new_page()
    await context.close()


@pytest.fixture
async def blank(page: Page) -> Page:
    """A blank page of a phone's size, for charts without a service."""
    await page.goto("about:blank")
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="light")
    return page


@needs_axe
@pytest.mark.parametrize("language", ["en", "ko"])
async def test_charts_are_accessible(blank: Page, language: str) -> None:
    """In both themes; and on a phone, nothing makes the page scroll sideways."""
    await blank.set_content(page_of(SEQS["names"], language))
    await blank.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert await problems_by_view(blank) == {}


@pytest.mark.parametrize("values", SEQS)
async def test_texts_are_large_enough_on_a_phone(blank: Page, values: str) -> None:
    await blank.set_content(page_of(SEQS[values], "en"))
    texts = await blank.locator(".graph-area svg[role=group]").first.evaluate(TEXTS)
    assert min(text["size"] for text in texts) > 11


@pytest.mark.parametrize("chart", [0, 1], ids=["metric", "trade-off"])
async def test_labels_do_not_touch_on_a_phone(blank: Page, chart: int) -> None:
    await blank.set_content(page_of(SEQS["numbers"], "en"))
    texts = await blank.locator(".graph-area svg[role=group]").nth(chart).evaluate(TEXTS)
    touching = [
        (one, other)
        for number, one in enumerate(texts)
        for other in texts[number + 1 :]
        if one["right"] > other["left"]
        and one["top"] + 2 < other["bottom"]
        and other["top"] + 2 < one["bottom"]
    ]
    assert touching == []


async def test_the_labels_of_names_stand_apart(blank: Page) -> None:
    await blank.set_content(page_of(SEQS["names"], "en"))
    ends = await blank.locator(".graph-axes > svg text").evaluate_all(
        "(texts) => texts.map((text) => text.getBoundingClientRect().right)"
    )
    assert len(ends) >= len(SEQS["names"])
    below = ends[: len(SEQS["names"])]
    assert min(other - one for one, other in pairwise(below)) >= 12


async def test_a_screen_reader_finds_every_number_of_a_chart(blank: Page) -> None:
    await blank.set_content(page_of(SEQS["numbers"], "en"))
    chart = blank.get_by_role("group", name="ttft_p99 by max_num_seqs", exact=True)
    link = chart.get_by_role(
        "link", name="max_num_seqs=128, tensor_parallel_size=2: ttft_p99 47 ms", exact=False
    )
    assert await link.count() == 1
    assert await chart.get_by_role("link").count() == 11


async def test_the_focused_point_is_outlined(blank: Page) -> None:
    await blank.set_content(page_of(SEQS["numbers"], "en"))
    await blank.keyboard.press("Tab")
    width = await blank.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert await blank.evaluate("document.activeElement.localName") == "a"
    assert width == "2px"
