"""The form of a sweep: from a file to cells, as fields and as YAML, with nothing typed lost."""

import re

import pytest

from support.browser import Browser, WebPage
from support.service import Json, Service
from support.site import check
from support.sweep_form import ENGINE_PATH, JOB_PATH, PARALLEL, form_of, press

SEQS = {"name": "seqs", "set": "engine:engine.max_num_seqs", "values": [128, 256]}


async def test_a_value_of_a_file_becomes_an_axis_and_the_axis_a_sweep(
    service: Service, browser: Browser, started: WebPage, project: Json
) -> None:
    check(started)
    page = await press(browser, started, "pick:engine:engine.max_num_seqs")
    check(page)
    assert form_of(page).fields["axis-0-values"] == "256"
    page = await press(browser, page, "preview", {"axis-0-values": "128, 256\n512"})
    check(page)
    assert "3 cells" in page.text
    assert re.search(r"engine\.max_num_seqs\s+256\s+512", page.text)
    page = await press(browser, page, "store")
    assert "The sweep was made." in page.text
    [sweep] = await service.rows(f"/projects/{project['id']}/sweeps")
    assert sweep["definition"]["axes"] == [
        {"name": "max_num_seqs", "set": "engine:engine.max_num_seqs", "values": [128, 256, 512]}
    ]
    assert sweep["cells_count"] == 3


async def test_one_axis_sets_a_key_and_a_flag_of_two_files_to_values_of_their_own(
    service: Service, browser: Browser, started: WebPage, project: Json
) -> None:
    page = await press(browser, started, "pick:engine:engine.dtype")
    page = await press(browser, page, "add-file", {"new_file": JOB_PATH})
    page = await press(browser, page, f"pick:{PARALLEL}", {"picked": "0"})
    page = await press(browser, page, "preview", {"axis-0-own": "1", "axis-0-name": "way"})
    assert form_of(page).fields["axis-0-values-0"] == "auto"
    page = await press(
        browser,
        page,
        "store",
        {
            "axis-0-points": "one, two",
            "axis-0-values-0": "-, fp16",
            "axis-0-values-1": "1, 2",
            "repeats": "3",
        },
    )
    [sweep] = await service.rows(f"/projects/{project['id']}/sweeps")
    assert sweep["definition"]["files"] == {"engine": ENGINE_PATH, "run": JOB_PATH}
    assert sweep["definition"]["axes"] == [
        {
            "name": "way",
            "points": [
                {"name": "one", "set": {PARALLEL: 1}},
                {"name": "two", "set": {"engine:engine.dtype": "fp16", PARALLEL: 2}},
            ],
        }
    ]
    cell = await service.get(f"/sweeps/{sweep['id']}/cells/1")
    assert [(change["before"], change["after"]) for change in cell["changes"]] == [
        ("auto", "fp16"),
        ("1", "2"),
    ]


async def test_a_variant_is_swept_in_place_of_its_original(
    service: Service, browser: Browser, project: Json
) -> None:
    file = (await service.files(project["id"]))[ENGINE_PATH]
    variant = await service.variant(project["id"], file, content="engine:\n  max_num_seqs: 8\n")
    page = await browser.open(f"/ui/modified-files/{variant['id']}")
    [link] = [link for link in page.links() if "/sweeps/new?" in link]
    page = await browser.open(link)
    alias = form_of(page).fields["file-0-alias"]
    page = await press(browser, page, f"pick:{alias}:engine.max_num_seqs")
    await press(browser, page, "store", {"axis-0-values": "16"})
    [sweep] = await service.rows(f"/projects/{project['id']}/sweeps")
    assert sweep["definition"]["files"] == {alias: {"modified_file_id": variant["id"]}}


