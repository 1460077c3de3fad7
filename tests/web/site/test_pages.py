"""Every page, in both languages, without scripts.

Well-formed, protected, and showing contents as text.
"""

import re
from html import unescape
from urllib.parse import urljoin

import httpx2 as httpx

from support.browser import Browser
from support.service import Service
from support.site import Site, check, web_routes

LANGUAGES = ("en", "ko")


async def test_every_page_is_drawn_in_either_language_and_its_links_lead_somewhere(
    site: Site,
) -> None:
    links: set[str] = set()
    for path in site.pages:
        for language in LANGUAGES:
            page = await site.browser.open(path, headers={"Accept-Language": language})
            check(page, language)
            for script in (
                "<script>alert",
                "</textarea><img",
                "</textarea><script",
                "</pre><script",
            ):
                assert script not in page.html, path
            links |= {link.partition("#")[0] for link in page.links() if link.startswith("/")}
    # The pages themselves were just opened.
    unseen = sorted(links - set(site.pages))
    assert len(unseen) > 20
    for link in unseen:
        answer = await site.service.http.get(link, headers={"Accept": "text/html"})
        assert answer.status_code == 200, link


async def test_no_page_is_left_out(site: Site) -> None:
    """The list of pages above visits every GET route below /ui."""
    paths = {path.partition("?")[0] for path in site.pages}
    for route in web_routes(site.service):
        if "GET" in (route.methods or ()):
            pattern = re.compile(re.sub(r"{\w+}", "[^/]+", route.path))
            # `new` stands where other addresses have an id.
            assert any(pattern.fullmatch(path) for path in paths), route.path


async def test_assets_are_there_and_kept_for_ever(site: Site) -> None:
    page = await site.browser.open("/ui")
    sheets = [link["href"] for link in page.all("link")]
    assert len(sheets) == 5
    for url in sheets:
        answer = await site.service.http.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        other = await site.service.http.get(url.partition("?")[0] + "?v=older")
        assert other.headers["cache-control"] == "no-cache"
        assert "url(" not in answer.text
        assert "@import" not in answer.text


async def test_contents_are_shown_as_text(site: Site) -> None:
    """Whatever a file holds, its lines are on its page, what cannot be seen by its code point."""
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
    """The whole text of a file, from all parts of its listing."""
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
        "config/wide.yaml": b"x: " + b"y" * 1_000_000 + b"\n",
        "config/long.yaml": b"".join(b"k%d: %d\n" % (n, n) for n in range(10_000)),
    }
    service.repository("acme/large", files)
    project = await service.synced("acme/large")
    for path, file in (await service.files(project["id"])).items():
        assert (
            await listed(browser, f"/ui/projects/{project['id']}/files/{file['id']}")
            == files[path].decode()
        )
        variant = await browser.open(f"/ui/projects/{project['id']}/files/{file['id']}/new-variant")
        made = await browser.send(variant.form("/new-variant"))
        modified = made.url.rpartition("/")[2]
        assert (await service.http.get(f"/modified-files/{modified}/raw")).content == files[path]


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
    for query, paths in shown.items():
        page = await site.browser.open(home + query)
        linked = {
            link.rpartition("/")[2] for link in page.links() if link.startswith(f"{home}/files/")
        }
        assert linked == {site.files[path] for path in paths}, query


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


async def test_the_embedded_database_brings_the_same_lists(embedded_service: Service) -> None:
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


async def test_pages_stay_out_of_the_api_s_description(service: Service) -> None:
    assert not [
        path for path in service.app.openapi()["paths"] if path.startswith("/ui") or path == "/"
    ]


async def test_a_running_sync_tells_how_far_it_is(site: Site) -> None:
    """And without scripts the page asks again by itself."""
    progress = site.service.services.sync.progress

    async def halfway(project_id: str) -> object:
        told = await progress(project_id)
        update = {
            "status": "running",
            "phase": "fetching",
            "files_total": 340,
            "files_fetched": 120,
        }
        return told.model_copy(update=update)

    site.service.services.sync.progress = halfway  # type: ignore[method-assign,assignment]  # a sync that stands still
    page = await site.browser.open(f"/ui/projects/{site.project}")
    assert "120 of 340" in page.text
    assert page.all("progress") == [{"max": "340", "value": "120"}]
    assert {"http-equiv": "refresh", "content": "3"} in page.all("meta")


async def test_names_which_turn_their_surroundings_around_are_shown_as_they_are(site: Site) -> None:
    [path] = [path for path in site.files if "\u202e" in path]
    for url in (
        f"/ui/projects/{site.project}",
        f"/ui/projects/{site.project}/files/{site.files[path]}",
    ):
        page = await site.browser.open(url)
        assert "rtl U+202Ename.yaml" in page.text
    assert "\u202e" not in (await site.browser.open(f"/ui/projects/{site.project}")).text


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
    for standing, names in found.items():
        page = await browser.open(f"/ui?standing={standing}")
        check(page)
        assert {
            name for name in ("good", "bad", "resting") if f"<bdi>{name}</bdi>" in page.html
        } == names
        assert {row["name"] for row in await service.rows("/projects", standing=standing)} == names
    page = await browser.open("/ui")
    assert re.search(r'standing=failing">Failing <span class="count">1<', page.html)
    answer = await service.http.get("/projects?standing=running")
    assert answer.status_code == 422


async def test_a_project_whose_first_sync_failed_promises_no_files_within_a_second(
    service: Service, browser: Browser
) -> None:
    waiting = await service.project("acme/absent")
    address = f"/ui/projects/{waiting['id']}"
    assert "It begins within a second" in (await browser.open(address)).html
    await service.sync(waiting["id"], status=422)
    page = await browser.open(address)
    check(page)
    assert "It begins within a second" not in page.html
    assert "The last one failed, for the reason above." in page.html
    service.repository("acme/absent", {"config/a.yaml": b"a: 1\n"})
    await service.sync(waiting["id"])
    assert "The last one failed" not in (await browser.open(address)).html


async def test_links_to_github_lead_where_they_say(service: Service, browser: Browser) -> None:
    """A branch or path may hold what means something in an address."""
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


async def test_cookies_given_by_https_go_by_https_only(service: Service) -> None:
    for scheme in ("http", "https"):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=service.app), base_url=f"{scheme}://service"
        ) as http:
            answer = await http.get("/ui", headers={"Accept": "text/html"})
            [cookie] = answer.headers.get_list("set-cookie")
            flags = {part.strip().lower() for part in cookie.split(";")[1:]}
            assert {"httponly", "samesite=lax"} <= flags
            assert ("secure" in flags) == (scheme == "https")
