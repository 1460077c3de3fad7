"""Two projects that release the same content make one release, with two makings."""

from dataclasses import dataclass

import pytest
import pytest_asyncio

from support.problems import assert_problem, fields_at_fault
from support.released import MEMBERS, make_release
from support.service import Json, Service


@dataclass(frozen=True)
class MadeTwice:
    #: The ids of the projects, in the order in which they made the release.
    projects: tuple[str, str]
    #: The release after its first making, and after its second.
    first: Json
    second: Json

    @property
    def path(self) -> str:
        return f"/releases/{self.first['digest']}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(module_service: Service, project: Json) -> MadeTwice:
    """A release that a second project makes after a commit which changes none of its files."""
    first = await make_release(module_service, project, name="first", description="one")
    repository = module_service.github.hosting["acme/bench"].repository
    repository.commit({"README.md": b"more"}, message="nothing of ours changes")
    other = await module_service.synced("acme/bench", name="other")
    second = await make_release(module_service, other, 200, name="second", pinned=True)
    return MadeTwice((project["id"], other["id"]), first, second)


async def test_equal_content_is_one_release_whoever_makes_it(made: MadeTwice) -> None:
    kept = (
        *("digest", "name", "description", "project_id", "created_at", "created_by"),
        "files",
    )
    assert {name: made.second[name] for name in kept} == {name: made.first[name] for name in kept}
    assert (made.second["pinned"], made.second["makings_count"]) == (True, 2)
    assert [(m["number"], m["name"], m["project_id"]) for m in made.second["makings"]] == [
        (1, "first", made.projects[0]),
        (2, "second", made.projects[1]),
    ]


async def test_each_making_has_the_origins_of_its_own_files(
    module_service: Service, made: MadeTwice
) -> None:
    origins = (await module_service.get(made.path, making=2))["files"]
    assert [row["path"] for row in origins] == [row["path"] for row in made.first["files"]]
    originals = await module_service.files(made.projects[1])
    upstream = {row["commit_sha"] for row in originals.values()}
    assert {row["commit_sha"] for row in origins} == upstream
    assert {row["commit_sha"] for row in made.first["files"]}.isdisjoint(upstream)


async def test_an_absent_making_is_not_found(module_service: Service, made: MadeTwice) -> None:
    answer = await module_service.http.get(made.path, params={"making": 3})
    assert_problem(answer, 404, "making_not_found")


@pytest.mark.parametrize("making", ["0", "x", "9" * 30], ids=["zero", "text", "30 digits"])
async def test_what_is_no_number_of_a_making_is_refused(
    module_service: Service, made: MadeTwice, making: str
) -> None:
    answer = await module_service.http.get(made.path, params={"making": making})
    assert fields_at_fault(answer) == {"making"}


@pytest.mark.parametrize("maker", [0, 1], ids=["first", "second"])
async def test_each_project_lists_the_release(
    module_service: Service, made: MadeTwice, maker: int
) -> None:
    rows = await module_service.rows(f"/projects/{made.projects[maker]}/releases")
    assert rows == [{name: made.second[name] for name in MEMBERS}]