async def test_fields_and_yaml_are_one_definition(
    service: Service, browser: Browser, started: WebPage, project: Json
) -> None:
    """What was typed survives the way there and back, complete or not."""
    typed = {"name": "n: 1", "exclude": "max_num_seqs=1, other=2", "axis-0-values": "1, '2'"}
    page = await press(browser, started, "pick:engine:engine.max_num_seqs")
    page = await press(browser, page, "add-target:0")
    page = await press(browser, page, "yaml", typed)
    check(page)
    assert 'name: "n: 1"' in form_of(page).fields["yaml"]
    back = await press(browser, page, "form")
    fields = form_of(back).fields
    assert {name: fields[name] for name in typed} == typed
    assert (fields["axis-0-targets"], fields["axis-0-set-1"]) == ("2", "")
    text = (
        f"name: from yaml\nfiles: {{e: {ENGINE_PATH}}}\n"
        'axes:\n  - {name: s, set: "e:engine.max_num_seqs", values: [1, "2"]}\nrepeats: 4\n'
    )
    there = await press(browser, page, "preview", {"yaml": text})
    check(there)
    assert "2 cells \N{MULTIPLICATION SIGN} 4 = 8 measurements" in there.text
    fields = form_of(await press(browser, there, "form")).fields
    assert (fields["axis-0-values"], fields["repeats"]) == ('1, "2"', "4")
    page = await press(browser, there, "store")
    assert "The sweep was made." in page.text
    [sweep] = await service.rows(f"/projects/{project['id']}/sweeps")
    assert (sweep["name"], sweep["definition"]["axes"][0]["values"]) == ("from yaml", [1, "2"])


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"axis-0-values": ""}, "axis-0-values", "Values (max_num_seqs) must have"),
        ({"axis-0-name": " "}, "axis-0-name", "must be one line"),
        ({"name": ""}, "name", "Name must be one line"),
        ({"axis-0-set-0": "engine:engine.max_seqs"}, "axis-0-set-0", "engine.max_num_seqs"),
        ({"axis-0-set-0": "engin:a"}, "axis-0-set-0", "which is no alias"),
        ({"file-0-alias": "a b"}, "file-0-alias", "must be an alias"),
        ({"exclude": "max_num_seqs"}, "exclude", "Line 1 is no combination"),
        ({"exclude": "max_num_seqs={1"}, "exclude", "Line 1 is no combination"),
        (
            {"exclude": "max_num_seqs=1\n\nother=1"},
            "exclude",
            "Combination 2 to leave out (other) names no axis; the axes are max_num_seqs.",
        ),
        ({"include": "other=1"}, "include", "Combination 1 to add (other) names no axis"),
        ({"axis-0-values": "1,\n[2, 3"}, "axis-0-values", "Line 2: the JSON is not complete"),
        ({"axis-0-values": '{"a": 1, "a": 2}'}, "axis-0-values", "has a name twice"),
        ({"new_file": "config/other.yaml"}, "new_file", "Add this file, or empty the field."),
        ({"repeats": "twice"}, "repeats", "Enter a whole number"),
        ({"repeats": "1001"}, "repeats", "1 to 1000"),
        (
            {"axis-0-own": "1", "axis-0-values-0": "1, 2", "axis-0-points": "a"},
            "axis-0-values-0",
            "one value for each point: 1",
        ),
    ],
)
async def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(
    service: Service,
    browser: Browser,
    picked: WebPage,
    project: Json,
    typed: dict[str, str],
    field: str,
    said: str,
) -> None:
    page = picked
    if "axis-0-own" in typed:
        page = await press(browser, page, "preview", {"axis-0-own": "1"})
    page = await press(browser, page, "store", {"description": "kept", **typed}, status=422)
    check(page)
    [error] = re.findall(rf'id="error-{field}"[^>]*>(.*?)</p>', page.html, re.DOTALL)
    assert said in re.sub("<[^>]*>", "", error)
    focused = [
        tag["id"] for name in ("input", "textarea") for tag in page.all(name) if "autofocus" in tag
    ]
    assert focused == [field]
    fields = form_of(page).fields
    kept = {name: value.strip() for name, value in typed.items()}
    assert {name: fields[name] for name in kept} == kept
    assert fields["description"] == "kept"
    assert await service.rows(f"/projects/{project['id']}/sweeps") == []


async def test_problems_of_the_yaml_stand_at_their_lines(
    browser: Browser, started: WebPage
) -> None:
    page = await press(browser, started, "yaml")
    text = "name: a\nname: b\nwhen: 2026-11-30\n"
    page = await press(browser, page, "store", {"yaml": text}, status=422)
    check(page)
    assert form_of(page).fields["yaml"] == text
    assert "line 2" in page.text


