"""Adding a repository: what the form offers without scripts."""

import pytest

from support.browser import Browser, WebForm, WebPage
from support.service import Json, Service

FILES = {
    "bench/config/a.yaml": b"a: 1\n",
    "bench/config/b.json": b"{}",
    "k8s/run-job.yaml": b"kind: Job\n",
    "README.md": b"x",
}
PREVIEW = "/ui/projects/new/preview"


async def asked(browser: Browser, **typed: str) -> WebPage:
    """Send the form with the button that shows branches and folders."""
    form = (await browser.open("/ui/projects/new")).form("/projects/new")
    form.action = PREVIEW
    return await browser.send(form, 200, **typed)


def form_of(page: WebPage) -> WebForm:
    return page.form("/projects/new")


def options(page: WebPage) -> list[str]:
    return [option["value"] for option in page.all("option")]


async def test_branches_and_folders_are_offered_and_empty_fields_are_filled(
    service: Service, browser: Browser
) -> None:
    repository = service.repository("acme/bench", FILES)
    repository.commit({"x": b"x"}, branch="feature/a")
    page = await asked(browser, github_repo_url="acme/bench")
    assert {"main", "feature/a", "bench/config", "k8s"} <= set(options(page))
    fields = form_of(page).fields
    assert fields["name"] == "bench"
    # The defaults, config and job, hold nothing here.
    assert (fields["config_folder"], fields["job_folder"]) == ("bench/config", "k8s")
    assert "With the folders bench/config and k8s:" in " ".join(page.text.split())
    assert await service.rows("/projects") == []


