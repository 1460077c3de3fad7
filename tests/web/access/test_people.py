"""Pages of accounts, rules of federation, and roles in a project."""

import pytest

from support.browser import Browser
from support.guarded import PASSWORD, GuardedService
from support.site import check

ANOTHER = "seven quiet lanterns"
RULE = {
    "name": "ci",
    "issuer": "https://token.actions.githubusercontent.com",
    "audience": "bench",
    "subject": "repo:acme/bench:ref:refs/heads/main",
    "scope": "all",
}


@pytest.fixture
async def project(guarded: GuardedService) -> str:
    """The id of a project without files."""
    guarded.service.repository("acme/bench", {})
    body = {"name": "bench", "github_repo_url": "acme/bench", "polling_interval": 0}
    return str((await guarded.admin.post("/projects", body))["id"])


async def test_an_account_is_made_changed_and_deleted(
    guarded: GuardedService, admin: Browser
) -> None:
    form = (await admin.open("/ui/people/new")).form("/ui/people/new")
    form.fields |= {"name": "kim <b>", "password": PASSWORD, "password_again": PASSWORD}
    page = await admin.send(form, role="editor")
    check(page)
    assert "The account was made." in page.text
    [account] = await guarded.admin.get("/accounts", q="kim")
    assert (account["name"], account["role"]) == ("kim <b>", "editor")
    url = f"/ui/people/{account['id']}"
    form = (await admin.open(url)).form(url)
    assert form.fields["name"] == "kim <b>"
    page = await admin.send(form, name="lee", role="none", disabled="1")
    check(page)
    [account] = await guarded.admin.get("/accounts", q="lee")
    assert (account["role"], account["disabled"]) == ("none", True)
    assert "Disabled" in (await admin.open("/ui/people?q=LEE")).text
    page = await admin.send((await admin.open(f"{url}/delete")).form("/delete"))
    assert page.url == "/ui/people"
    assert await guarded.admin.get("/accounts", q="lee") == []


async def test_an_administrator_sets_a_password(guarded: GuardedService, admin: Browser) -> None:
    kim = await guarded.person("kim")
    url = f"/ui/people/{kim.id}"
    form = (await admin.open(url)).form(f"{url}/password")
    page = await admin.send(form, 422, password=ANOTHER, password_again="x")
    check(page)
    assert 'id="error-password_again"' in page.html
    page = await admin.send(form, 422, password="short", password_again="short")
    assert 'id="error-password"' in page.html
    page = await admin.send(form, password=ANOTHER, password_again=ANOTHER)
    assert "The account has a new password" in page.text
    await kim.ask("GET", "/me", 401)
    await guarded.visitor().sign_in("kim", ANOTHER)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "ada", "password": PASSWORD, "password_again": PASSWORD}, "name"),
        ({"name": "kim", "password": "short", "password_again": "short"}, "password"),
        ({"name": "kim", "password": PASSWORD, "password_again": "x"}, "password_again"),
    ],
)
async def test_a_refused_account_keeps_what_was_typed(
    admin: Browser, typed: dict[str, str], field: str
) -> None:
    form = (await admin.open("/ui/people/new")).form("/ui/people/new")
    page = await admin.send(form, 422, **typed, role="maintainer")
    check(page)
    assert f'id="error-{field}"' in page.html
    kept = page.form("/ui/people/new").fields
    assert (kept["name"], kept["role"]) == (typed["name"], "maintainer")
    assert f'value="{typed["password"]}"' not in page.html


async def test_the_last_administrator_stays(guarded: GuardedService, admin: Browser) -> None:
    url = f"/ui/people/{guarded.admin.id}"
    page = await admin.send((await admin.open(url)).form(url), 422, role="reader")
    check(page)
    assert "This is the last administrator" in page.text
    page = await admin.send((await admin.open(f"{url}/delete")).form("/delete"), 422)
    check(page)
    assert "This is the last administrator" in page.text


