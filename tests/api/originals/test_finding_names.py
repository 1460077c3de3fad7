"""Lists are searched regardless of case and Unicode form; stored names stay exact."""

from unicodedata import normalize

import pytest
import pytest_asyncio
from bson import ObjectId

from benchmark_manager.stores.projects.projects import ProjectStore
from support.problems import assert_problem
from support.service import Json, Service

COMPOSED = "설정"
DECOMPOSED = normalize("NFD", COMPOSED)
PATHS = [
    *(f"config/{DECOMPOSED}.yaml", "config/Straße.yaml", "config/ﬁnal.yaml", "config/plain.yaml"),
    *("config/\uff21\uff11.yaml", f"job/{COMPOSED}.yaml"),
]


async def project_with(service: Service, paths: list[str]) -> Json:
    service.repository("acme/odd", dict.fromkeys(paths, b"a: 1\n"))
    return await service.synced("acme/odd")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def odd_names(module_service: Service) -> Json:
    """A project which the tests only read."""
    return await project_with(module_service, PATHS)


async def found(service: Service, project: Json, query: str, of: str = "files") -> list[str]:
    rows = await service.rows(f"/projects/{project['id']}/{of}", q=query, limit=2)
    return [row["path"] for row in rows]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        (COMPOSED, [f"config/{DECOMPOSED}.yaml", f"job/{COMPOSED}.yaml"]),
        (DECOMPOSED, [f"config/{DECOMPOSED}.yaml", f"job/{COMPOSED}.yaml"]),
        ("STRASSE", ["config/Straße.yaml"]),
        ("straße.YAML", ["config/Straße.yaml"]),
        ("final", ["config/ﬁnal.yaml"]),
        ("\uff411", ["config/\uff21\uff11.yaml"]),
        ("\uff30\uff2c\uff21\uff29\uff2e", ["config/plain.yaml"]),
        ("/", sorted(PATHS)),
    ],
    ids=[
        "composed",
        "decomposed",
        "capitals",
        "eszett",
        "ligature",
        "full width",
        "plain by full width",
        "all",
    ],
)
async def test_originals_are_found_in_whichever_form(
    module_service: Service, odd_names: Json, query: str, paths: list[str]
) -> None:
    assert await found(module_service, odd_names, query) == paths
    answer = await module_service.http.get(
        f"/projects/{odd_names['id']}/files", params={"q": query, "limit": 1}
    )
    assert answer.headers["x-total-count"] == str(len(paths))


async def test_the_embedded_database_finds_the_same(embedded_service: Service) -> None:
    project = await project_with(embedded_service, PATHS)
    assert await found(embedded_service, project, COMPOSED) == [
        f"config/{DECOMPOSED}.yaml",
        f"job/{COMPOSED}.yaml",
    ]
    assert await found(embedded_service, project, "final") == ["config/ﬁnal.yaml"]
    assert await found(embedded_service, project, "/") == sorted(PATHS)


async def test_filters_hold_beside_a_search(module_service: Service, odd_names: Json) -> None:
    path = f"/projects/{odd_names['id']}/files"
    rows = await module_service.rows(path, q=COMPOSED, file_type="job")
    assert [row["path"] for row in rows] == [f"job/{COMPOSED}.yaml"]


async def test_variants_are_found_in_whichever_form(service: Service) -> None:
    service.repository("acme/names", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/names")
    [file] = (await service.files(project["id"])).values()
    for name in (f"{DECOMPOSED}.yaml", "Größe.yaml", "a.yaml"):
        await service.variant(project["id"], file, modified_name=name)
    assert await found(service, project, COMPOSED, "modified-files") == [
        f"config/{DECOMPOSED}.yaml"
    ]
    assert await found(service, project, "GRÖSSE", "modified-files") == ["config/Größe.yaml"]
    assert await found(service, project, "YAML", "modified-files") == [
        *("config/Größe.yaml", "config/a.yaml", f"config/{DECOMPOSED}.yaml")
    ]


async def test_a_project_is_found_by_its_name_in_another_form(service: Service) -> None:
    made = await service.project("acme/a", name=DECOMPOSED)
    rows = (await service.http.get("/projects", params={"q": COMPOSED})).json()
    assert [(row["id"], row["name"]) for row in rows] == [(made["id"], DECOMPOSED)]


@pytest.mark.parametrize(
    ("first", "second"), [(DECOMPOSED, COMPOSED), ("straße", "STRASSE"), ("m2", "m²")]
)
async def test_a_name_in_another_form_is_taken(service: Service, first: str, second: str) -> None:
    await service.project("acme/a", name=first)
    body = {"name": second, "github_repo_url": "acme/b"}
    answer = await service.http.post("/projects", json=body)
    assert_problem(answer, 409, "project_name_taken")
    assert f"a project named {first!r} already" in answer.json()["detail"]
    other = await service.project("acme/b", name="for now")
    answer = await service.http.put(f"/projects/{other['id']}", json={"name": second})
    assert f"a project named {first!r} already" in answer.json()["detail"]


async def test_names_that_differed_in_an_earlier_version_stay_and_are_found(
    service: Service,
) -> None:
    """It folded by case alone, so both may be there."""
    first = await service.project("acme/a", name=COMPOSED)
    second = await service.project("acme/b", name="for now")
    projects = service.services.database.collection("projects")
    changes = {"name": DECOMPOSED, "name_key": DECOMPOSED.casefold()}
    await projects.update_one({"_id": ObjectId(second["id"])}, {"$set": changes})
    store = ProjectStore(service.services.database)
    assert (await store.fold_names(), await store.fold_names()) == (1, 0)
    rows = (await service.http.get("/projects", params={"q": COMPOSED})).json()
    assert {row["id"]: row["name"] for row in rows} == {
        first["id"]: COMPOSED,
        second["id"]: DECOMPOSED,
    }
    changed = await service.put(f"/projects/{second['id']}", {"polling_interval": 60})
    assert (changed["name"], changed["polling_interval"]) == (DECOMPOSED, 60)
    renamed = await service.put(f"/projects/{second['id']}", {"name": "새 이름"})
    assert renamed["name"] == "새 이름"


async def test_a_release_gives_a_file_by_its_path_in_another_form(service: Service) -> None:
    paths = [f"config/{DECOMPOSED}.yaml", "config/s\u0307\u0323.yaml", "config/\u1e61\u0323.yaml"]
    service.repository(
        "acme/names", {path: f"a: {number}\n".encode() for number, path in enumerate(paths)}
    )
    project = await service.synced("acme/names")
    release = await service.post(f"/projects/{project['id']}/releases", {"name": "r"}, 201)
    files = f"/releases/{release['digest']}/files"
    assert (await service.http.get(f"{files}/config/{COMPOSED}.yaml")).content == b"a: 0\n"
    assert (await service.http.get(f"{files}/config/\u1e61\u0323.yaml")).content == b"a: 2\n"
    problem = assert_problem(
        await service.http.get(f"{files}/config/\u1e69.yaml"), 409, "release_file_ambiguous"
    )
    assert problem["detail"].count(".yaml") == 3
    assert_problem(
        await service.http.get(f"{files}/config/S\u0307\u0323.yaml"), 404, "release_file_not_found"
    )
    assert_problem(
        await service.http.get(f"{files}/config/none.yaml"), 404, "release_file_not_found"
    )
