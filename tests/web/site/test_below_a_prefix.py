"""Behind a proxy that serves the service below a path, every address begins with the path.

And every address leads to a page or file.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2 as httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from benchmark_manager.app import create_app
from benchmark_manager.web.site.languages import LOCALES
from benchmark_manager.web.site.rendering import ACCESS_GUIDE
from support.browser import Browser, WebPage
from support.events import events_of, listening
from support.prefix_proxy import Offered, PrefixProxy, prefix_proxy
from support.service import Service, settings_for
from support.site import Site, kind_of
from support.unchanged_database import unchanged

HTML = {"Accept": "text/html"}
SET = "/lab/set"
ANNOUNCED = "/announced"
WHOLE = "/whole"
#: By prefix: the settings of the service, and the behaviour of its proxy.
PREFIXES = [SET, f"{SET}/inner", ANNOUNCED, WHOLE]
TEMPLATES = sorted((LOCALES.parent / "templates").rglob("*.html"))
SHEETS = sorted((LOCALES.parent / "static/css").glob("*.css"))
SCRIPTS = sorted((Path(__file__).resolve().parents[3] / "frontend/src").rglob("*.ts"))
#: Attributes that hold a person's text, a key, or the value of a field.
_NO_ADDRESS = {
    *(
        "aria-keyshortcuts",
        "data-draft-key",
        "data-label",
        "data-name",
        "data-path",
        "data-problems",
        "data-shortcut",
    ),
    *("d", "title", "value"),
}


@dataclass(frozen=True, slots=True)
class Offers:
    """A proxy in front of services that share a database with something on every page."""

    proxy: PrefixProxy
    site: Site[Service]
    #: The services behind the proxy by their prefixes.
    apps: dict[str, FastAPI]

    @asynccontextmanager
    async def client(self, prefix: str) -> AsyncIterator[httpx.AsyncClient]:
        """Return a client that adds this prefix to every path.

        It loads no certificates, as that takes longer than a request.
        """
        async with httpx.AsyncClient(
            base_url=self.proxy.address(prefix), timeout=60, trust_env=False, verify=False
        ) as http:
            yield http

    @asynccontextmanager
    async def direct_client(self, prefix: str) -> AsyncIterator[httpx.AsyncClient]:
        """Return a client like `client` that hands its requests over without connections.

        Those take as long as the pages, and a crawl needs them for nothing.
        """
        behind = _Behind(self.apps[prefix], prefix, self.proxy.offered[prefix])
        async with httpx.AsyncClient(transport=behind, base_url=self.proxy.address(prefix)) as http:
            yield http

    @asynccontextmanager
    async def browser(self, prefix: str = "") -> AsyncIterator[Browser]:
        """Return a browser that follows addresses unchanged."""
        async with self.client(prefix) as http:
            yield Browser(http)


class _Behind(httpx.ASGITransport):
    """Passes on to a service what the proxy would pass on."""

    def __init__(self, app: FastAPI, prefix: str, offered: Offered) -> None:
        super().__init__(app=app)
        self._prefix = prefix
        self._offered = offered

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path
        if self._offered.strips:
            target = target.removeprefix(self._prefix.encode()) or b"/"
        announced = {"X-Forwarded-Prefix": self._prefix} if self._offered.announces else {}
        passed = httpx.Request(
            request.method,
            request.url.copy_with(raw_path=target),
            headers={**request.headers, **announced},
        )
        return await super().handle_async_request(passed)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def offers(shared_site: Site) -> AsyncIterator[Offers]:
    service = shared_site.service
    async with (
        unchanged(service.services.database),
        _beside(service, root_path=SET) as set_below,
        _beside(service, root_path=f"{SET}/inner") as set_inside,
        _beside(service, trusted_proxies=("127.0.0.0/8",)) as announced,
    ):
        offered = {
            SET: Offered(set_below.url, strips=False, announces=False),
            f"{SET}/inner": Offered(set_inside.url, strips=True, announces=False),
            ANNOUNCED: Offered(announced.url, strips=True),
            WHOLE: Offered(announced.url, strips=False),
        }
        apps = {SET: set_below.app, ANNOUNCED: announced.app}
        async with prefix_proxy(offered) as proxy:
            yield Offers(proxy, shared_site, apps)


@dataclass(frozen=True, slots=True)
class _Listening:
    """A service and its address."""

    app: FastAPI
    url: str


@asynccontextmanager
async def _beside(service: Service, **changes: object) -> AsyncIterator[_Listening]:
    """Another service over the same database, with other settings."""
    settings = settings_for("mongodb://unused", service.github.url, service.folder, **changes)
    app = create_app(settings, services=service.services, polls=False)
    async with app.router.lifespan_context(app), listening(app) as http:
        yield _Listening(app, str(http.base_url).rstrip("/"))


def addresses(page: WebPage) -> set[str]:
    """Return every address of this service in a page, in any attribute."""
    found = {
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in {"href", "src", "action", "formaction"}
        or (value.startswith("/") and name not in _NO_ADDRESS)
    }
    return {
        urljoin(page.url, value)
        for value in found
        if not value.startswith(("#", "http://127.0.0.1:1/"))
    }


def below(url: str, prefix: str) -> bool:
    path = urlsplit(url).path
    return path == prefix or path.startswith(f"{prefix}/")


async def crawled(
    offers: Offers, http: httpx.AsyncClient, prefix: str, pages: list[str]
) -> set[str]:
    """Return the addresses on these pages, and check that each is below the prefix."""
    browser = Browser(http)
    found = [await _own_addresses(offers, browser, prefix, path) for path in pages]
    return {url.partition("#")[0] for own in found for url in own}


async def _own_addresses(offers: Offers, browser: Browser, prefix: str, path: str) -> set[str]:
    page = await browser.open(path)
    page.url = str(page.answer.url)
    own = {url for url in addresses(page) if url.startswith(offers.proxy.url)}
    assert own, path
    assert [url for url in own if not below(url, prefix)] == [], path
    # In texts to copy: commands, the webhook's address, links.
    named = re.findall(re.escape(offers.proxy.url) + r"[^\s\"'<]*", page.html)
    assert [url for url in named if not below(url, prefix)] == [], path
    assert page.answer.headers["content-security-policy"]
    cookies = page.answer.headers.get_list("set-cookie")
    assert [each for each in cookies if f"; Path={prefix};" not in f"{each};"] == []
    return own


async def test_every_address_on_every_page_begins_with_the_prefix_and_leads_somewhere(
    offers: Offers,
) -> None:
    """The prefix comes from templates, so one page and one address of each kind are enough.

    Pages have the same addresses below a prefix that is set, of which fewer pages are opened.
    """
    pages = list(offers.site.kinds.values())
    async with offers.direct_client(SET) as http:
        below_set = await crawled(offers, http, SET, pages[::4])
    async with offers.direct_client(ANNOUNCED) as http:
        urls = sorted(await crawled(offers, http, ANNOUNCED, pages))
        found = {path_below(url, ANNOUNCED): url for url in urls}
        assert {path_below(url, SET) for url in below_set} - found.keys() == set()
        unseen = found.keys() - {kind_of(path) for path in pages}
        assert len(unseen) > 20
        statuses = {
            found[kind]: (
                await http.request(verb_for(found[kind]), found[kind], headers=HTML)
            ).status_code
            for kind in unseen
        }
    # 405 for addresses that accept forms only.
    assert {url: status for url, status in statuses.items() if status not in {200, 405}} == {}


def path_below(url: str, prefix: str) -> str:
    """Return what follows the prefix, without ids."""
    return kind_of(url.partition(prefix)[2])


def verb_for(url: str) -> str:
    """Ask for no body where that has no end."""
    return "HEAD" if url.endswith(("/events", "/metrics")) or "/events?" in url else "GET"


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_project_is_found_below_each_prefix(offers: Offers, prefix: str) -> None:
    pages = ["/ui", "/ui/status", offers.site.pages[8]]
    async with offers.client(prefix) as http:
        assert len(await crawled(offers, http, prefix, pages)) > 20


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", ["", "/"])
@pytest.mark.parametrize(("accept", "there"), [("text/html", "/ui"), ("*/*", "/docs")])
async def test_the_root_redirects_to_the_pages_or_to_the_description(
    offers: Offers, prefix: str, path: str, accept: str, there: str
) -> None:
    async with offers.client("") as http:
        answer = await http.get(f"{prefix}{path}", headers={"Accept": accept})
        assert answer.headers["location"] == prefix + there
        assert (await http.get(answer.headers["location"])).status_code == 200


@pytest.mark.parametrize("prefix", [ANNOUNCED, WHOLE])
async def test_the_description_names_the_prefix_and_its_page_finds_it(
    offers: Offers, prefix: str
) -> None:
    async with offers.client("") as http:
        page = await http.get(f"{prefix}/docs")
        script = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)[0]
        urls = [
            *re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text),
            *re.findall(r"url: [\"']([^\"']+)", script),
        ]
        answers = [await http.get(urljoin(str(page.url), url)) for url in urls]
        assert [answer.status_code for answer in answers] == [200] * 4
        assert (await http.get(f"{prefix}/openapi.json")).json()["servers"] == [{"url": prefix}]


async def test_without_a_prefix_the_description_names_none(offers: Offers) -> None:
    """Even if others have asked below a prefix before."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
        answer = await http.get(f"{offers.proxy.offered[ANNOUNCED].service}/openapi.json")
    assert "servers" not in answer.json()


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_lists_lead_on_below_the_prefix(offers: Offers, prefix: str) -> None:
    async with offers.client(prefix) as http:
        answer = await http.get(f"/projects/{offers.site.project}/files", params={"limit": 2})
        following = answer.links["next"]["url"]
        assert following.startswith(f"{offers.proxy.address(prefix)}/projects/")
        assert len((await http.get(following)).json()) == 2


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_what_is_made_is_named_below_the_prefix(offers: Offers, prefix: str) -> None:
    async with offers.client(prefix) as http:
        path = f"/projects/{offers.site.project}/releases"
        made = await http.post(path, json={"include": "originals"})
        assert made.headers["location"].startswith(f"{prefix}/releases/")
        assert (await http.get(offers.proxy.url + made.headers["location"])).status_code == 200
        slashed = await http.get("/projects/")
        assert slashed.headers["location"] == f"{offers.proxy.address(prefix)}/projects"


