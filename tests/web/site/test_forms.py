"""Forms: forged ones are refused, what was typed is kept, and they do what the API does."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.browser import Browser
from support.service import Json, Service
from support.site import Site, check, web_routes
from support.unchanged_service import unchanged_service

TOKEN = "ghp_secretsecretsecret"


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of the module, without projects."""
    async with unchanged_service(module_service) as service:
        yield service


async def everything(service: Service) -> list[Any]:
    """Return what a forged form could have changed."""
    projects = await service.rows("/projects")
    return [
        [
            {name: project[name] for name in ("name", "paused", "updated_at", "next_poll_at")}
            for project in projects
        ],
        *[await service.rows(f"/projects/{project['id']}/modified-files") for project in projects],
        *[await service.rows(f"/projects/{project['id']}/syncs") for project in projects],
        *[await service.rows(f"/projects/{project['id']}/releases") for project in projects],
        *[await service.rows(f"/projects/{project['id']}/grants") for project in projects],
        await service.rows("/accounts"),
        await service.rows("/federation"),
    ]


def forged(token: str) -> list[dict[str, Any]]:
    """Return forged requests; `token` is the visitor's token."""
    cookie = {"Cookie": f"bm_csrf={token}"}
    return [
        {"data": {"name": "x"}},
        {"data": {"name": "x"}, "headers": cookie},
        {"data": {"csrf_token": "wrong"}, "headers": cookie},
        {"data": {"csrf_token": token}, "headers": {"Cookie": ""}},
        {"data": {"csrf_token": ""}, "headers": {"Cookie": "bm_csrf="}},
        {"data": {"csrf_token": "é"}, "headers": cookie},
        {"data": {"csrf_token": token}, "headers": {**cookie, "Sec-Fetch-Site": "cross-site"}},
        {"data": {"csrf_token": token}, "headers": {**cookie, "Sec-Fetch-Site": "same-site"}},
        {"data": {"csrf_token": token}, "headers": {**cookie, "Origin": "https://evil.example"}},
        {"data": {"csrf_token": token}, "headers": {**cookie, "Origin": "null"}},
        {"files": {"csrf_token": (None, "wrong")}, "headers": cookie},
        {"content": b"{}", "headers": {**cookie, "Content-Type": "application/json"}},
    ]


async def test_a_forged_form_is_a_403_and_changes_nothing(site: Site) -> None:
    """On every route that accepts a form."""
    token = (await site.browser.open("/ui")).form("/sync-all").fields["csrf_token"]
    site.service.http.cookies.clear()
    before = await everything(site.service)
    routes = [route for route in web_routes(site.service) if "POST" in (route.methods or ())]
    assert len(routes) >= 18
    statuses: list[tuple[str, int]] = []
    cookies: list[str] = []
    for route in routes:
        path = route.path.format(
            project_id=site.project,
            variant_id=site.modified,
            file_id=site.files["config/a.yaml"],
            number="1",
            digest=site.releases[0],
            session_id=site.account,
            token_id=site.account,
            account_id=site.account,
            rule_id=site.rule,
            sweep_id=site.sweep,
            result_id=site.result,
        )
        answers = [await site.service.http.post(path, **request) for request in forged(token)]
        statuses += [(path, answer.status_code) for answer in answers]
        cookies += [answer.headers.get("set-cookie", "") for answer in answers]
    assert [each for each in statuses if each[1] != 403] == []
    assert [cookie for cookie in cookies if "bm_theme" in cookie] == []
    assert await everything(site.service) == before


