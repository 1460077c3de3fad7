"""Diffs of variants, and the table of all variants of an original."""

import subprocess
from pathlib import Path

import pytest
import pytest_asyncio

from github_test_server import Repository
from support.problems import assert_problem
from support.service import Json, Service

BASE = "model: llama\nargs:\n- name: tp\n  value: 2\n- name: seed\n  value: 1\n"
PATH = "config/vllm/serve.yaml"


@pytest.fixture(scope="module")
def repository(module_service: Service) -> Repository:
    return module_service.repository("acme/b", {PATH: BASE.encode()})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def original(module_service: Service, repository: Repository) -> Json:
    assert repository.branches()
    project = await module_service.synced("acme/b")
    return (await module_service.files(project["id"]))[PATH]


async def variant(service: Service, original: Json, name: str, content: str) -> Json:
    return await service.variant(
        original["project_id"], original, modified_name=name, content=content
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def halves(module_service: Service) -> Json:
    """A variant with halves of surrogate pairs in a value and in a key."""
    name = "config/a.json"
    module_service.repository("acme/halves", {name: b'{"a": 1}'})
    project = await module_service.synced("acme/halves")
    original = (await module_service.files(project["id"]))[name]
    return await variant(module_service, original, "b.json", r'{"a": "\ud800", "\udfff": 2}')


async def test_a_diff_shows_what_was_varied_as_a_patch_and_by_key(
    service: Service, original: Json
) -> None:
    mine = await variant(service, original, "tp8.yaml", BASE.replace("value: 2", "value: 8"))
    answer = await service.http.get(f"/modified-files/{mine['id']}/diff")
    assert answer.headers["content-type"] == "text/x-diff; charset=utf-8"
    assert "-  value: 2\n+  value: 8\n" in answer.text
    found = await service.get(f"/modified-files/{mine['id']}/diff", format="json")
    assert found["changes"] == [
        {"path": "args[name=tp].value", "kind": "changed", "before": 2, "after": 8}
    ]
    assert (found["unified"], found["against"]) == (answer.text, "base")
    assert (found["before_path"], found["after_path"]) == (PATH, "config/vllm/tp8.yaml")


async def test_git_applies_the_patch_and_gets_the_variant_to_the_byte(
    service: Service, original: Json, tmp_path: Path
) -> None:
    text = BASE.replace("llama", "qwen").replace("\n", "\r\n").rstrip() + "\n# ä"
    mine = await variant(service, original, "serve.yaml", text)
    patch = (await service.http.get(f"/modified-files/{mine['id']}/diff")).content
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).write_bytes(BASE.encode())
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch, check=True)
    assert (tmp_path / PATH).read_bytes() == text.encode()


async def test_a_diff_can_be_against_the_original_now_and_any_revision(
    service: Service, repository: Repository, original: Json
) -> None:
    mine = await variant(service, original, "v.yaml", BASE.replace("llama", "qwen"))
    path = f"/modified-files/{mine['id']}"
    await service.put(
        path, {"content": BASE.replace("llama", "mistral"), "modified_name": "w.yaml"}
    )
    repository.commit({PATH: BASE.replace("seed", "salt").encode()})
    await service.sync(original["project_id"])

    async def changes(against: str) -> list[tuple[str, str]]:
        found = await service.get(f"{path}/diff", against=against, format="json")
        return [(change["path"], change["kind"]) for change in found["changes"]]

    assert await changes("base") == [("model", "changed")]
    assert await changes("original") == [
        ("model", "changed"),
        ("args[name=salt]", "removed"),
        ("args[name=seed]", "added"),
    ]
    assert await changes("revision:1") == [("model", "changed")]
    assert await changes("revision:2") == []
    first = await service.get(f"{path}/diff", against="revision:1", format="json")
    assert (first["before_path"], first["after_path"]) == (
        "config/vllm/v.yaml",
        "config/vllm/w.yaml",
    )


async def test_a_diff_against_a_revision_that_is_not_there_is_refused(
    module_service: Service, halves: Json
) -> None:
    path = f"/modified-files/{halves['id']}/diff"
    answer = await module_service.http.get(path, params={"against": "revision:9"})
    assert_problem(answer, 404, "revision_not_found")


