"""Every page in both languages without scripts: well-formed, protected, contents as text."""

import re
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2 as httpx
import pytest

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.models.sync import SyncProgress
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.progress import SyncProgressStore
from support.browser import Browser, WebPage
from support.service import Service
from support.site import Site, all_routes, check, kind_of, web_routes

HTML = {"Accept": "text/html"}
SCRIPTS = ("<script>alert", "</textarea><img", "</textarea><script", "</pre><script")


async def test_every_page_is_drawn_in_either_language_and_its_links_lead_somewhere(
    site: Site,
) -> None:
    """In the second language, one page of each kind."""
    pages = [await checked(site, "en", path) for path in site.pages]
    pages += [await checked(site, "ko", path) for path in site.kinds.values()]
    scripts = [(page.url, text) for page in pages for text in SCRIPTS if text in page.html]
    assert scripts == []
    links = {
        link.partition("#")[0] for page in pages for link in page.links() if link.startswith("/")
    }
    # The pages themselves were just opened.
    unseen = each_part_once(sorted(links - set(site.pages)))
    assert len(unseen) > 20
    statuses = {
        link: (await site.service.http.get(link, headers=HTML)).status_code for link in unseen
    }
    assert {link: status for link, status in statuses.items() if status != 200} == {}


def each_part_once(links: list[str]) -> list[str]:
    """Return links to every kind of page, and with every value of each of its parameters.

    Most links differ only in ids, or combine the same filters.
    """
    seen: set[tuple[str, ...]] = set()
    chosen = []
    for link in links:
        address = urlsplit(kind_of(link))
        parameters = parse_qsl(address.query, keep_blank_values=True)
        parts = {(address.path,), *((address.path, *pair) for pair in parameters)}
        if not parts <= seen:
            chosen.append(link)
            seen |= parts
    return chosen


async def checked(site: Site, language: str, path: str) -> WebPage:
    page = await site.browser.open(path, headers={"Accept-Language": language})
    check(page, language)
    return page


async def test_no_page_is_left_out(site: Site) -> None:
    """The list of pages above visits every GET route below /ui."""
    paths = {path.partition("?")[0] for path in site.pages}
    patterns = [
        re.compile(re.sub(r"{\w+}", "[^/]+", route.path))
        for route in web_routes(site.service)
        if "GET" in (route.methods or ())
    ]
    # `new` takes the position of an id in other addresses.
    unvisited = [each for each in patterns if not any(each.fullmatch(path) for path in paths)]
    assert unvisited == []


async def test_assets_are_there_and_kept_for_ever(site: Site) -> None:
    page = await site.browser.open("/ui")
    sheets = [link["href"] for link in page.all("link")]
    assert len(sheets) == 6
    kept = [await site.service.http.get(url) for url in sheets]
    assert [answer.status_code for answer in kept] == [200] * 6
    assert all("immutable" in answer.headers["cache-control"] for answer in kept)
    others = [await site.service.http.get(url.partition("?")[0] + "?v=older") for url in sheets]
    assert {answer.headers["cache-control"] for answer in others} == {"no-cache"}
    text = "".join(answer.text for answer in kept)
    assert "url(" not in text
    assert "@import" not in text


async def test_contents_are_shown_as_text(site: Site) -> None:
    """All lines of a file are on its page, with invisible characters as code points."""
    home = f"/ui/projects/{site.project}/files"
    page = await site.browser.open(f"{home}/{site.files['config/closing.yaml']}")
    assert "'</textarea><script>alert(2)</script>'" in page.text
    assert '"</noscript><!--"' in page.text
    page = await site.browser.open(f"{home}/{site.files['config/emoji.yaml']}")
    assert "a: 🎉 한국어 é\u0301\n" in page.text
    right_to_left = next(path for path in site.files if "rtl" in path)
    page = await site.browser.open(f"{home}/{site.files[right_to_left]}")
    assert "a: U+202EevilU+202C" in page.text


async def test_problems_stand_at_their_lines(site: Site) -> None:
    page = await site.browser.open(
        f"/ui/projects/{site.project}/files/{site.files['config/broken.yaml']}"
    )
    assert re.search(
        r'id="L2">.*?</span><span class="line-note error">2:\d+ ', page.html, re.DOTALL
    )
    assert any(link.endswith("#L2") for link in page.links())


