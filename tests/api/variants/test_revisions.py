"""Revisions of modified files: every change made one, and each can be restored."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId

from benchmark_manager.stores.database.database import Database
from github_test_server import Repository
from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service

#: What a revision keeps of its variant.
KEPT = (
    "modified_name",
    "description",
    "content_sha256",
    "size",
    "base_sha",
    "base_commit_sha",
)


@pytest.fixture(scope="module")
def repository(module_service: Service, files: dict[str, bytes]) -> Repository:
    return module_service.repository("acme/bench", files)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, repository: Repository) -> Json:
    assert repository.branches()
    return await module_service.synced("acme/bench")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def variant(module_service: Service, project: Json) -> Json:
    original = (await module_service.files(project["id"]))["config/a.yaml"]
    return await module_service.variant(
        project["id"], original, modified_name="v.yaml", description="first"
    )


def address(variant: Json) -> str:
    return f"/modified-files/{variant['id']}"


async def kinds(service: Service, variant: Json) -> list[str]:
    return [row["what"] for row in await service.rows(f"{address(variant)}/revisions")]


async def test_every_change_makes_a_revision_which_says_what_it_was(
    service: Service, variant: Json
) -> None:
    steps: list[tuple[str, Json]] = [
        ("edited", {"content": "a: 1\n"}),
        ("renamed", {"modified_name": "w.yaml"}),
        ("edited", {"description": "second"}),
        ("edited", {"content": "a: 2\n", "modified_name": "x.yaml"}),
        ("renamed", {"description": "third", "modified_name": "y.yaml"}),
    ]
    kinds = ["created", *(what for what, _ in steps)]
    actors = ["anonymous", *(f"actor {number}" for number in range(5))]
    states = [variant]
    for actor, (_, body) in zip(actors[1:], steps, strict=True):
        answer = await service.http.put(address(variant), json=body, headers={"X-Actor": actor})
        states.append(answer.json())
    expected = [
        {
            "number": number,
            "what": what,
            **{name: state[name] for name in KEPT},
            "created_at": state["updated_at"],
            "created_by": who,
        }
        for number, (what, who, state) in enumerate(zip(kinds, actors, states, strict=True), 1)
    ]
    rows = await service.rows(f"{address(variant)}/revisions")
    assert rows == expected[::-1]
    whole = [await service.get(f"{address(variant)}/revisions/{n}") for n in range(1, 7)]
    assert whole == [
        {**row, "content": state["content"]} for row, state in zip(expected, states, strict=True)
    ]


async def test_a_save_without_a_change_or_with_an_error_makes_no_revision(
    service: Service, variant: Json
) -> None:
    await service.put(
        address(variant),
        {name: variant[name] for name in ("modified_name", "content", "description")},
    )
    assert_problem(
        await service.http.put(address(variant), json={"content": "x: [\n"}), 422, "invalid_content"
    )
    assert await kinds(service, variant) == ["created"]


async def test_a_revision_is_restored_whole_as_a_new_one(service: Service, variant: Json) -> None:
    await service.put(
        address(variant), {"content": "a: 1\n", "modified_name": "w.yaml", "description": "other"}
    )
    answer = await service.http.post(
        f"{address(variant)}/restore", json={"revision": 1}, headers={"X-Actor": "ada"}
    )
    assert answer.status_code == 200
    restored = answer.json()
    changing = {"revision", "updated_at", "updated_by"}
    assert {name for name in variant if restored[name] != variant[name]} <= changing
    assert (restored["revision"], restored["updated_by"]) == (3, "ada")
    assert restored == await service.get(address(variant))
    assert (await service.http.get(address(variant))).headers["etag"] == answer.headers["etag"]
    assert await kinds(service, variant) == ["restored", "edited", "created"]


async def test_restoring_the_present_state_makes_no_revision(
    service: Service, variant: Json
) -> None:
    path = f"{address(variant)}/restore"
    assert [await service.post(path, {"revision": 1}, 200) for _ in range(2)] == [variant] * 2
    changed = await service.put(address(variant), {"description": "x"})
    back = await service.put(address(variant), {"description": variant["description"]})
    assert await service.post(path, {"revision": 1}, 200) == back
    assert (changed["revision"], back["revision"]) == (2, 3)


async def test_a_restored_revision_has_its_base_and_its_drift_is_that_of_now(
    service: Service, repository: Repository, project: Json, variant: Json
) -> None:
    await service.put(address(variant), {"content": "mine: 1\n"})
    repository.commit({"config/a.yaml": b"model: theirs\n"}, message="upstream")
    await service.sync(project["id"])
    restored = await service.post(f"{address(variant)}/restore", {"revision": 1}, 200)
    assert restored["drift"] in {"behind", "conflict"}
    assert restored["base_sha"] == variant["base_sha"]
    repository.commit({"config/a.yaml": b"model: llama\n"}, message="and back")
    await service.sync(project["id"])
    assert (await service.post(f"{address(variant)}/restore", {"revision": 2}, 200))[
        "drift"
    ] == "current"
    repository.commit({"config/a.yaml": None}, message="gone")
    await service.sync(project["id"])
    assert (await service.post(f"{address(variant)}/restore", {"revision": 1}, 200))[
        "drift"
    ] == "upstream_removed"


async def test_what_was_accepted_once_is_restored_though_it_does_not_parse(
    service: Service, variant: Json
) -> None:
    saved = await service.http.put(
        address(variant), json={"content": "a: [\n"}, params={"allow_invalid": "true"}
    )
    assert saved.status_code == 200
    assert (await service.put(address(variant), {"content": "a: []\n"}))["validity"] == "valid"
    restored = await service.post(f"{address(variant)}/restore", {"revision": 2}, 200)
    assert (restored["validity"], restored["problems"]) == ("invalid", saved.json()["problems"])


async def test_a_restoration_to_a_name_taken_meanwhile_changes_nothing(
    service: Service, project: Json, variant: Json
) -> None:
    renamed = await service.put(address(variant), {"modified_name": "w.yaml", "content": "a: 1\n"})
    original = (await service.files(project["id"]))["config/a.yaml"]
    await service.variant(project["id"], original, modified_name="v.yaml")
    answer = await service.http.post(f"{address(variant)}/restore", json={"revision": 1})
    assert_problem(answer, 409, "name_taken")
    assert await service.get(address(variant)) == renamed
    assert await kinds(service, variant) == ["edited", "created"]


async def test_a_stale_restoration_changes_nothing(service: Service, variant: Json) -> None:
    seen = {"If-Match": (await service.http.get(address(variant))).headers["etag"]}
    changed = await service.put(address(variant), {"content": "a: 1\n"})
    answer = await service.http.post(
        f"{address(variant)}/restore", json={"revision": 1}, headers=seen
    )
    assert assert_problem(answer, 412, "stale")["current_revision"] == 2
    assert await service.get(address(variant)) == changed


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "2",
        "01",
        "-1",
        "1.0",
        "x",
        "%00",
        "9" * 12,
        pytest.param("9" * 500, id="500 digits"),
        pytest.param("\N{SUPERSCRIPT TWO}", id="superscript"),
    ],
)
async def test_a_revision_which_is_not_there_is_a_404(
    module_service: Service, variant: Json, number: str
) -> None:
    answer = await module_service.http.get(f"{address(variant)}/revisions/{number}")
    assert_problem(answer, 404, "revision_not_found")


@pytest.mark.parametrize("number", [2, 10**30])
async def test_a_revision_which_is_not_there_cannot_be_restored(
    module_service: Service, variant: Json, number: int
) -> None:
    answer = await module_service.http.post(
        f"{address(variant)}/restore", json={"revision": number}
    )
    assert_problem(answer, 404, "revision_not_found")


@pytest.mark.parametrize(
    "body", [{}, *({"revision": wrong} for wrong in (0, -1, "1", 1.5, None, True))], ids=str
)
async def test_what_is_no_number_of_a_revision_is_refused(
    module_service: Service, variant: Json, body: Json
) -> None:
    answer = await module_service.http.post(f"{address(variant)}/restore", json=body)
    assert fields_at_fault(answer) == {"revision"}


async def test_a_revision_has_an_etag_and_never_changes(service: Service, variant: Json) -> None:
    path = f"{address(variant)}/revisions/1"
    first = await service.http.get(path)
    await service.put(address(variant), {"content": "a: 1\n"})
    again = await service.http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_pages_of_revisions_hold_each_once(service: Service, variant: Json) -> None:
    for number in range(11):
        await service.put(address(variant), {"description": str(number)})
    answer = await service.http.get(f"{address(variant)}/revisions", params={"limit": 5})
    assert (answer.headers["x-total-count"], len(answer.json())) == ("12", 5)
    rows = await service.rows(f"{address(variant)}/revisions", limit=5)
    assert [row["number"] for row in rows] == list(range(12, 0, -1))


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA"])
async def test_a_cursor_which_no_list_of_revisions_gave_is_refused(
    module_service: Service, variant: Json, cursor: str
) -> None:
    path = f"{address(variant)}/revisions"
    answer = await module_service.http.get(path, params={"cursor": cursor})
    assert fields_at_fault(answer, "invalid_cursor") == {"cursor"}


def database_of(service: Service) -> Database:
    return service.services.database


async def forget_revisions(service: Service, variant: Json) -> None:
    """As a version which kept no revisions has left the file behind."""
    key = ObjectId(variant["id"])
    await database_of(service).collection("revisions").delete_many({"modified_file_id": key})
    await (
        database_of(service)
        .collection("modified_files")
        .update_one({"_id": key}, {"$unset": {"recorded": 1}})
    )


async def test_a_file_without_stored_revisions_shows_its_present_state(
    service: Service, variant: Json
) -> None:
    changed = await service.put(address(variant), {"content": "old: 1\n"})
    await forget_revisions(service, variant)
    [row] = await service.rows(f"{address(variant)}/revisions")
    assert (row["number"], row["content_sha256"], row["created_at"]) == (
        2,
        changed["content_sha256"],
        changed["updated_at"],
    )
    assert (await service.get(f"{address(variant)}/revisions/2"))["content"] == "old: 1\n"
    await service.get(f"{address(variant)}/revisions/1", 404)


async def _edit(service: Service, path: str) -> None:
    await service.put(path, {"content": "new: 1\n"})


async def _delete_and_undelete(service: Service, path: str) -> None:
    await service.http.delete(path)
    await service.post(f"{path}/undelete", None, 200)


async def _reset_and_undo(service: Service, path: str) -> None:
    project_id = (await service.get(path))["project_id"]
    reset = await service.http.delete(f"/projects/{project_id}/modified-files")
    await service.post(
        f"/projects/{project_id}/undo-reset", {"reset_id": reset.json()["reset_id"]}, 200
    )


@pytest.mark.parametrize("change", [_edit, _delete_and_undelete, _reset_and_undo])
async def test_the_first_change_of_a_file_without_stored_revisions_keeps_its_former_state(
    service: Service, variant: Json, change: Callable[[Service, str], Awaitable[None]]
) -> None:
    await service.put(address(variant), {"content": "old: 1\n"})
    await forget_revisions(service, variant)
    await change(service, address(variant))
    oldest = (await service.rows(f"{address(variant)}/revisions"))[-1]
    assert (oldest["number"], oldest["what"]) == (2, "edited")
    restored = await service.post(f"{address(variant)}/restore", {"revision": 2}, 200)
    assert restored["content"] == "old: 1\n"
    numbers = [row["number"] for row in await service.rows(f"{address(variant)}/revisions")]
    assert numbers == list(range(restored["revision"], 1, -1))


async def race(service: Service, variant: Json, rounds: int) -> list[str]:
    """Let two writers save over the same revision, many times; return what the winners wrote."""
    path = address(variant)
    etag = (await service.http.get(path)).headers["etag"]
    won: list[str] = []
    outcomes: list[tuple[int, int, int]] = []
    for number in range(rounds):
        texts = [f"round: {number}\nwriter: {writer}\n" for writer in (1, 2)]
        answers = await asyncio.gather(
            *(
                service.http.put(path, json={"content": text}, headers={"If-Match": etag})
                for text in texts
            )
        )
        (winner, text), (loser, _) = sorted(
            zip(answers, texts, strict=True), key=lambda pair: pair[0].status_code
        )
        stale = assert_problem(loser, 412, "stale")
        outcomes.append((winner.status_code, winner.json()["revision"], stale["current_revision"]))
        won.append(text)
        etag = winner.headers["etag"]
    assert outcomes == [(200, number, number) for number in range(2, rounds + 2)]
    return won


async def race_all(service: Service, files: int, rounds: int) -> None:
    originals = {f"config/{n}.yaml": b"n: %d\n" % n for n in range(files)}
    service.repository("acme/race", originals)
    project = await service.synced("acme/race")
    found = (await service.files(project["id"])).values()
    variants = [await service.variant(project["id"], file) for file in found]
    won = await asyncio.gather(*(race(service, variant, rounds) for variant in variants))
    contents = [(await service.get(address(variant)))["content"] for variant in variants]
    assert contents == [texts[-1] for texts in won]
    histories = [await service.rows(f"{address(variant)}/revisions") for variant in variants]
    numbers = [[row["number"] for row in rows] for rows in histories]
    assert numbers == [list(range(rounds + 1, 0, -1))] * files
    written = [[row["content_sha256"] for row in rows[-2::-1]] for rows in histories]
    assert written == [
        [hashlib.sha256(text.encode()).hexdigest() for text in texts] for texts in won
    ]


@pytest.mark.parametrize(
    ("files", "rounds"), [(3, 4), pytest.param(25, 20, marks=pytest.mark.soak)]
)
async def test_one_of_two_writers_wins_each_time_and_each_winners_text_is_kept(
    service: Service, files: int, rounds: int
) -> None:
    await race_all(service, files, rounds)


async def test_one_of_two_writers_wins_each_time_on_the_embedded_database(
    embedded_service: Service,
) -> None:
    await race_all(embedded_service, 2, 3)


async def test_writers_of_many_variants_of_one_original_all_succeed(
    service: Service, variant: Json
) -> None:
    original = {"id": variant["original_file_id"]}
    more = [
        await service.variant(variant["project_id"], original, modified_name=f"{n}.yaml")
        for n in range(10)
    ]
    bodies: list[Any] = [{"content": f"n: {n}\n"} for n in range(10)]
    answers = await asyncio.gather(
        *(
            service.http.put(address(each), json=body)
            for each, body in zip(more, bodies, strict=True)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["content"] for answer in answers] == [body["content"] for body in bodies]