async def test_another_definition_keeps_cells_and_retires_others(
    service: Service, browser: Browser, project: Json
) -> None:
    definition = {"name": "s", "files": {"engine": ENGINE_PATH}, "axes": [SEQS]}
    sweep = await service.post(f"/projects/{project['id']}/sweeps", definition, 201)
    first = await service.rows(f"/sweeps/{sweep['id']}/cells")
    page = await browser.open(f"/ui/sweeps/{sweep['id']}/edit")
    stale = await browser.open(f"/ui/sweeps/{sweep['id']}/edit")
    page = await press(browser, page, "preview", {"axis-0-values": "256, 512, 1024"})
    assert re.search(r"combinations that stay: 1, that are retired: 1", page.text)
    page = await press(browser, page, "store")
    assert "Saved." in page.text
    cells = await service.rows(f"/sweeps/{sweep['id']}/cells")
    assert [cell["index"] for cell in cells] == [1, 2, 3]
    assert cells[0] == first[1]
    page = await press(browser, stale, "store", {"name": "mine"}, status=412)
    check(page)
    assert "Someone else changed this sweep" in page.text
    page = await press(browser, page, "store", {"name": "mine", "axis-0-values": "64"})
    assert (await service.get(f"/sweeps/{sweep['id']}"))["name"] == "mine"


async def test_what_was_typed_survives_the_end_of_its_sweep(
    service: Service, browser: Browser, project: Json
) -> None:
    definition = {"name": "s", "files": {"engine": ENGINE_PATH}, "axes": [SEQS]}
    sweep = await service.post(f"/projects/{project['id']}/sweeps", definition, 201)
    page = await browser.open(f"/ui/sweeps/{sweep['id']}/edit")
    await service.http.delete(f"/sweeps/{sweep['id']}")
    page = await press(browser, page, "store", {"axis-0-values": "7, 8"}, status=404)
    check(page)
    assert "This sweep was deleted in the meantime." in page.text
    page = await press(browser, page, "store")
    assert "The sweep was made." in page.text
    [made] = await service.rows(f"/projects/{project['id']}/sweeps")
    assert made["definition"]["axes"][0]["values"] == [7, 8]


async def test_enter_adds_the_file_that_is_typed(browser: Browser, started: WebPage) -> None:
    page = await press(browser, started, "enter", {"new_file": JOB_PATH})
    fields = form_of(page).fields
    assert (fields["file-1-path"], fields["new_file"]) == (JOB_PATH, "")
    check(await press(browser, page, "enter", {"new_file": "config/none.yaml"}))


async def test_a_note_names_the_field_as_the_form_does(browser: Browser, picked: WebPage) -> None:
    typed = {"axis-0-values": "1, 1", "exclude": "max_num_seqs=3"}
    page = await press(browser, picked, "preview", typed)
    assert "Values (max_num_seqs) has a value twice" in page.text
    assert "Combination 1 to leave out matches no combination" in page.text


async def test_another_tools_sweep_becomes_a_form_with_notes(
    service: Service, browser: Browser, project: Json
) -> None:
    page = await browser.open(f"/ui/projects/{project['id']}/sweeps/import")
    form = page.form("/sweeps/import")
    empty = await browser.send(page.form("/sweeps/import"), 422)
    assert "Files must have at least one entry." in empty.text
    text = '[{"max_num_seqs": 64, "unheard_of": 1}, {"max_num_seqs": 128, "unheard_of": 2}]'
    refused = await browser.send(form, 422, text=text, files="config/none.yaml")
    check(refused)
    assert form.fields["text"] == text
    page = await browser.send(refused.form("/sweeps/import"), files=f"e={ENGINE_PATH}")
    check(page)
    assert "unheard_of" in page.text
    page = await press(browser, page, "store", {"name": "taken over"})
    [sweep] = await service.rows(f"/projects/{project['id']}/sweeps")
    cells = await service.rows(f"/sweeps/{sweep['id']}/cells")
    assert len(cells) == 2
    assert "The sweep was made." in page.text


async def test_a_path_of_any_length_is_looked_for(browser: Browser, started: WebPage) -> None:
    path = "a/" * 100_000
    page = await press(browser, started, "add-file", {"new_file": path})
    assert "no file with this path" in page.text
    assert form_of(page).fields["new_file"] == path


async def test_a_long_value_is_not_entered_for_a_thousand_points(
    browser: Browser, picked: WebPage
) -> None:
    page = await press(browser, picked, "preview", {"axis-0-own": "1"})
    points = {"axis-0-points": "1, " * 15_000, "picked": "0"}
    page = await press(browser, page, "pick:engine:engine.dtype", points)
    assert form_of(page).fields["axis-0-set-1"] == "engine:engine.dtype"
    assert len(form_of(page).fields["axis-0-values-1"]) < 110_000