async def test_a_second_change_of_an_account_is_not_lost(
    guarded: GuardedService, admin: Browser
) -> None:
    account = await guarded.account("kim")
    url = f"/ui/people/{account['id']}"
    form = (await admin.open(url)).form(url)
    body = {"role": "editor"}
    await guarded.admin.ask("PUT", f"/accounts/{account['id']}", 200, json=body)
    page = await admin.send(form, 412, name="kim lee", role="reader")
    check(page)
    assert "Someone else changed this account" in page.text
    page = await admin.send(page.form(url))
    assert (await guarded.admin.get(f"/accounts/{account['id']}"))["name"] == "kim lee"


async def test_a_rule_is_made_changed_and_deleted(
    guarded: GuardedService, admin: Browser, project: str
) -> None:
    form = (await admin.open("/ui/people/federation/new")).form("/federation/new")
    # Without a choice, no project is opened to anybody.
    page = await admin.send(form, 422, **{**RULE, "scope": "some"})
    check(page)
    assert 'id="error-projects"' in page.html
    page = await admin.send(page.form("/federation/new"), project=project)
    check(page)
    assert "The rule was made." in page.text
    [rule] = await guarded.admin.get("/federation")
    assert (rule["projects"], rule["role"]) == ([project], "reader")
    url = f"/ui/people/federation/{rule['id']}"
    form = (await admin.open(url)).form(url)
    page = await admin.send(form, 422, issuer="http://example.com")
    check(page)
    assert 'id="error-issuer"' in page.html
    page = await admin.send(page.form(url), issuer=RULE["issuer"], role="editor", scope="all")
    [rule] = await guarded.admin.get("/federation")
    assert (rule["projects"], rule["role"]) == ("all", "editor")
    await admin.send((await admin.open(f"{url}/delete")).form("/delete"))
    assert await guarded.admin.get("/federation") == []


async def test_a_maintainer_gives_and_takes_roles(guarded: GuardedService, project: str) -> None:
    person = await guarded.person("kim <b>", "none", grants={project: "maintainer"})
    other = await guarded.person("lee", "none")
    await other.get(f"/projects/{project}", 404)
    kim = Browser(person.http)
    url = f"/ui/projects/{project}/access"
    page = await kim.open(f"{url}?q=LEE")
    check(page)
    [form] = [form for form in page.forms if form.fields.get("id") == other.id]
    page = await kim.send(form, role="editor")
    check(page)
    assert (await other.get(f"/projects/{project}"))["name"] == "bench"
    [form] = [
        form
        for form in page.forms
        if form.fields.get("id") == other.id and form.action.endswith("/remove")
    ]
    page = await kim.send(form)
    assert "The role was taken away." in page.text
    await other.get(f"/projects/{project}", 404)


async def test_a_group_is_given_a_role(
    guarded: GuardedService, admin: Browser, project: str
) -> None:
    url = f"/ui/projects/{project}/access"
    page = await admin.open(url)
    [form] = [form for form in page.forms if form.fields.get("kind") == "group"]
    page = await admin.send(form, 422, id="a,b", role="reader")
    check(page)
    assert 'id="error-id"' in page.html
    [form] = [form for form in page.forms if form.fields.get("kind") == "group"]
    assert form.fields["id"] == "a,b"
    page = await admin.send(form, id="acme/<team>", role="reader")
    check(page)
    assert "acme/<team>" in page.text
    rows = await guarded.admin.get(f"/projects/{project}/grants")
    assert rows == [{"kind": "group", "id": "acme/<team>", "role": "reader"}]


@pytest.mark.parametrize("role", ["reader", "editor"])
async def test_who_may_not_decide_sees_neither_the_tab_nor_the_page(
    guarded: GuardedService, project: str, role: str
) -> None:
    kim = Browser((await guarded.person("kim", "none", grants={project: role})).http)
    assert (
        f"/ui/projects/{project}/access" not in (await kim.open(f"/ui/projects/{project}")).links()
    )
    await kim.open(f"/ui/projects/{project}/access", 403)