@pytest.mark.parametrize(
    "params",
    [
        {"against": "head"},
        {"against": "revision:0"},
        {"against": "revision:x"},
        {"against": ""},
        {"format": "html"},
    ],
    ids=str,
)
async def test_a_diff_that_cannot_be_made_is_refused(
    module_service: Service, halves: Json, params: dict[str, str]
) -> None:
    path = f"/modified-files/{halves['id']}/diff"
    answer = await module_service.http.get(path, params=params)
    assert_problem(answer, 422, "invalid_request")


async def test_what_does_not_parse_has_a_patch_but_no_changes_by_key(
    service: Service, original: Json
) -> None:
    file = {
        "original_file_id": original["id"],
        "modified_name": "t.yaml",
        "content": "a: {{ x }}\n",
    }
    answer = await service.http.post(
        f"/projects/{original['project_id']}/modified-files",
        json=file,
        params={"allow_invalid": "true"},
    )
    found = await service.get(f"/modified-files/{answer.json()['id']}/diff", format="json")
    assert found["changes"] is None
    assert "+a: {{ x }}\n" in found["unified"]


async def test_the_table_has_a_row_for_each_key_in_which_a_variant_differs(
    service: Service, original: Json
) -> None:
    tp8 = await variant(service, original, "a-tp8.yaml", BASE.replace("value: 2", "value: 8"))
    both = await variant(
        service, original, "b-both.yaml", BASE.replace("value: 2", "value: 4") + "extra: yes\n"
    )
    same = await variant(service, original, "c-same.yaml", "# only a comment\n" + BASE)
    table = await service.get(f"/projects/{original['project_id']}/files/{original['id']}/variants")
    assert [
        (column["modified_name"], column["drift"], column["readable"])
        for column in table["columns"]
    ] == [
        ("a-tp8.yaml", "current", True),
        ("b-both.yaml", "current", True),
        ("c-same.yaml", "current", True),
    ]
    ids = tp8["id"], both["id"], same["id"]
    assert table["rows"] == [
        {
            "path": "args[name=tp].value",
            "original": 2,
            "values": dict(zip(ids, (8, 4, 2), strict=True)),
            "absent": [],
            "upstream": [],
            "base": dict.fromkeys(ids, 2),
            "base_absent": [],
        },
        {
            "path": "extra",
            "original": None,
            "values": {tp8["id"]: None, both["id"]: True, same["id"]: None},
            "absent": ["original", tp8["id"], same["id"]],
            "upstream": [],
            "base": dict.fromkeys(ids),
            "base_absent": list(ids),
        },
    ]
    assert table["kinds"] == {
        tp8["id"]: {"args[name=tp].value": "mine"},
        both["id"]: {"args[name=tp].value": "mine", "extra": "mine"},
        same["id"]: {},
    }


async def test_the_table_keeps_one_path_for_a_value_also_where_a_variant_has_items_without_names(
    service: Service, original: Json
) -> None:
    named = await variant(service, original, "named.yaml", BASE.replace("value: 1", "value: 9"))
    bare = await variant(
        service, original, "bare.yaml", BASE.replace("- name: seed\n  value", "- value")
    )
    table = await service.get(f"/projects/{original['project_id']}/files/{original['id']}/variants")
    rows = {row["path"]: row for row in table["rows"]}
    assert set(rows) == {"args[1].value", "args[1].name"}
    assert rows["args[1].value"]["original"] == 1
    assert rows["args[1].value"]["values"] == {named["id"]: 9, bare["id"]: 1}
    assert rows["args[1].name"]["absent"] == [bare["id"]]


async def test_an_edit_and_a_sync_show_in_the_table_at_once(
    service: Service, repository: Repository, original: Json
) -> None:
    mine = await variant(service, original, "v.yaml", BASE)
    path = f"/projects/{original['project_id']}/files/{original['id']}/variants"
    assert (await service.get(path))["rows"] == []
    await service.put(f"/modified-files/{mine['id']}", {"content": BASE.replace("llama", "qwen")})
    (row,) = (await service.get(path))["rows"]
    assert (row["path"], row["original"], row["values"]) == ("model", "llama", {mine["id"]: "qwen"})
    repository.commit({PATH: BASE.replace("llama", "qwen").encode()})
    await service.sync(original["project_id"])
    assert (await service.get(path))["rows"] == []


