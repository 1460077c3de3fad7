"""The browser of these tests reads HTML as `html.parser` does, whichever way it takes."""

from dataclasses import asdict

import httpx2 as httpx
import pytest

from support.browser import WebPage

PAGES = {
    "text": "<p>a &amp; b<br>\n<b>c</b>",
    "escaped": "<p title='a'>&amp;lt; &lt;b&gt; &#34;&#39; &copy; &#x1F600; &amp &unknown;",
    "attributes": '<a href="/a?b=1&amp;c=2" hidden class=bad data-a.b="x>y">a</a>',
    "several of one name": '<a id="a" id="b">',
    "single quotes": "<a href='/a'>a</a>",
    "close to each other": '<a href="/a"id="b">a</a>',
    "capitals": '<svg viewBox="0 0 1 1"><PATH d="M0"/></SVG>',
    "closed at once": '<svg><path d="M0"/><use href="#a" /></svg>',
    "unclosed": "<main><div><p></div></section></main>",
    "a list": "<ul><li>a<li>b</ul>",
    "a comment": "<p><!-- <b> --></p><i>a</i>",
    "a script": '<script src="/a.js"></script><script>if (a<b) { "</p>" }</script><p>a</p>',
    "a style": "<style>a > b {}</style><p>a</p>",
    "a lone bracket": "<p>a < b </p><3",
    "an unfinished tag": '<p>a</p><a href="/b',
    "a form": (
        '<form action="a" method="post"><input name="b" value="&lt;c&gt;"><input type="checkbox" '
        'name="d" checked><select name="e"><option value="1"><option value="2" selected></select>'
        '<textarea name="f">\n a\r\n&lt;b&gt;</textarea></form>'
    ),
}


def read(html: str) -> tuple[object, ...]:
    page = WebPage("/ui", httpx.Response(200, html=html))
    return page.text, page.tags, page.unclosed, [asdict(form) for form in page.forms]


@pytest.mark.parametrize("html", PAGES.values(), ids=PAGES.keys())
def test_html_is_read_as_the_standard_library_reads_it(html: str) -> None:
    """It does all where a page begins in another way than ours do."""
    assert read(f"<!doctype html>{html}") == read(f"<!DOCTYPE html>{html}")