async def listed(browser: Browser, url: str | None) -> str:
    """Return the whole text of a file, from all parts of its listing."""
    text = ""
    while url is not None:
        page = await browser.open(url)
        check(page)
        for continued, line in re.findall(
            r'<span class="line" data-n="(?:(…)|\d+)"[^>]*>(.*)\n</span>', page.html
        ):
            text = (text.removesuffix("\n") if continued else text) + unescape(line) + "\n"
        [*following] = {link["href"] for link in page.all("a") if link.get("rel") == "next"}
        url = urljoin(url, following[0]) if following else None
    return text


async def test_long_lines_and_many_lines_are_shown(service: Service, browser: Browser) -> None:
    files = {
        "config/wide.yaml": b"x: " + b"y" * 250_000 + b"\n",
        "config/long.yaml": b"".join(b"k%d: %d\n" % (n, n) for n in range(5_000)),
    }
    service.repository("acme/large", files)
    project = await service.synced("acme/large")
    shown, saved = {}, {}
    for path, file in (await service.files(project["id"])).items():
        address = f"/ui/projects/{project['id']}/files/{file['id']}"
        shown[path] = blob_id((await listed(browser, address)).encode())
        variant = await browser.open(f"{address}/new-variant")
        made = await browser.send(variant.form("/new-variant"))
        modified = made.url.rpartition("/")[2]
        answer = await service.http.get(f"/modified-files/{modified}/raw")
        saved[path] = blob_id(answer.content)
    ids = {path: blob_id(content) for path, content in files.items()}
    assert shown == ids
    assert saved == ids


async def test_the_tree_holds_every_file_and_the_filters_fit(site: Site) -> None:
    home = f"/ui/projects/{site.project}"
    shown = {
        "": set(site.files) - {"config/gone.yaml"},
        "?type=job": {"job/run.yaml"},
        "?show=problems": {
            path
            for path in site.files
            if "broken" in path or "rtl" in path or "job" in path or "lines" in path
        },
        "?show=variants": {"config/closing.yaml", "config/moved.yaml", "config/lines.yaml"},
        "?q=DEEP": {"config/deep/er/b.json"},
        "?q=a&type=job": {"job/run.yaml"},
    }
    linked = {query: (await site.browser.open(home + query)).links() for query in shown}
    names = {file: path for path, file in site.files.items()}
    assert {
        query: {
            names[link.rpartition("/")[2]] for link in links if link.startswith(f"{home}/files/")
        }
        for query, links in linked.items()
    } == shown


async def test_a_folder_deeper_than_calls_nest_is_drawn(service: Service, browser: Browser) -> None:
    deep = {"config/" + "a/" * depth + "f.yaml": b"a: 1\n" for depth in range(1, 1200, 1)}
    service.repository("acme/deep", deep)
    project = await service.synced("acme/deep")
    page = await browser.open(f"/ui/projects/{project['id']}")
    assert len([link for link in page.links() if "/files/" in link]) == len(deep)


async def test_the_list_goes_on_by_its_links(service: Service, browser: Browser) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    for number in range(55):
        await service.project("acme/bench", name=f"project {number:02}")
    page = await browser.open("/ui?q=project")
    [following] = [link["href"] for link in page.all("a") if link.get("rel") == "next"]
    rest = await browser.open(following)
    assert "project 54" in rest.text
    assert "project 49" not in rest.text
    assert "/ui?q=project" in rest.links()


async def test_the_embedded_database_returns_the_same_lists(embedded_service: Service) -> None:
    embedded_service.repository(
        "acme/bench", {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"a: [\n"}
    )
    project = await embedded_service.synced("acme/bench")
    files = await embedded_service.files(project["id"])
    await embedded_service.variant(project["id"], files["config/a.yaml"])
    browser = Browser(embedded_service.http)
    [row] = re.findall(r"<tbody>(.*?)</tbody>", (await browser.open("/ui")).html, re.DOTALL)
    assert re.search(r'class="num">2<', row)
    assert f'href="/ui/projects/{project["id"]}/modified-files">1<' in row
    page = await browser.open(f"/ui/projects/{project['id']}")
    assert len([link for link in page.links() if "/files/" in link]) == len(files)
    assert "1 variant" in page.text
    assert "Does not parse" in page.text


async def test_a_browser_begins_at_the_pages_and_a_program_at_the_description(
    service: Service,
) -> None:
    answer = await service.http.get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/ui")
    assert answer.headers["vary"] == "Accept"
    assert (await service.http.get("/")).headers["location"] == "/docs"