async def test_what_was_typed_stays_and_the_token_is_not_repeated(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/bench", FILES, private_to=["ghp_secret"])
    typed = {
        "github_repo_url": "acme/bench",
        "github_token": "ghp_secret",
        "name": "mine",
        "config_folder": "k8s",
        "polling_interval": "77",
        "branch": "main",
    }
    page = await asked(browser, **typed)
    fields = form_of(page).fields
    assert {name: fields[name] for name in typed if name != "github_token"} == {
        name: text for name, text in typed.items() if name != "github_token"
    }
    assert "ghp_secret" not in page.html
    assert "Enter it once more" in page.text


async def test_a_folder_of_the_table_is_taken_over_by_its_button(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/bench", FILES)
    page = await asked(browser, github_repo_url="acme/bench")
    buttons = [
        (button["name"], button["value"]) for button in page.all("button") if "value" in button
    ]
    assert ("use_job_folder", "bench") in buttons
    form = form_of(page)
    form.action = PREVIEW
    page = await browser.send(form, use_job_folder="bench")
    assert form_of(page).fields["job_folder"] == "bench"
    form = form_of(page)
    form.action = PREVIEW
    page = await browser.send(form, use_config_folder="/")
    assert form_of(page).fields["config_folder"] == ""


async def test_what_is_offered_can_be_added_as_it_is(service: Service, browser: Browser) -> None:
    service.repository("acme/bench", FILES)
    page = await asked(browser, github_repo_url="acme/bench")
    form = form_of(page)
    form.action = "/ui/projects/new"
    await browser.send(form)
    [project] = await service.rows("/projects")
    assert (project["name"], project["config_folder"], project["job_folder"]) == (
        "bench",
        "bench/config",
        "k8s",
    )


async def test_an_address_with_branch_and_folder_is_taken_apart_into_the_fields(
    service: Service, browser: Browser
) -> None:
    repository = service.repository("acme/bench", FILES)
    repository.commit({"x": b"x"}, branch="feature/a", parent=repository.branches()[0][1])
    page = await asked(
        browser, github_repo_url=f"{service.github.url}/acme/bench/tree/feature/a/bench/config"
    )
    assert form_of(page).fields["branch"] == "feature/a"
    assert form_of(page).fields["config_folder"] == "bench/config"


async def test_an_address_s_folder_applies_without_a_preview(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/bench", FILES)
    form = (await browser.open("/ui/projects/new")).form("/projects/new")
    address = f"{service.github.url}/acme/bench/tree/main/bench/config"
    await browser.send(form, name="x", github_repo_url=address)
    [project] = await service.rows("/projects")
    assert (project["branch"], project["config_folder"], project["job_folder"]) == (
        "main",
        "bench/config",
        "job",
    )


async def test_a_folder_that_was_typed_or_used_counts_also_where_it_is_the_default(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n", "other/b.yaml": b"b: 1\n"})
    address = f"{service.github.url}/acme/bench/tree/main/other"
    page = await asked(browser, github_repo_url=address)
    assert form_of(page).fields["config_folder"] == "other"
    await browser.send(form_of(page), name="typed", config_folder="config")
    form = form_of(page)
    form.action = PREVIEW
    page = await browser.send(form, name="used", use_config_folder="config")
    assert form_of(page).fields["config_folder"] == "config"
    await browser.send(form_of(page))
    assert {(row["name"], row["config_folder"]) for row in await service.rows("/projects")} == {
        ("typed", "config"),
        ("used", "config"),
    }


async def test_a_kind_that_was_chosen_stays_while_its_name_is_not_typed_yet(
    service: Service, browser: Browser
) -> None:
    service.repository("acme/bench", FILES)
    page = await asked(browser, github_repo_url="acme/bench", ref_kind="tag")
    assert any(option["value"] == "tag" and "selected" in option for option in page.all("option"))


async def test_what_an_earlier_address_filled_follows_the_next_one(
    service: Service, browser: Browser
) -> None:
    repository = service.repository("acme/bench", {"other/b.yaml": b"b: 1\n"})
    repository.commit({"more/b.yaml": b"b: 1\n"}, branch="dev")
    page = await asked(browser, github_repo_url=f"{service.github.url}/acme/bench/tree/main/other")
    form = form_of(page)
    form.action = PREVIEW
    page = await browser.send(
        form, github_repo_url=f"{service.github.url}/acme/bench/tree/dev/more"
    )
    assert (form_of(page).fields["branch"], form_of(page).fields["config_folder"]) == (
        "dev",
        "more",
    )


@pytest.mark.parametrize("before", [{}, {"branch": "main"}])
async def test_an_address_in_the_settings_gives_branch_and_folder_unless_they_were_changed(
    service: Service, browser: Browser, before: Json
) -> None:
    repository = service.repository("acme/bench", FILES)
    repository.commit({"other/b.yaml": b"b: 1\n"}, branch="dev")
    project = await service.project("acme/bench", **before)
    settings, path = f"/ui/projects/{project['id']}/settings", f"/projects/{project['id']}"
    address = f"{service.github.url}/acme/bench/tree/dev/other"
    await browser.send((await browser.open(settings)).form("/settings"), github_repo_url=address)
    found = await service.get(path)
    assert (found["branch"], found["config_folder"]) == ("dev", "other")
    form = (await browser.open(settings)).form("/settings")
    await browser.send(form, github_repo_url=address, config_folder="mine")
    assert (await service.get(path))["config_folder"] == "mine"


async def test_a_refusal_by_github_is_shown_in_the_form(browser: Browser) -> None:
    page = await asked(browser, github_repo_url="acme/none", name="kept")
    assert "GitHub shows no repository acme/none to this token" in page.text
    assert form_of(page).fields["name"] == "kept"
    page = await asked(browser, github_repo_url="https://u:ghp_secret@github.com/acme/none")
    assert "enter the token by itself" in page.text
    page = await asked(browser)
    assert "Enter the address of the repository." in page.text


async def test_a_tag_is_added_shown_and_changed(service: Service, browser: Browser) -> None:
    repository = service.repository("acme/bench", FILES)
    repository.tag("v1", repository.branches()[0][1])
    form = (await browser.open("/ui/projects/new")).form("/projects/new")
    page = await browser.send(
        form, name="x", github_repo_url="acme/bench", ref_kind="tag", branch="v1"
    )
    assert f"{service.github.url}/acme/bench/tree/v1" in page.links()
    [project] = await service.rows("/projects")
    assert project["ref"] == {"kind": "tag", "name": "v1"}
    settings = f"/ui/projects/{project['id']}/settings"
    page = await browser.open(settings)
    assert any(option["value"] == "tag" and "selected" in option for option in page.all("option"))
    await browser.send(page.form("/settings"), ref_kind="branch", branch="")
    assert (await service.get(f"/projects/{project['id']}"))["ref"] is None


async def test_a_tag_without_a_name_and_a_short_commit_are_refused_at_the_field(
    service: Service, browser: Browser
) -> None:
    form = (await browser.open("/ui/projects/new")).form("/projects/new")
    page = await browser.send(
        form, 422, name="x", github_repo_url="acme/bench", ref_kind="tag", branch=""
    )
    assert "Enter the name of the tag" in page.text
    form = (await browser.open("/ui/projects/new")).form("/projects/new")
    page = await browser.send(
        form, 422, name="x", github_repo_url="acme/bench", ref_kind="commit", branch="abc1234"
    )
    assert "all 40 digits" in page.text
    assert await service.rows("/projects") == []


async def test_hostile_names_are_text(service: Service, browser: Browser) -> None:
    evil = '<img src=x onerror="alert(1)">'
    repository = service.repository("acme/bench", {f"{evil}/a.yaml": b"a: 1\n"})
    repository.commit({"x": b"x"}, branch='"><script>alert(1)</script>')
    page = await asked(browser, github_repo_url="acme/bench")
    assert page.unclosed == []
    assert [tag for tag in page.all("img") if "onerror" in tag] == []
    assert '"><script>alert(1)</script>' in options(page)