async def test_changes_are_heard_below_the_prefix(offers: Offers) -> None:
    async with offers.client(ANNOUNCED) as http, events_of(http, offers.site.project) as stream:
        project = f"/projects/{offers.site.project}"
        answers = [await http.post(f"{project}/{verb}") for verb in ("pause", "resume")]
        assert [answer.status_code for answer in answers] == [200, 200]
        await stream.until(("project", offers.site.project, "changed"))


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_forms_are_taken_and_lead_back(offers: Offers, prefix: str) -> None:
    async with offers.browser(prefix) as browser:
        page = await browser.open("/ui/help?a=1")
        page.url = str(page.answer.url)
        form = next(form for form in page.forms if form.fields.get("language") == "ko")
        assert form.fields["next"] == f"{prefix}/ui/help?a=1"
        form.action = urljoin(page.url, form.action)
        back = await browser.http.post(form.action, data=form.fields)
        assert (back.status_code, back.headers["location"]) == (303, f"{prefix}/ui/help?a=1")
        assert (
            'lang="ko"'
            in (await browser.http.get(f"{offers.proxy.url}{back.headers['location']}")).text
        )


@pytest.mark.parametrize(
    "elsewhere", ["/other/ui", "//evil.example/ui", "https://evil.example/ui", "/ui/../x", "/uix"]
)
async def test_no_form_leads_out_of_the_prefix(offers: Offers, elsewhere: str) -> None:
    async with offers.browser(WHOLE) as browser:
        page = await browser.open("/ui/help")
        fields = {**page.forms[0].fields, "next": elsewhere}
        back = await browser.http.post("/ui/preferences", data=fields)
        assert (back.status_code, back.headers["location"]) == (303, f"{WHOLE}/ui")


