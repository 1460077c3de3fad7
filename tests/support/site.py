"""A service with something on every page, and what holds for all of them."""

import re
from dataclasses import dataclass

from fastapi.routing import APIRoute

from support.browser import Browser, WebPage
from support.service import Service

HOSTILE_NAME = '<script>alert("name")</script>'
HOSTILE = {
    "config/a.yaml": b"model: llama\n",
    "config/broken.yaml": b"a: [1\nb: </pre><script>alert(1)</script>\n",
    "config/closing.yaml": b"a: '</textarea><script>alert(2)</script>'\nb: \"</noscript><!--\"\n",
    "config/rtl \xe2\x80\xaename.yaml".encode("latin-1").decode(): "a: \u202eevil\u202c\n".encode(),
    "config/emoji.yaml": "a: 🎉 한국어 é\u0301\n".encode(),
    "config/<b>&amp;'\".yaml": b"a: 1\n",
    "config/deep/er/b.json": b'{"model": "llama"}\n',
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}


@dataclass(frozen=True, slots=True)
class Site:
    """The service, a browser, and the ids of what is there."""

    service: Service
    browser: Browser
    project: str
    files: dict[str, str]
    modified: str
    sync: str

    @property
    def pages(self) -> list[str]:
        """Every page, with filters and searches."""
        home = f"/ui/projects/{self.project}"
        files = [f"{home}/files/{file}" for file in self.files.values()]
        return [
            *("/ui", "/ui?q=nothing-has-this", "/ui/help", "/ui/projects/new", "/ui/projects/new?repository=a/b"),
            *(home, f"{home}?q=a", f"{home}?type=job", f"{home}?show=problems", f"{home}?show=variants&q=zzz"),
            *(f"{home}/modified-files", f"{home}/modified-files?drift=conflict", f"{home}/modified-files?q=a"),
            *(f"{home}/syncs", f"{home}/syncs/{self.sync}", f"{home}/settings", f"{home}/delete"),
            *files,
            *(f"{files[0]}/history", f"{files[0]}/new-variant"),
            *(f"/ui/modified-files/{self.modified}", f"/ui/modified-files/{self.modified}/delete"),
        ]


def check(page: WebPage, language: str = "en") -> None:
    """What holds for every page."""
    headers = page.answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    check_headers(page)
    assert page.html.startswith("<!doctype html>")
    assert page.all("html")[0]["lang"] == language
    assert page.unclosed == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert sorted(ids) == sorted(set(ids)), "an id stands twice"
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    for _, attributes in page.tags:
        assert not {"style", "onclick", "onerror", "onload"} & attributes.keys()
    for script in page.all("script"):
        assert script["src"].startswith("/ui/static/dist/")
    for form in page.forms:
        assert form.method == "get" or form.fields["csrf_token"], form.action
        assert form.action.startswith(("/ui", "?")), form.action
    named = {label["for"] for label in page.all("label")}
    for tag in ("input", "textarea", "select"):
        for attributes in page.all(tag):
            if attributes.get("type") != "hidden":
                assert attributes.get("id") in named or attributes.get("aria-label"), attributes


def check_headers(page: WebPage) -> None:
    headers = page.answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    [nonce] = re.findall(r"'nonce-([\w-]{22})'", policy["style-src"])
    assert f'name="csp-nonce" content="{nonce}"' in page.html
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "no-cache" in headers["cache-control"]
    assert {"Accept-Language", "Cookie"} <= set(headers["vary"].split(", "))


def web_routes(service: Service) -> list[APIRoute]:
    found: list[APIRoute] = []
    stack = list(service.app.routes)
    while stack:
        route = stack.pop()
        stack += getattr(getattr(route, "original_router", None), "routes", [])
        if isinstance(route, APIRoute) and route.path.startswith("/ui"):
            found.append(route)
    assert len(found) > 20
    return found
