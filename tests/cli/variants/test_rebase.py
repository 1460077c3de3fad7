"""Commands that rebase variants, or attach them to another original."""

import re
from collections.abc import Sequence

import pytest

from github_test_server import Repository
from support.commands import ServiceCommands
from support.variant_texts import CONTENT, FILES, content


async def test_a_rebase_applies_upstream_s_changes_and_shows_conflicts(
    cli: ServiceCommands, project: str, repository: Repository
) -> None:
    async def new(name: str, text: bytes) -> str:
        made = await cli(
            "variants", "new", project, "moving.yaml", "-n", name, "-f", "-", stdin=text
        )
        return made.out.strip()

    repository.commit({**FILES, "config/moving.yaml": CONTENT}, message="one that moves")
    await cli.service.sync(project)
    clean = await new("clean.yaml", CONTENT.replace(b"4096", b"8192"))
    ours = [await new(f"clash-{n}.yaml", CONTENT.replace(b"size: 2", b"size: 8")) for n in range(4)]
    assert "is already based on the newest original" in (await cli("variants", "rebase", clean)).err
    repository.commit(
        {**FILES, "config/moving.yaml": CONTENT.replace(b"size: 2", b"size: 4")}, message="moved"
    )
    await cli.service.sync(project)

    preview = await cli("variants", "rebase", clean, "--preview")
    assert "tensor_parallel_size: 4\nmax_model_len: 8192\n" in preview.out
    assert "as revision 2" in (await cli("variants", "rebase", clean)).err
    assert await content(cli, clean) == preview.out

    done = await cli("variants", "rebase", ours[0], code=1)
    assert done.out.splitlines()[1].split() == ["tensor_parallel_size", "3", "2", "4", "8"]
    assert "(merge_conflict)" in done.err
    assert f"variants rebase {ours[0]} --take tensor_parallel_size=theirs," in done.err
    as_json = await cli("variants", "rebase", ours[0], "--json", code=1)
    assert (
        as_json.json["conflicts"]
        == (await cli("variants", "rebase", ours[0], "--preview", "--json")).json["conflicts"]
    )

    decisions = (
        ("--take", "tensor_parallel_size=theirs"),
        ("--take", "tensor_parallel_size=mine"),
        ("--set", "tensor_parallel_size=16"),
        ("--file", "-"),
    )
    text = CONTENT.replace(b"size: 2", b"size: 32")
    for file, decision in zip(ours, decisions, strict=True):
        await cli("variants", "rebase", file, *decision, stdin=text)
    sizes = [
        re.findall(r"^tensor_parallel_size: (\d+)$", await content(cli, file), re.MULTILINE)
        for file in ours
    ]
    assert sizes == [["4"], ["8"], ["16"], ["32"]]


async def moved_variants(
    cli: ServiceCommands, project: str, repository: Repository, path: str
) -> tuple[str, str]:
    """A variant of `path` that merges cleanly and one in conflict."""
    repository.commit({path: CONTENT}, message="one that moves")
    await cli.service.sync(project)
    clean, clash = [
        (
            await cli(
                "variants",
                "new",
                project,
                path,
                "-n",
                name,
                "-f",
                "-",
                stdin=CONTENT.replace(*change),
            )
        ).out.strip()
        for name, change in (
            (f"a-{path[-10:]}", (b"4096", b"8192")),
            (f"b-{path[-10:]}", (b"size: 2", b"size: 8")),
        )
    ]
    repository.commit({path: CONTENT.replace(b"size: 2", b"size: 4")}, message="moved")
    await cli.service.sync(project)
    return clean, clash


async def test_rebase_all_shows_each_result_and_rebases_the_clean_ones(
    cli: ServiceCommands, project: str, repository: Repository
) -> None:
    path = "config/all-0.yaml"
    clean, clash = await moved_variants(cli, project, repository, path)
    before = await content(cli, clean)
    shown = await cli("variants", "rebase-all", "variants", "--original", path, "--dry-run")
    rows = [line.split(maxsplit=1) for line in shown.out.splitlines()[1:]]
    assert [(name, " ".join(rest.split())) for name, rest in rows] == [
        ("config/a-all-0.yaml", "merges cleanly tensor_parallel_size: 2 becomes 4"),
        ("config/b-all-0.yaml", "needs a decision both sides changed: tensor_parallel_size"),
    ]
    assert "1 of 2 variants" in shown.err
    assert await content(cli, clean) == before
    done = await cli("variants", "rebase-all", project, "--original", path, "--yes")
    assert "Rebased 1 variant." in done.err
    assert f"variants rebase {clash}" in done.err
    assert "tensor_parallel_size: 4\nmax_model_len: 8192\n" in await content(cli, clean)