@pytest.mark.parametrize("path", ["/ui/nowhere", "/ui/static/nowhere.js"])
async def test_an_error_is_a_page_whose_links_are_below_the_prefix(
    offers: Offers, path: str
) -> None:
    async with offers.browser(ANNOUNCED) as browser:
        page = await browser.open(path, status=404)
        page.url = str(page.answer.url)
        assert page.answer.headers["content-type"].startswith("text/html")
        own = addresses(page) - {ACCESS_GUIDE}
        assert [url for url in own if not below(url, ANNOUNCED)] == []


async def test_services_below_two_paths_of_one_host_share_no_cookie(offers: Offers) -> None:
    """Even if one path begins with the other, and browsers send the cookies of both."""
    chosen = {SET: "dark", ANNOUNCED: "light", f"{SET}/inner": "light"}
    async with offers.browser() as browser:
        answers = {
            prefix: await _choose_theme(browser, prefix, theme) for prefix, theme in chosen.items()
        }
        assert {prefix: answer.headers["location"] for prefix, answer in answers.items()} == {
            prefix: f"{prefix}/ui" for prefix in chosen
        }
        pages = {prefix: await browser.open(f"{prefix}/ui") for prefix in PREFIXES}
        assert {prefix: page.all("html")[0]["data-theme"] for prefix, page in pages.items()} == {
            **chosen,
            WHOLE: "auto",
        }
        assert {cookie.path for cookie in browser.http.cookies.jar} == set(PREFIXES)


