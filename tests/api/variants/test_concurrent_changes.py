"""Modified files that several clients change at once."""

import asyncio

import pytest

from support.document_counts import document_counts
from support.problems import assert_problem
from support.service import Json, Service
from support.variant_requests import send_variant

#: All that a project with variants leaves in the database until it is swept.
OF_PROJECTS = (
    "files",
    "modified_files",
    "revisions",
    "trash",
    "resets",
    "syncs",
    "skipped_files",
    "projects",
)


async def test_of_concurrent_saves_none_that_was_acknowledged_is_lost(
    service: Service, originals: dict[str, Json]
) -> None:
    """Different fields, each without If-Match: all are taken, and each is a revision."""
    original = originals["config/a.yaml"]
    variant = await service.variant(original["project_id"], original)
    path = f"/modified-files/{variant['id']}"
    stored: Json = {}
    statuses: list[int] = []
    lost: list[Json] = []
    for number in range(10):
        bodies: list[Json] = [
            {"modified_name": f"{number}.yaml"},
            {"content": f"number: {number}\n"},
            {"description": f"description {number}"},
        ]
        answers = await asyncio.gather(*(service.http.put(path, json=body) for body in bodies))
        statuses += [answer.status_code for answer in answers]
        stored = await service.get(path)
        lost += [body for body in bodies if not body.items() <= stored.items()]
    assert statuses == [200] * 30
    assert lost == []
    assert stored["revision"] == 31


async def test_of_concurrent_creations_with_one_name_exactly_one_wins(
    service: Service, originals: dict[str, Json], project: Json
) -> None:
    statuses: list[list[int]] = []
    winners: list[Json] = []
    refusals: list[str] = []
    for number in range(3):
        tries = [
            send_variant(
                service,
                originals[path],
                modified_name=f"{number}.yaml",
                content=f"writer: {writer}\n",
            )
            for path in ("config/a.yaml", "config/[x].yaml")
            for writer in range(5)
        ]
        answers = await asyncio.gather(*tries)
        statuses.append(sorted(answer.status_code for answer in answers))
        winners += [answer.json() for answer in answers if answer.status_code == 201]
        refusals += [
            assert_problem(answer, 409, "name_taken")["code"]
            for answer in answers
            if answer.status_code != 201
        ]
    assert statuses == [[201] + [409] * 9] * 3
    assert refusals == ["name_taken"] * 27
    assert [await service.get(f"/modified-files/{made['id']}") for made in winners] == winners
    assert len(await service.rows(f"/projects/{project['id']}/modified-files")) == 3


@pytest.mark.parametrize("turn", range(5))
async def test_variants_made_while_their_project_is_deleted_leave_nothing_behind(
    service: Service, originals: dict[str, Json], project: Json, turn: int
) -> None:
    original = originals["config/a.yaml"]
    tries = [send_variant(service, original, modified_name=f"{n}.yaml") for n in range(6)]
    tries.insert(turn, service.http.delete(f"/projects/{project['id']}"))
    assert (await asyncio.gather(*tries))[turn].status_code == 204
    assert (await service.get("/status"))["total_modified_files"] == 0
    await service.services.housekeeping.sweep_deleted_projects()
    assert await document_counts(service, *OF_PROJECTS) == dict.fromkeys(OF_PROJECTS, 0)


@pytest.mark.parametrize("turn", [0, 2, 4, 6])
async def test_a_reset_amid_creations_deletes_whole_variants_only(
    service: Service,
    originals: dict[str, Json],
    project: Json,
    files: dict[str, bytes],
    turn: int,
) -> None:
    """Each variant was created before the reset and is deleted, or after it and is whole.

    The counts add up.
    """
    path, original = f"/projects/{project['id']}/modified-files", originals["config/a.yaml"]
    tries = [send_variant(service, original, modified_name=f"{n}.yaml") for n in range(8)]
    tries.insert(turn, service.http.delete(path))
    answers = await asyncio.gather(*tries)
    assert sorted(answer.status_code for answer in answers) == [200] + [201] * 8
    left = await service.rows(path)
    assert answers[turn].json()["deleted_count"] + len(left) == 8
    contents = [(await service.get(f"/modified-files/{row['id']}"))["content"] for row in left]
    assert contents == [files["config/a.yaml"].decode()] * len(left)