async def table_by_name(service: Service, original: Json) -> tuple[Json, dict[str, Json]]:
    """The table, and its kinds by the variants' names."""
    table = await service.get(f"/projects/{original['project_id']}/files/{original['id']}/variants")
    names = {column["id"]: column["modified_name"] for column in table["columns"]}
    return table, {names[variant_id]: kinds for variant_id, kinds in table["kinds"].items()}


async def test_the_table_says_who_changed_each_value_since_the_base_of_each_variant(
    service: Service, repository: Repository, original: Json
) -> None:
    oldest = await variant(service, original, "a.yaml", BASE.replace("value: 2", "value: 8"))
    second = BASE.replace("llama", "qwen")
    repository.commit({PATH: second.encode()})
    await service.sync(original["project_id"])
    older = await variant(service, original, "b.yaml", second)
    repository.commit(
        {PATH: second.replace("qwen", "gemma").replace("value: 2", "value: 4").encode()}
    )
    await service.sync(original["project_id"])
    current = await variant(service, original, "c.yaml", BASE)
    table, kinds = await table_by_name(service, original)
    assert kinds == {
        "a.yaml": {"model": "upstream", "args[name=tp].value": "both"},
        "b.yaml": {"model": "upstream", "args[name=tp].value": "upstream"},
        "c.yaml": {"model": "mine", "args[name=tp].value": "mine"},
    }
    ids = oldest["id"], older["id"], current["id"]
    assert [(row["original"], row["base"], row["upstream"]) for row in table["rows"]] == [
        ("gemma", dict(zip(ids, ("llama", "qwen", "gemma"), strict=True)), list(ids[:2])),
        (4, dict(zip(ids, (2, 2, 4), strict=True)), [ids[1]]),
    ]


async def test_the_table_says_who_added_and_removed_values(
    service: Service, repository: Repository, original: Json
) -> None:
    mine = await variant(service, original, "v.yaml", BASE + "mine: 1\n")
    repository.commit({PATH: BASE.replace("model: llama\n", "").encode() + b"theirs: 1\n"})
    await service.sync(original["project_id"])
    table, kinds = await table_by_name(service, original)
    assert kinds == {"v.yaml": {"model": "upstream", "mine": "mine", "theirs": "upstream"}}
    assert {row["path"]: row["base_absent"] for row in table["rows"]} == {
        "model": [],
        "mine": [mine["id"]],
        "theirs": [mine["id"]],
    }


async def test_what_a_variant_and_upstream_changed_alike_has_a_kind_and_no_row(
    service: Service, repository: Repository, original: Json
) -> None:
    await variant(service, original, "v.yaml", BASE.replace("llama", "qwen"))
    repository.commit({PATH: BASE.replace("llama", "qwen").encode()})
    await service.sync(original["project_id"])
    table, kinds = await table_by_name(service, original)
    assert (table["rows"], kinds) == ([], {"v.yaml": {"model": "both"}})


async def test_what_a_variant_changed_to_another_type_is_not_upstreams_change(
    service: Service, repository: Repository, original: Json
) -> None:
    await variant(service, original, "v.yaml", BASE.replace("value: 1", "value: true"))
    repository.commit({PATH: BASE.replace("value: 1", "value: 2").encode()})
    await service.sync(original["project_id"])
    _, kinds = await table_by_name(service, original)
    assert kinds == {"v.yaml": {"args[name=seed].value": "both"}}


async def test_a_variant_that_takes_the_names_off_its_items_is_compared_by_their_positions(
    service: Service, repository: Repository, original: Json
) -> None:
    await variant(
        service, original, "v.yaml", BASE.replace("- name: seed\n  value: 1", "- value: 7")
    )
    await variant(service, original, "w.yaml", BASE)
    repository.commit({PATH: BASE.replace("value: 1", "value: 2").encode()})
    await service.sync(original["project_id"])
    _, kinds = await table_by_name(service, original)
    assert kinds == {
        "v.yaml": {"args[1].value": "both", "args[1].name": "mine"},
        "w.yaml": {"args[1].value": "upstream"},
    }


