"""Every form shows a refusal beside the field that it is about, and keeps what was typed."""

from dataclasses import dataclass

import pytest

from support.browser import WebForm, WebPage
from support.site import Site, check

LONG_NAME = "x" * 201
LONG_DESCRIPTION = "x" * 10_001


@dataclass(frozen=True, slots=True)
class Refused:
    """A form, what is typed into it, and the field that is refused."""

    page: str
    form: str
    typed: dict[str, str]
    field: str


FORMS = {
    "add a project": Refused(
        "/ui/projects/new",
        "/projects/new",
        {"name": LONG_NAME, "github_repo_url": "acme/other", "branch": "dev"},
        "name",
    ),
    "settings of a project": Refused(
        "/ui/projects/{project}/settings",
        "/settings",
        {"name": "other", "include": "config/*", "polling_interval": "1"},
        "polling_interval",
    ),
    "new variant": Refused(
        "/ui/projects/{project}/files/{file}/new-variant",
        "/new-variant",
        {"modified_name": "new.yaml", "description": LONG_DESCRIPTION, "content": "a: 2\n"},
        "description",
    ),
    "edit a variant": Refused(
        "/ui/modified-files/{variant}",
        "/modified-files/{variant}",
        {"modified_name": "new.yaml", "description": LONG_DESCRIPTION, "content": "a: 2\n"},
        "description",
    ),
    "rename a variant": Refused(
        "/ui/modified-files/{variant}",
        "/modified-files/{variant}",
        {"modified_name": "a/b.yaml", "description": "why", "content": "a: 2\n"},
        "modified_name",
    ),
    "make a release": Refused(
        "/ui/projects/{project}/releases",
        "/releases",
        {"name": "a\x01b", "description": "why", "pinned": "1", "include": "originals"},
        "name",
    ),
    "make a release of chosen variants": Refused(
        "/ui/projects/{project}/releases",
        "/releases",
        {"name": "kept", "modified_file_ids": "{variant}", "include": "originals"},
        "modified_file_ids",
    ),
    "describe a release": Refused(
        "/ui/releases/{release}",
        "/releases/{release}",
        {"name": "other", "description": LONG_DESCRIPTION, "pinned": "1"},
        "description",
    ),
    "restore from the trash": Refused(
        "/ui/trash/{deleted}", "/trash/{deleted}", {"modified_name": "a/b.yaml"}, "modified_name"
    ),
    "attach to another original": Refused(
        "/ui/modified-files/{removed}/reattach?q=config",
        "/reattach",
        {"original_file_id": "0" * 24, "q": "config"},
        "original_file_id",
    ),
    "merge by hand": Refused(
        "/ui/modified-files/{conflict}/merge/edit",
        "/merge/text",
        {"content": "broken: [\n"},
        "content",
    ),
    "name of the person": Refused("/ui/you", "/ui/you", {"name": "x" * 101}, "name"),
}


def posted(page: WebPage, action: str) -> WebForm:
    """The form that changes something: a search may have the same address."""
    [found] = [
        form for form in page.forms if form.method == "post" and form.action.endswith(action)
    ]
    return found


@pytest.mark.parametrize("case", FORMS.values(), ids=FORMS.keys())
async def test_a_refusal_is_shown_beside_its_field_and_what_was_typed_is_kept(
    site: Site, case: Refused
) -> None:
    ids = {
        "project": site.project,
        "file": site.files["config/a.yaml"],
        "variant": site.modified,
        "release": site.releases[0],
        "deleted": site.deleted,
        "removed": site.moved["upstream_removed"],
        "conflict": site.moved["conflict"],
    }
    typed = {name: text.format(**ids) for name, text in case.typed.items()}
    form = posted(await site.browser.open(case.page.format(**ids)), case.form.format(**ids))
    page = await site.browser.send(form, 422, **typed)
    check(page)
    errors = [tag["id"] for tag in page.all("p") if tag.get("class") == "field-error"]
    assert errors == [f"error-{case.field}"]
    again = posted(page, case.form.format(**ids)).fields
    kept = {name: text for name, text in typed.items() if name != "original_file_id"}
    assert {name: again.get(name) for name in kept} == kept


async def test_a_description_of_the_greatest_length_is_saved_whole(own_site: Site) -> None:
    url = f"/ui/modified-files/{own_site.modified}"
    form = (await own_site.browser.open(url)).form(own_site.modified)
    await own_site.browser.send(form, description=LONG_DESCRIPTION[1:])
    saved = await own_site.service.get(f"/modified-files/{own_site.modified}")
    assert saved["description"] == LONG_DESCRIPTION[1:]


async def test_the_original_that_was_chosen_stays_chosen(own_site: Site) -> None:
    """A variant that was changed in the meantime is not attached, and the choice is kept."""
    variant = own_site.moved["upstream_removed"]
    url = f"/ui/modified-files/{variant}/reattach"
    form = posted(await own_site.browser.open(url), "/reattach")
    chosen = own_site.files["config/moved.yaml"]
    assert form.fields["original_file_id"] != chosen
    await own_site.service.put(f"/modified-files/{variant}", {"description": "changed meanwhile"})
    page = await own_site.browser.send(form, 412, original_file_id=chosen)
    assert posted(page, "/reattach").fields["original_file_id"] == chosen


async def test_variants_that_were_not_selected_stay_so(site: Site) -> None:
    url = f"/ui/projects/{site.project}/modified-files/rebase-all"
    form = (await site.browser.open(url)).form("/rebase-all")
    del form.fields["variant"]
    page = await site.browser.send(form)
    assert page.all("p")
    assert "variant" in page.form("/rebase-all").checkboxes
    assert "variant" not in page.form("/rebase-all").fields