async def test_a_script_may_send_the_token_as_a_header(own_site: Site) -> None:
    token = (await own_site.browser.open("/ui")).form("/sync-all").fields["csrf_token"]
    answer = await own_site.service.http.post(
        "/ui/sync-all", headers={"X-CSRF-Token": token, "Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 303


async def test_the_token_s_cookie_is_out_of_reach_of_scripts_and_stays(
    service: Service, browser: Browser
) -> None:
    first = await browser.open("/ui")
    cookie = first.answer.headers["set-cookie"]
    assert re.match(r"bm_csrf=[\w-]{43}; HttpOnly; Path=/; SameSite=lax$", cookie)
    assert "set-cookie" not in (await browser.open("/ui")).answer.headers
    service.http.cookies.clear()
    page = await browser.open("/ui", headers={"Cookie": "bm_csrf='\"><script>"})
    assert "set-cookie" in page.answer.headers
    assert '"><script>' not in page.html


async def test_an_invalid_body_is_refused_with_a_page(site: Site) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x", **site.browser.headers}
    answer = await site.service.http.post("/ui/sync-all", content=b"--x\r\nnonsense", headers=kind)
    assert answer.status_code in {400, 403}
    large = await site.service.http.post(
        "/ui/sync-all",
        content=b"x" * (9 * 1024 * 1024),
        headers={**kind, "Content-Type": "text/plain"},
    )
    assert large.status_code == 413
    assert "<h1>This is too large</h1>" in large.text


async def test_a_form_in_another_character_set_than_utf_8_is_not_read(site: Site) -> None:
    # It would take half a minute to decode, and signing in needs no identity.
    kind = {**site.browser.headers, "Content-Type": "multipart/form-data; boundary=x; charset=idna"}
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n--x--\r\n'
    answer = await site.service.http.post("/ui/sync-all", content=body, headers=kind)
    assert answer.status_code == 400


async def test_a_repository_is_added(service: Service, browser: Browser) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"}, private_to=[TOKEN])
    service.github.hosting.add_token(TOKEN)
    form = (await browser.open("/ui/projects/new?repository=acme/bench")).form("/projects/new")
    assert form.fields["github_repo_url"] == "acme/bench"
    page = await browser.send(form, name=" vLLM ", github_token=TOKEN, polling_interval="0")
    assert "The repository was added" in page.text
    assert "The repository was added" not in (await browser.open(page.url)).text, "it is said once"
    [project] = await service.rows("/projects")
    assert (project["name"], project["github_token_set"], project["polling_interval"]) == (
        "vLLM",
        True,
        0,
    )
    synced = await browser.send(page.form("/sync"))
    assert "The sync has started" in synced.text
    await service.sync(project["id"])
    assert "1" in (await browser.open(page.url)).text
    assert TOKEN not in (await browser.open(f"{page.url}/settings")).html


#: What is typed into a field, and a part of the error beside it.
MISTAKES = [
    ("name", "", "Enter a name"),
    ("name", "x" * 201, "Enter a name"),
    ("name", "Taken", "already"),
    ("github_repo_url", "", "Enter the address"),
    ("github_repo_url", "https://gitlab.example/a/b", "This service uses"),
    ("github_repo_url", "no address", "Give the repository as"),
    ("branch", "a..b", "git accepts"),
    ("config_folder", "../x", "leave the repository"),
    ("job_folder", "a\\b", "backslashes"),
    ("include", "config/*\n!a", "Pattern 2 of this list must not begin"),
    ("exclude", "[a", "not closed"),
    ("polling_interval", "5", "Enter 0, or"),
    ("polling_interval", "x", "Enter 0, or"),
    ("polling_interval", "9" * 100, "Enter 0, or"),
    ("github_token", "two words", "printable ASCII"),
]


@pytest.mark.parametrize(("field", "value", "error"), MISTAKES)
async def test_a_mistake_is_reported_at_its_field_and_nothing_typed_is_lost(
    service: Service, browser: Browser, field: str, value: str, error: str
) -> None:
    await service.project("acme/bench", name="taken")
    typed = {
        "name": "A name",
        "github_repo_url": "acme/bench",
        "branch": "main",
        "config_folder": "c",
        "job_folder": "j",
        "polling_interval": "60",
        "github_token": TOKEN,
        field: value,
    }
    form = (await browser.open("/ui/projects/new")).form("/projects/new")
    page = await browser.send(form, 422, **typed)
    check(page)
    errors = [tag["id"] for tag in page.all("p") if tag.get("class") == "field-error"]
    assert errors == [f"error-{field}"]
    assert error in page.text
    again = page.form("/projects/new").fields
    assert again.pop("github_token") == ""
    assert {name: again[name] for name in typed if name in again} == {
        name: text for name, text in typed.items() if name != "github_token"
    }
    assert TOKEN not in page.html
    assert len(await service.rows("/projects")) == 1


async def test_settings_are_changed_and_a_token_stays_until_it_is_removed(
    service: Service, browser: Browser
) -> None:
    project = await service.project("acme/bench", github_token=TOKEN, branch="main")
    url = f"/ui/projects/{project['id']}/settings"
    page = await browser.send(
        (await browser.open(url)).form("/settings"), name="Another", branch=""
    )
    assert "Saved." in page.text
    changed = await service.get(f"/projects/{project['id']}")
    assert (changed["name"], changed["branch"], changed["github_token_set"]) == (
        "Another",
        None,
        True,
    )
    page = await browser.send(page.form("/settings"))
    assert "Nothing was changed" in page.text
    assert "remove_token" in page.form("/settings").checkboxes
    await browser.send(page.form("/settings"), remove_token="1")
    assert not (await service.get(f"/projects/{project['id']}"))["github_token_set"]


async def test_stale_settings_are_kept_and_saved_at_the_second_try(
    service: Service, browser: Browser
) -> None:
    project = await service.project("acme/bench")
    form = (await browser.open(f"/ui/projects/{project['id']}/settings")).form("/settings")
    await service.put(f"/projects/{project['id']}", {"name": "Theirs"})
    page = await browser.send(form, 412, name="Mine")
    check(page)
    assert "Someone else changed these settings" in page.text
    assert "Theirs" in page.text
    assert (await service.get(f"/projects/{project['id']}"))["name"] == "Theirs"
    await browser.send(page.form("/settings"))
    assert (await service.get(f"/projects/{project['id']}"))["name"] == "Mine"


async def test_a_project_is_paused_resumed_and_deleted(own_site: Site) -> None:
    url = f"/ui/projects/{own_site.project}"
    page = await own_site.browser.send(
        (await own_site.browser.open(f"{url}/settings")).form("/pause")
    )
    assert (await own_site.service.get(f"/projects/{own_site.project}"))["paused"]
    await own_site.browser.send(page.form("/resume"))
    assert not (await own_site.service.get(f"/projects/{own_site.project}"))["paused"]
    form = (await own_site.browser.open(f"{url}/delete")).form("/delete")
    await own_site.service.put(f"/projects/{own_site.project}", {"name": "changed meanwhile"})
    check(await own_site.browser.send(form, 412))
    page = await own_site.browser.send(
        (await own_site.browser.open(f"{url}/delete")).form("/delete")
    )
    assert (page.url, "The project was deleted." in page.text) == ("/ui", True)
    check(await own_site.browser.open(url, 404))


async def test_all_projects_are_queued(own_site: Site) -> None:
    page = await own_site.browser.send((await own_site.browser.open("/ui")).form("/sync-all"))
    assert "queued" in page.text
    project: Json = await own_site.service.get(f"/projects/{own_site.project}")
    assert project["next_poll_at"] is not None


async def test_patterns_are_typed_one_a_line_and_shown_so(
    service: Service, browser: Browser
) -> None:
    form = (await browser.open("/ui/projects/new")).form("/projects/new")
    typed = {"name": "x", "github_repo_url": "acme/bench", "polling_interval": "0"}
    await browser.send(form, 200, **typed, include="config/*.yaml\r\n\r\n한글/ \r\n", exclude="")
    [project] = await service.rows("/projects")
    assert (project["include"], project["exclude"]) == (["config/*.yaml", "한글/"], [])
    settings = await browser.open(f"/ui/projects/{project['id']}/settings")
    assert settings.form("/settings").fields["include"].strip() == "config/*.yaml\n한글/"