async def test_pages_stay_out_of_the_api_s_description(site: Site) -> None:
    described = [route.path for route in all_routes(site.service) if route.include_in_schema]
    assert len(described) > 50
    assert [path for path in described if path.startswith("/ui") or path == "/"] == []


async def test_a_running_sync_shows_its_progress(service: Service, browser: Browser) -> None:
    """Without scripts, the page reloads itself."""
    project = await service.project("acme/bench")
    database = service.services.database
    claim = await LeaseStore(database).claim(project["id"], "another replica")
    assert claim is not None
    progress = SyncProgress(status="running", phase="fetching", files_total=340, files_fetched=120)
    await SyncProgressStore(database).put(project["id"], claim.lease.fence, progress)
    page = await browser.open(f"/ui/projects/{project['id']}")
    assert "120 of 340" in page.text
    assert page.all("progress") == [{"max": "340", "value": "120"}]
    assert {"http-equiv": "refresh", "content": "3"} in page.all("meta")


async def test_names_that_reverse_text_are_shown_with_code_points(site: Site) -> None:
    [path] = [path for path in site.files if "\u202e" in path]
    home = f"/ui/projects/{site.project}"
    listed, shown = [
        await site.browser.open(f"{home}{end}") for end in ("", f"/files/{site.files[path]}")
    ]
    assert "rtl U+202Ename.yaml" in listed.text
    assert "rtl U+202Ename.yaml" in shown.text
    assert "\u202e" not in listed.text


async def test_projects_filter_by_how_they_stand(service: Service, browser: Browser) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    await service.synced("acme/bench", name="good")
    missing = await service.project("acme/missing", name="bad")
    await service.sync(missing["id"], 422)
    paused = await service.project("acme/bench", name="resting")
    await service.post(f"/projects/{paused['id']}/pause", None, 200)
    found = {
        "failing": {"bad"},
        "ok": {"good"},
        "paused": {"resting"},
        "never": {"resting"},
        "unavailable": set(),
    }
    pages = {standing: await browser.open(f"/ui?standing={standing}") for standing in found}
    for page in pages.values():
        check(page)
    assert {
        standing: {name for name in ("good", "bad", "resting") if f"<bdi>{name}</bdi>" in page.html}
        for standing, page in pages.items()
    } == found
    assert {
        standing: {row["name"] for row in await service.rows("/projects", standing=standing)}
        for standing in found
    } == found
    page = await browser.open("/ui")
    assert re.search(r'standing=failing">Failing <span class="count">1<', page.html)
    answer = await service.http.get("/projects?standing=running")
    assert answer.status_code == 422


async def test_a_project_whose_first_sync_failed_promises_no_files_within_a_second(
    service: Service, browser: Browser
) -> None:
    waiting = await service.project("acme/absent")
    address = f"/ui/projects/{waiting['id']}"
    assert "It starts within a second" in (await browser.open(address)).html
    await service.sync(waiting["id"], status=422)
    page = await browser.open(address)
    check(page)
    assert "It starts within a second" not in page.html
    assert "The last sync failed for the reason above." in page.html
    service.repository("acme/absent", {"config/a.yaml": b"a: 1\n"})
    await service.sync(waiting["id"])
    assert "The last one failed" not in (await browser.open(address)).html


async def test_links_to_github_lead_where_they_say(service: Service, browser: Browser) -> None:
    """A branch or path may contain characters with a meaning in addresses."""
    name = "config/50% #1?.yaml"
    repository = service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    repository.commit({name: b"a: 1\n"}, branch="feature/#7%2f")
    project = await service.synced("acme/bench", branch="feature/#7%2f")
    files = await service.files(project["id"])
    web = project["github_web_url"]
    page = await browser.open(f"/ui/projects/{project['id']}/files/{files[name]['id']}")
    assert f"{web}/blob/{files[name]['commit_sha']}/config/50%25%20%231%3F.yaml" in page.links()
    assert (
        f"{web}/tree/feature/%237%252f"
        in (await browser.open(f"/ui/projects/{project['id']}")).links()
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cookies_set_over_https_are_sent_over_https_only(
    service: Service, scheme: str
) -> None:
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://service") as http:
        answer = await http.get("/ui", headers={"Accept": "text/html"})
    [cookie] = answer.headers.get_list("set-cookie")
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax"} <= flags
    assert ("secure" in flags) == (scheme == "https")