async def test_rebase_all_writes_the_apis_lists_as_json(
    cli: ServiceCommands, project: str, repository: Repository
) -> None:
    path = "config/all-1.yaml"
    clean, clash = await moved_variants(cli, project, repository, path)
    previewed = (
        await cli("variants", "rebase-all", project, "--original", path, "--dry-run", "--json")
    ).json
    assert [row["id"] for row in previewed["preview"]] == [clean, clash]
    expected = (await cli("variants", "rebase-all", project, "--original", path, "--json")).json
    assert {name: expected[name] for name in ("rebased", "conflicts", "unchanged", "failed")} == {
        "rebased": [clean],
        "conflicts": [clash],
        "unchanged": [],
        "failed": [],
    }


async def test_a_variant_is_attached_to_another_original(
    cli: ServiceCommands, project: str, repository: Repository
) -> None:
    clean, _ = await moved_variants(cli, project, repository, "config/all-2.yaml")
    # Too little alike to be a rename.
    new = b"".join(b"other%d: %d\n" % (n, n) for n in range(50))
    repository.commit({"config/all-2.yaml": None, "config/v2/all.yaml": new}, message="gone")
    await cli.service.sync(project)
    text = await content(cli, clean)
    done = await cli("variants", "reattach", clean, "config/v2/all.yaml")
    assert "Attached config/v2/a-all-2.yaml to config/v2/all.yaml." in done.err
    assert await content(cli, clean) == text
    assert "already" in (await cli("variants", "reattach", clean, "v2/all.yaml")).err
    assert "(file_not_found)" in (await cli("variants", "reattach", clean, "nothing", code=1)).err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--take", "a.b"), "write KEY=theirs or KEY=mine"),
        (("--take", "a=yours"), "write KEY=theirs or KEY=mine"),
        (("--set", "a=llama"), "texts in double quotes"),
        (("--set", 'a={"b": 1, "b": 2}'), "write KEY=JSON"),
        (("--set", "a=NaN"), "write KEY=JSON"),
        (("--take", "theirs", "--file", "-"), "so --take and --set cannot be used"),
        (("--preview", "--take", "theirs"), "--preview cannot be combined"),
    ],
)
async def test_impossible_decisions_are_refused(
    cli: ServiceCommands, variant: str, arguments: tuple[str, ...], expected: str
) -> None:
    done = await cli("variants", "rebase", variant, *arguments, code=2, stdin="")
    assert expected in done.err


async def test_a_decision_names_a_key_that_contains_an_equals_sign(
    cli: ServiceCommands, project: str, repository: Repository
) -> None:
    def named(image: str) -> bytes:
        return f"containers:\n- name: main\n  image: {image}\n".encode()

    key = "containers[name=main].image"
    decisions = (
        ("--take", f"{key}=mine"),
        ("--set", f'{key}="a=1"'),
        ("--set", f"{key}=null"),
    )
    ours = await in_conflict(
        cli, project, repository, "named.yaml", [named(text) for text in ("old", "new", "own")], 3
    )
    for file, decision in zip(ours, decisions, strict=True):
        await cli("variants", "rebase", file, *decision)
    assert [await content(cli, file) for file in ours] == [
        named(text).decode() for text in ("own", "a=1", "null")
    ]


async def test_a_conflict_without_a_key_is_decided_by_a_side(
    cli: ServiceCommands, project: str, repository: Repository
) -> None:
    texts = [b"{{ .Values.a }}: %d\n" % number for number in range(3)]
    [file] = await in_conflict(cli, project, repository, "template.yaml", texts, 1)
    await cli("variants", "rebase", file, "--take", "theirs")
    assert await content(cli, file) == "{{ .Values.a }}: 1\n"


async def in_conflict(
    cli: ServiceCommands,
    project: str,
    repository: Repository,
    name: str,
    texts: Sequence[bytes],
    count: int,
) -> list[str]:
    """Return so many variants of a file; `texts` are the base, theirs and mine."""
    base, theirs, mine = texts
    repository.commit({f"config/{name}": base}, message="base")
    await cli.service.sync(project)
    made = [
        await cli("variants", "new", project, name, "-n", f"{number}-{name}", "-f", "-", stdin=mine)
        for number in range(count)
    ]
    repository.commit({f"config/{name}": theirs}, message="theirs")
    await cli.service.sync(project)
    return [one.out.strip() for one in made]
