"""One's own pages: the password, sessions, and tokens that are shown once."""

import re

from support.browser import Browser
from support.guarded import PASSWORD, GuardedService
from support.site import check

NEW = "an even longer phrase"


async def test_the_page_says_who_one_is(guarded: GuardedService) -> None:
    service = guarded.service
    service.repository("acme/bench", {})
    body = {"name": "bench <b>", "github_repo_url": "acme/bench", "polling_interval": 0}
    project = await guarded.admin.post("/projects", body)
    kim = Browser((await guarded.person("kim", grants={project["id"]: "editor"})).http)
    page = await kim.open("/ui/you")
    check(page)
    words = ("kim", "by password", "reader", "bench <b>", "editor")
    assert [word for word in words if word not in page.text] == []
    assert "/ui/people" not in page.links()
    await kim.open("/ui/people", 403)


async def test_the_password_is_changed(guarded: GuardedService) -> None:
    person = await guarded.person("kim")
    kim = Browser(person.http)
    form = (await kim.open("/ui/you")).form("/ui/you/password")
    form.fields |= {"password": NEW, "password_again": NEW}
    page = await kim.send(form, 422, current_password="wrong")
    check(page)
    assert 'id="error-current_password"' in page.html
    assert NEW not in page.html
    page = await kim.send(form, current_password=PASSWORD)
    assert "The password was changed." in page.text
    await guarded.visitor().sign_in("kim", NEW)


async def test_a_weak_new_password_is_refused_beside_its_field(guarded: GuardedService) -> None:
    kim = Browser((await guarded.person("kim")).http)
    form = (await kim.open("/ui/you")).form("/ui/you/password")
    page = await kim.send(
        form, 422, current_password=PASSWORD, password="short", password_again="short"
    )
    assert 'id="error-password"' in page.html


async def test_other_sessions_are_ended(guarded: GuardedService, admin: Browser) -> None:
    other = await guarded.signed_in("ada", guarded.admin.id)
    page = await admin.open("/ui/you/sessions")
    check(page)
    assert "this browser" in page.text
    [form] = [form for form in page.forms if form.action.endswith("/end")]
    page = await admin.send(form)
    assert "The session was ended." in page.text
    await other.get("/me", 401)
    await guarded.admin.get("/me")


async def test_all_sessions_are_ended(guarded: GuardedService, admin: Browser) -> None:
    other = await guarded.signed_in("ada", guarded.admin.id)
    page = await admin.open("/ui/you/sessions")
    page = await admin.send(page.form("/ui/you/sessions/end-all"))
    assert page.url == "/ui/sign-in"
    await other.get("/me", 401)


async def test_a_token_is_shown_once_and_revoked(guarded: GuardedService, admin: Browser) -> None:
    page = await admin.open("/ui/you/tokens/new")
    check(page)
    page = await admin.send(page.form("/ui/you/tokens/new"), name="nightly <b>", role="editor")
    assert page.answer.headers["cache-control"] == "no-store"
    [text] = set(re.findall(r"bmt_\w+", page.html))
    assert (await guarded.program(text).get("/me"))["kind"] == "program"
    page = await admin.open("/ui/you/tokens")
    check(page)
    assert text not in page.html
    assert "nightly <b>" in page.text
    [form] = [form for form in page.forms if form.action.endswith("/revoke")]
    page = await admin.send(form)
    assert "The token was revoked." in page.text
    await guarded.program(text).get("/me", 401)


async def test_what_is_wrong_with_a_token_is_said_beside_its_field(admin: Browser) -> None:
    form = (await admin.open("/ui/you/tokens/new")).form("/ui/you/tokens/new")
    page = await admin.send(form, 422, name="", scope="some", role="maintainer", days="30")
    check(page)
    assert 'id="error-projects"' in page.html
    page = await admin.send(page.form("/ui/you/tokens/new"), 422, scope="all")
    assert 'id="error-name"' in page.html
    kept = page.form("/ui/you/tokens/new").fields
    assert (kept["role"], kept["days"]) == ("maintainer", "30")


async def test_only_administrators_make_tokens_that_act_for_others(guarded: GuardedService) -> None:
    kim = Browser((await guarded.person("kim")).http)
    form = (await kim.open("/ui/you/tokens/new")).form("/ui/you/tokens/new")
    assert "act_for_others" not in form.checkboxes
    await kim.send(form, 403, name="x", act_for_others="1")


async def test_an_administrator_revokes_anybody_s_token(
    guarded: GuardedService, admin: Browser
) -> None:
    text = await (await guarded.person("kim")).token("reader")
    page = await admin.open("/ui/people/tokens")
    check(page)
    assert "kim" in page.text
    [form] = [form for form in page.forms if form.action.endswith("/revoke")]
    await admin.send(form)
    await guarded.program(text).get("/me", 401)


async def test_a_program_that_is_refused_a_token_is_on_record(guarded: GuardedService) -> None:
    form = (await Browser(guarded.admin.http).open("/ui/you/tokens/new")).form("/ui/you/tokens/new")
    program = guarded.program(await guarded.admin.token())
    cookie = "; ".join(
        f"{c.name}={c.value}" for c in guarded.admin.http.cookies.jar if "csrf" in c.name
    )
    await program.ask(
        "POST",
        "/ui/you/tokens/new",
        403,
        data={**form.fields, "name": "another"},
        headers={"Cookie": cookie},
    )
    refused = await guarded.admin.get("/audit", outcome="refused")
    assert [(record["action"], record["actor"]["kind"]) for record in refused] == [
        ("token.create", "program")
    ]