async def _choose_theme(browser: Browser, prefix: str, theme: str) -> httpx.Response:
    page = await browser.open(f"{prefix}/ui")
    form = next(form for form in page.forms if "theme" in form.fields)
    return await browser.http.post(form.action, data={**form.fields, "theme": theme})


async def test_services_below_two_paths_of_one_host_share_no_draft(offers: Offers) -> None:
    """All services of a host share a browser's storage, and copies of a database have equal ids."""
    keys = []
    async with offers.browser() as browser:
        for prefix in PREFIXES:
            page = await browser.open(f"{prefix}/ui/modified-files/{offers.site.modified}")
            keys += [
                area["data-draft-key"] for area in page.all("textarea") if "data-draft-key" in area
            ]
    assert len(set(keys)) == len(PREFIXES)


async def test_requests_past_the_proxy_are_answered_as_well(offers: Offers) -> None:
    """Probes and runners in a cluster reach the service directly, with or without ROOT_PATH."""
    direct = offers.proxy.offered[SET].service
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
        assert (await http.get(f"{direct}/health")).status_code == 200
        assert (await http.get(f"{direct}{SET}/health")).status_code == 200
        assert (await http.get(f"{direct}{SET}x/health")).status_code == 404


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_has_an_address_without_the_prefix(template: Path) -> None:
    """`{{ prefix }}` begins addresses of pages, `{{ root }}` those of the API."""
    text = template.read_text("utf-8")
    attribute = r"""\b(?:href|src|action|formaction|data-events|data-[a-z-]*url)=["']"""
    pattern = rf"""(?:{attribute}|url\(|(?:raw|url)=["'])/(?!/).*"""
    assert re.findall(pattern, text) == []
    assert "/ui" not in text


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_no_script_has_an_address_of_its_own(script: Path) -> None:
    """They use the addresses that pages give them."""
    assert re.findall(r"""["'`]/(?:[a-z]|\$\{)[^"'`]*""", script.read_text("utf-8")) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_no_style_sheet_has_an_address(sheet: Path) -> None:
    assert "url(" not in sheet.read_text("utf-8")
