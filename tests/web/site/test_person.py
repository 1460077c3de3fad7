"""The name that is recorded with changes on pages."""

import pytest

from support.browser import Browser
from support.service import Service
from support.site import Site, check

HEADERS = {"Accept": "text/html"}


async def test_changes_are_recorded_with_the_entered_name(own_site: Site) -> None:
    page = await own_site.browser.open("/ui/you")
    check(page)
    page = await own_site.browser.send(page.form("/ui/you"), name=" 미나 <b> ")
    check(page)
    assert page.form("/ui/you").fields["name"] == "미나 <b>"
    assert "미나 <b>" in (await own_site.browser.open("/ui")).text
    editor = await own_site.browser.open(f"/ui/modified-files/{own_site.modified}")
    await own_site.browser.send(
        editor.form(f"/ui/modified-files/{own_site.modified}"), description="by hand"
    )
    assert (await own_site.service.get(f"/modified-files/{own_site.modified}"))[
        "updated_by"
    ] == "미나 <b>"
    page = await own_site.browser.send(
        (await own_site.browser.open("/ui/you")).form("/ui/you"), name=""
    )
    assert page.form("/ui/you").fields["name"] == ""


async def test_a_name_from_a_proxy_takes_precedence(service: Service, browser: Browser) -> None:
    await browser.send((await browser.open("/ui/you")).form("/ui/you"), name="mallory")
    page = await browser.open("/ui/you", headers={"X-Actor": "mina"})
    assert "the proxy in front of this service: mina" in page.text
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    [file] = (await service.files(project["id"])).values()
    form = (
        await browser.open(f"/ui/projects/{project['id']}/files/{file['id']}/new-variant")
    ).form("/new-variant")
    proxied = Browser(browser.http, {**HEADERS, "X-Actor": "mina"})
    made = await proxied.send(form)
    variant = await service.get(f"/modified-files/{made.url.rpartition('/')[2]}")
    assert variant["created_by"] == "mina"


@pytest.mark.parametrize("name", ["x" * 101, "\u202eanim", "a\tb"])
async def test_a_name_is_short_and_visible(browser: Browser, name: str) -> None:
    page = await browser.send((await browser.open("/ui/you")).form("/ui/you"), 422, name=name)
    check(page)
    assert "at most 100 visible characters" in page.text


@pytest.mark.parametrize("cookie", ["%22%3E%3Cscript%3E", "%E2%80%AE", "%00", "%", '"', "a" * 4000])
async def test_a_cookie_from_elsewhere_does_no_harm(service: Service, cookie: str) -> None:
    answer = await service.http.get("/ui", headers={**HEADERS, "Cookie": f"bm_name={cookie}"})
    assert answer.status_code == 200
    assert '"><script>' not in answer.text
    assert "\u202e" not in answer.text
