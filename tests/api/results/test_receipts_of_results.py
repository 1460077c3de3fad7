"""Which receipt a result has: the one that it names, or the last one of its API token."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.clocks import Clock
from support.guarded import GuardedService, Visitor, guarded_service
from support.problems import assert_problem, fields_at_fault
from support.reused_database import reused_database
from support.service import Json

UNKNOWN: Final = "f" * 24
_numbers: Final = count()


@dataclass(frozen=True)
class TwoReleases:
    """A project with two releases, and a program that may upload."""

    guarded: GuardedService
    clock: Clock
    releases: tuple[str, str]

    async def program(self) -> Visitor:
        """Return a program with a token of its own."""
        return self.guarded.program(await self.guarded.admin.token("editor"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TwoReleases]:
    clock, folder = Clock(), tmp_path_factory.mktemp("receipts")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            guarded_service(url, github, folder, externals=Externals(clock=clock)) as guarded,
        ):
            yield await _two_releases(guarded, clock)


async def _two_releases(guarded: GuardedService, clock: Clock) -> TwoReleases:
    service, admin = guarded.service, guarded.admin
    repository = service.repository("acme/a", {"config/a.yaml": b"a: 1\n"})
    body = {"name": "a", "github_repo_url": "acme/a", "polling_interval": 0}
    path = f"/projects/{(await admin.post('/projects', body))['id']}"
    await admin.post(f"{path}/sync", None, 200)
    whole = await admin.post(f"{path}/releases", {})
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="second")
    await admin.post(f"{path}/sync", None, 200)
    more = await admin.post(f"{path}/releases", {})
    return TwoReleases(guarded, clock, (whole["digest"], more["digest"]))


async def receipt(program: Visitor, digest: str) -> Json:
    found: Json = await program.post(f"/releases/{digest}/receipts", {"digest": digest})
    return found


async def upload(program: Visitor, digest: str, **query: str) -> Any:
    """Upload a file that no test has uploaded before."""
    content = b'{"number": %d, "metrics": {"ttft_p99": 1}}' % next(_numbers)
    return await program.ask(
        "POST",
        "/results",
        params={"release": digest, "file_name": "r.json", **query},
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )


async def receipt_of(program: Visitor, digest: str, **query: str) -> Any:
    """Return the receipt of a new result."""
    answer = await upload(program, digest, **query)
    assert answer.status_code == 201, answer.text
    return answer.json()["receipt"]


async def test_a_result_has_the_last_receipt_of_its_token(project: TwoReleases) -> None:
    program, digest = await project.program(), project.releases[0]
    assert await receipt_of(program, digest) is None
    await receipt(program, digest)
    last = await receipt(program, digest)
    found = await receipt_of(program, digest)
    assert (found["id"], found["status"]) == (last["id"], "verified")


async def test_the_receipt_of_another_token_or_release_is_not_taken(project: TwoReleases) -> None:
    program, other = await project.program(), await project.program()
    await receipt(other, project.releases[0])
    await receipt(program, project.releases[1])
    assert await receipt_of(program, project.releases[0]) is None


async def test_a_result_names_its_receipt(project: TwoReleases) -> None:
    program, other = await project.program(), await project.program()
    named = await receipt(other, project.releases[0])
    await receipt(program, project.releases[0])
    found = await receipt_of(program, project.releases[0], receipt=named["id"])
    assert found["id"] == named["id"]


async def again(program: Visitor, digest: str, content: bytes, **query: str) -> Any:
    """Upload bytes, perhaps once more, and return the result."""
    headers = {"Content-Type": "application/octet-stream"}
    params = {"release": digest, **query}
    answer = await program.ask("POST", "/results", params=params, content=content, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def test_a_repeated_upload_adds_the_receipt_that_it_names(project: TwoReleases) -> None:
    program, other, digest = await project.program(), await project.program(), project.releases[0]
    first = await again(program, digest, b"named later")
    named = await receipt(other, digest)
    second = await again(program, digest, b"named later", receipt=named["id"])
    assert (first["receipt"], second["receipt"]["id"]) == (None, named["id"])
    assert (second["id"], second["revision"]) == (first["id"], 2)
    assert await program.get(f"/results/{first['id']}") == second


async def test_a_repeated_upload_adds_the_last_receipt_of_its_token(project: TwoReleases) -> None:
    program, digest = await project.program(), project.releases[0]
    await again(program, digest, b"found later")
    last = await receipt(program, digest)
    found = await again(program, digest, b"found later")
    assert found["receipt"]["id"] == last["id"]


async def test_a_receipt_that_is_added_is_on_record(project: TwoReleases) -> None:
    program, digest = await project.program(), project.releases[0]
    result = await again(program, digest, b"on record")
    await receipt(program, digest)
    for _ in range(2):
        await again(program, digest, b"on record")
    found = await project.guarded.admin.get("/audit", object=result["id"])
    records = [(row["action"], row["keys"], row["revision"]) for row in found]
    assert records == [("result.edit", ["receipt"], 2), ("result.create", [], 1)]


async def test_a_result_keeps_the_receipt_that_it_has(project: TwoReleases) -> None:
    program, digest = await project.program(), project.releases[0]
    await receipt(program, digest)
    first = await again(program, digest, b"kept")
    later = await receipt(program, digest)
    assert await again(program, digest, b"kept", receipt=later["id"]) == first


async def test_a_result_that_an_upload_restores_gets_its_receipt(project: TwoReleases) -> None:
    program, digest = await project.program(), project.releases[0]
    result = await again(program, digest, b"restored")
    assert (await program.ask("DELETE", f"/results/{result['id']}")).status_code == 204
    last = await receipt(program, digest)
    found = await again(program, digest, b"restored")
    assert (found["receipt"]["id"], found["revision"]) == (last["id"], 3)


async def test_a_receipt_of_another_release_is_refused(project: TwoReleases) -> None:
    program = await project.program()
    named = await receipt(program, project.releases[1])
    answer = await upload(program, project.releases[0], receipt=named["id"])
    assert fields_at_fault(answer, "receipt_mismatch") == {"receipt"}


@pytest.mark.parametrize("named", [UNKNOWN, "no id"])
async def test_an_unknown_receipt_is_not_found(project: TwoReleases, named: str) -> None:
    answer = await upload(await project.program(), project.releases[0], receipt=named)
    assert_problem(answer, 404, "receipt_not_found")


async def test_a_receipt_that_is_a_week_old_is_not_taken_but_may_be_named(
    project: TwoReleases,
) -> None:
    program, digest = await project.program(), project.releases[0]
    old = await receipt(program, digest)
    week = {"days": 7, "seconds": 1}
    project.clock.forward(**week)
    assert await receipt_of(program, digest) is None
    found = await receipt_of(program, digest, receipt=old["id"])
    # The person who makes the tokens of other tests is signed in for less than a week.
    project.clock.forward(**{name: -number for name, number in week.items()})
    assert found["id"] == old["id"]
