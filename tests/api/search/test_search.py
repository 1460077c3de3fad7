"""GET /projects/{id}/search finds text, keys and values inside originals and variants."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from unicodedata import normalize

import pytest
import pytest_asyncio

from support.problems import ObservedAnswers, assert_problem, fields_at_fault
from support.service import Json, Service

JOB = b"""\
# runs llama
apiVersion: batch/v1
kind: Job
metadata: {name: run}
spec:
  parallelism: 4
  template:
    spec:
      containers:
        - name: main
          image: vllm/vllm-openai
"""
FILES = {
    "config/a.yaml": b"model: Llama-3\r\nparallelism: 4\r\nnote: llama llama\r\n",
    "config/b.json": b'{"model": "llama", "nested": {"parallelism": [4, 8]}}\n',
    "config/broken.yaml": b"llama: [\n",
    "config/chart.yaml": b"llama: {{ .Values.llama }}\n",
    "job/run.yaml": JOB,
}


@pytest.fixture
async def project(service: Service) -> Json:
    service.repository("acme/bench", FILES)
    return await service.synced("acme/bench")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def held(reading: Service) -> Json:
    """The same project, of the service that no test changes."""
    reading.repository("acme/bench", FILES)
    return await reading.synced("acme/bench")


async def search(service: Service, project: Json, q: str, **params: Any) -> list[Json]:
    """All rows, with each file once, following every page."""
    rows = await service.rows(f"/projects/{project['id']}/search", q=q, **params)
    merged: dict[tuple[str, str, str], Json] = {}
    for row in rows:
        file = row["file"]
        merged.setdefault((file["path"], file["kind"], file["id"]), {"file": file, "matches": []})[
            "matches"
        ].extend(row["matches"])
    return list(merged.values())


def positions(rows: list[Json]) -> list[tuple[str, int, int, str | None]]:
    return [
        (row["file"]["path"], match["line"], match["column"], match["key"])
        for row in rows
        for match in row["matches"]
    ]


TEXT = [
    ("config/a.yaml", 1, 8, "model"),
    ("config/a.yaml", 3, 7, "note"),
    ("config/b.json", 1, 12, "model"),
    ("config/broken.yaml", 1, 1, None),
    ("config/chart.yaml", 1, 1, None),
    ("job/run.yaml", 1, 8, None),
]
KEYS = [
    ("config/a.yaml", 2, 1, "parallelism"),
    ("config/b.json", 1, 31, "nested.parallelism"),
    ("job/run.yaml", 6, 3, "spec.parallelism"),
]
VALUES = [
    ("config/a.yaml", 2, 14, "parallelism"),
    ("config/b.json", 1, 47, "nested.parallelism[0]"),
    ("job/run.yaml", 6, 16, "spec.parallelism"),
]


@pytest.mark.parametrize("limit", [1000, 1, 2])
@pytest.mark.parametrize(
    ("q", "where", "expected"),
    [
        ("LLAMA", "text", TEXT),
        ("parallelism", "keys", KEYS),
        ("4", "values", VALUES),
        ("nothing", "text", []),
    ],
)
async def test_matches_have_their_positions_whatever_a_page_holds(
    reading: Service, held: Json, q: str, where: str, expected: list[Any], limit: int
) -> None:
    assert positions(await search(reading, held, q, **{"in": where, "limit": limit})) == expected


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("spec.parallelism", ["spec.parallelism"]),
        (
            "spec.template.spec.containers[name=main].image",
            ["spec.template.spec.containers[name=main].image"],
        ),
        ("containers.image", ["spec.template.spec.containers[name=main].image"]),
        ("Template", ["spec.template"]),
        ("metadata", ["metadata"]),
    ],
)
async def test_keys_are_found_by_their_path(
    reading: Service, held: Json, q: str, expected: list[str]
) -> None:
    rows = await search(reading, held, q, **{"in": "keys", "file_type": "job"})
    assert [match["key"] for row in rows for match in row["matches"]] == expected


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def embedded_project(module_either: Service) -> AsyncIterator[Json]:
    observed = ObservedAnswers()
    module_either.http.event_hooks = {"request": [], "response": [observed.note]}
    module_either.repository("acme/bench", FILES)
    yield await module_either.synced("acme/bench")
    assert observed.undocumented == []


@pytest.mark.parametrize("either_server", ["embedded"], indirect=True, scope="module")
@pytest.mark.parametrize(
    ("q", "where", "expected"),
    [("llama", "text", TEXT), ("parallelism", "keys", KEYS), ("4", "values", VALUES)],
)
async def test_the_embedded_database_finds_the_same(
    module_either: Service, embedded_project: Json, q: str, where: str, expected: list[Any]
) -> None:
    rows = await search(module_either, embedded_project, q, **{"in": where})
    assert positions(rows) == expected


async def test_one_page_has_the_total_and_the_shape(reading: Service, held: Json) -> None:
    answer = await reading.http.get(f"/projects/{held['id']}/search", params={"q": "vllm-openai"})
    file = (await reading.files(held["id"]))["job/run.yaml"]
    assert answer.headers["x-total-count"] == "1"
    assert answer.json() == [
        {
            "file": {"id": file["id"], "path": "job/run.yaml", "kind": "original"},
            "matches": [
                {
                    "line": 11,
                    "column": 23,
                    "key": "spec.template.spec.containers[name=main].image",
                    "excerpt": "          image: vllm/vllm-openai",
                }
            ],
        }
    ]


async def test_scope_and_type_choose_files(service: Service, project: Json) -> None:
    originals = await service.files(project["id"])
    variant = await service.variant(
        project["id"], originals["config/a.yaml"], content="model: llama-4\n"
    )
    job = await service.variant(project["id"], originals["job/run.yaml"], modified_name="v.yaml")
    trashed = await service.variant(
        project["id"], originals["config/a.yaml"], modified_name="trashed.yaml"
    )
    assert (await service.http.delete(f"/modified-files/{trashed['id']}")).status_code == 204

    async def found(**params: str) -> list[tuple[str, str]]:
        return [
            (r["file"]["path"], r["file"]["id"])
            for r in await search(service, project, "llama", **params)
        ]

    variants = [("config/a.yaml", variant["id"]), ("job/v.yaml", job["id"])]
    assert await found(scope="variants") == variants
    assert await found(scope="variants", file_type="job") == variants[1:]
    assert [path for path, _ in await found()] == sorted(FILES)
    both = await search(service, project, "llama", scope="all", limit=1)
    assert [(row["file"]["path"], row["file"]["kind"]) for row in both] == [
        *(
            ("config/a.yaml", "original"),
            ("config/a.yaml", "variant"),
            ("config/b.json", "original"),
        ),
        *(("config/broken.yaml", "original"), ("config/chart.yaml", "original")),
        *(("job/run.yaml", "original"), ("job/v.yaml", "variant")),
    ]
    await service.put(f"/modified-files/{variant['id']}", {"content": "model: gemma\n"})
    assert await found(scope="variants") == variants[1:]


async def test_what_a_sync_adds_and_removes_is_found_at_once(service: Service) -> None:
    repository = service.repository("acme/bench", FILES)
    project = await service.synced("acme/bench")
    kept = await service.variant(
        project["id"], (await service.files(project["id"]))["config/a.yaml"]
    )
    assert positions(await search(service, project, "llama")) == TEXT
    await service.sync(project["id"])
    assert positions(await search(service, project, "llama")) == TEXT
    repository.commit(
        {"config/a.yaml": None, "config/new.yaml": b"model: llama\n", "config/b.json": b"{}\n"}
    )
    await service.sync(project["id"])
    assert positions(await search(service, project, "llama")) == [
        *TEXT[3:5],
        ("config/new.yaml", 1, 8, "model"),
        TEXT[5],
    ]
    assert [
        row["file"]["id"] for row in await search(service, project, "llama", scope="variants")
    ] == [kept["id"]]
    # Between two searches one sync changes files, and a later one finds the same.
    repository.commit({"config/new.yaml": None})
    await service.sync(project["id"])
    await service.sync(project["id"])
    assert positions(await search(service, project, "llama")) == [*TEXT[3:6]]


async def test_texts_are_compared_after_nfkc_and_case_folding(service: Service) -> None:
    text = f"# {normalize('NFD', '설정')} x설정\nname: Straße \uff21\n"
    service.repository("acme/korean", {"config/a.yaml": text.encode()})
    project = await service.synced("acme/korean")
    assert positions(await search(service, project, "설정")) == [("config/a.yaml", 1, 3, None)]
    assert positions(await search(service, project, normalize("NFD", "x설정"))) == [
        ("config/a.yaml", 1, 10, None)
    ]
    assert positions(await search(service, project, "STRASSE a", **{"in": "values"})) == [
        ("config/a.yaml", 2, 7, "name")
    ]


@pytest.mark.parametrize("q", ["", "  ", "\0", "a\nb", "x" * 1001])
async def test_a_query_that_cannot_be_one_is_refused(reading: Service, held: Json, q: str) -> None:
    answer = await reading.http.get(f"/projects/{held['id']}/search", params={"q": q})
    assert fields_at_fault(answer) == {"q"}


@pytest.mark.parametrize(
    "params", [{"in": "names"}, {"scope": "trash"}, {"limit": "0"}, {"cursor": "x"}, {}]
)
async def test_wrong_parameters_are_refused(
    reading: Service, held: Json, params: dict[str, str]
) -> None:
    given = {"q": "a", **params} if params else {}
    code = "invalid_cursor" if "cursor" in params else "invalid_request"
    answer = await reading.http.get(f"/projects/{held['id']}/search", params=given)
    assert fields_at_fault(answer, code) == ({*params} or {"q"})


@pytest.mark.parametrize(
    "values",
    [
        *(
            None,
            1,
            "abcd",
            [],
            {},
            ["a", "original", "b"],
            ["a", "original", "b", None, None],
            {"a": 1, "b": 2},
        ),
        *(
            ["a", [], "b", None],
            ["a", {}, "b", None],
            ["a", None, "b", None],
            ["a", "file", "b", None],
        ),
        *([1, "original", "b", None], [["a"], "original", "b", None], ["a", "original", 1, None]),
        *(["a", "original", "b", True], ["a", "original", "b", 1.5], ["a", "original", "b", "1"]),
        *(["\ud800", "original", "b", 1], ["a", "original", "\ud800", 1], [[[]], [[]], [[]], [[]]]),
    ],
)
async def test_a_cursor_of_another_shape_is_refused(
    reading: Service, held: Json, values: object
) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    answer = await reading.http.get(
        f"/projects/{held['id']}/search", params={"q": "a", "cursor": cursor}
    )
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


async def test_a_project_that_is_not_there_is_not_searched(reading: Service) -> None:
    assert_problem(
        await reading.http.get(f"/projects/{'0' * 24}/search?q=a"), 404, "project_not_found"
    )


async def test_a_line_of_a_megabyte_and_a_million_matches_stay_small(service: Service) -> None:
    files = {
        "config/long.yaml": b'a: "' + b"x \x1b " * 250_000 + b'"\n',
        "config/many.yaml": b"- x\n" * 50_000,
    }
    service.repository("acme/hostile", files)
    project = await service.synced("acme/hostile")
    answer = await service.http.get(
        f"/projects/{project['id']}/search", params={"q": "x", "limit": 1000}
    )
    assert len(answer.content) < 200_000
    first, second = answer.json()
    assert (first["matches"][0]["line"], first["matches"][0]["column"]) == (1, 5)
    assert "\x1b" not in first["matches"][0]["excerpt"]
    assert [match["line"] for match in second["matches"]] == list(range(1, 1000))
    answer = await service.http.get(answer.links["next"]["url"])
    assert [match["line"] for match in answer.json()[0]["matches"]] == list(range(1000, 2000))