async def test_a_variant_whose_base_does_not_parse_has_values_and_no_kinds(
    service: Service, repository: Repository, original: Json
) -> None:
    repository.commit({PATH: b"model: {{ m }}\n"})
    await service.sync(original["project_id"])
    lost = await variant(service, original, "v.yaml", BASE)
    repository.commit({PATH: BASE.replace("llama", "qwen").encode()})
    await service.sync(original["project_id"])
    table, kinds = await table_by_name(service, original)
    [row] = table["rows"]
    assert (row["values"], row["base"], row["upstream"], kinds) == (
        {lost["id"]: "llama"},
        {},
        [],
        {},
    )


async def test_an_original_that_was_removed_upstream_is_compared_as_it_was_last(
    service: Service, repository: Repository, original: Json
) -> None:
    await variant(service, original, "v.yaml", BASE.replace("llama", "qwen"))
    repository.commit({PATH: None})
    await service.sync(original["project_id"])
    _, kinds = await table_by_name(service, original)
    assert kinds == {"v.yaml": {"model": "mine"}}


async def test_variants_and_originals_which_do_not_parse_have_no_values(service: Service) -> None:
    repository = service.repository("acme/t", {PATH: b"a: 1\n"})
    project = await service.synced("acme/t")
    original = (await service.files(project["id"]))[PATH]
    good = await variant(service, original, "good.yaml", "a: 2\n")
    file = {"original_file_id": original["id"], "modified_name": "bad.yaml", "content": "a: [\n"}
    files = f"/projects/{project['id']}/modified-files"
    bad = (await service.http.post(files, json=file, params={"allow_invalid": "true"})).json()
    path = f"/projects/{project['id']}/files/{original['id']}/variants"
    table = await service.get(path)
    assert {column["id"]: column["readable"] for column in table["columns"]} == {
        good["id"]: True,
        bad["id"]: False,
    }
    assert [row["values"] for row in table["rows"]] == [{good["id"]: 2}]
    repository.commit({PATH: b"a: {{ x }}\n"})
    await service.sync(project["id"])
    table = await service.get(path)
    assert (table["rows"], table["kinds"]) == (None, {})
    assert [column["readable"] for column in table["columns"]] == [False, False]


async def test_a_large_table_of_variants_comes_in_parts(service: Service) -> None:
    numbers = range(5_100)
    service.repository(
        "acme/large", {"config/a.yaml": "".join(f"k{n}: 0\n" for n in numbers).encode()}
    )
    project = await service.synced("acme/large")
    [original] = (await service.files(project["id"])).values()
    for letter in "abcdefghij":
        # A worker may take the longer the more bytes a text has.
        content = "".join(f"k{n}: {letter * 40}\n" for n in numbers)
        await service.variant(
            project["id"], original, modified_name=f"{letter}.yaml", content=content
        )
    address = f"/projects/{project['id']}/files/{original['id']}/variants"
    first = await service.http.get(address)
    assert first.headers["X-Total-Count"] == "5100"
    second = await service.http.get(first.links["next"]["url"])
    assert "next" not in second.links
    tables = [first.json(), second.json()]
    paths = [[row["path"] for row in table["rows"]] for table in tables]
    assert paths[0] + paths[1] == [f"k{n}" for n in numbers]
    kinds = [[list(kinds) for kinds in table["kinds"].values()] for table in tables]
    assert kinds == [[part] * 10 for part in paths]


async def test_half_of_a_surrogate_pair_can_be_compared(
    module_service: Service, halves: Json
) -> None:
    diff = await module_service.get(f"/modified-files/{halves['id']}/diff", format="json")
    assert [(change["path"], change["after"]) for change in diff["changes"]] == [
        ("a", r'"\ud800"'),
        (r'"\udfff"', 2),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/projects/{project_id}/files/{original_file_id}/variants",
        "/ui/projects/{project_id}/files/{original_file_id}/variants",
        "/ui/modified-files/{id}/compare",
    ],
)
async def test_half_of_a_surrogate_pair_is_shown(
    module_service: Service, halves: Json, path: str
) -> None:
    answer = await module_service.http.get(path.format_map(halves))
    assert answer.status_code == 200, answer.text
