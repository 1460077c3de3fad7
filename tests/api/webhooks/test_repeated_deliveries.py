"""Deliveries that are repeated, come at the same time, or meet a sync."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from support.hooked import (
    HookedService,
    documents,
    now,
    on_both_databases,
    polled,
    push_to,
    queued,
    stored,
    until_due,
)
from support.problems import assert_problem
from support.service import Json, Service
from support.webhooks import PATH, deliver, encoded, headers


@on_both_databases
@pytest.mark.parametrize(
    ("event", "is_same"),
    [("push", True), ("push", False), ("issues", False)],
    ids=["the same push", "another push", "another event"],
)
async def test_a_repeated_delivery_does_nothing(
    hooked: Service, project: Json, event: str, is_same: bool
) -> None:
    first, delivery = push_to(project, hooked), str(uuid.uuid4())
    assert (await deliver(hooked, first, delivery=delivery)).json()["outcome"] == "queued"
    before = await documents(hooked)
    payload = first if is_same else push_to(project, hooked)
    again = await deliver(hooked, payload, event=event, delivery=delivery)
    assert (again.status_code, again.json()["outcome"], again.json()["projects"]) == (
        202,
        "repeated",
        [],
    )
    assert await documents(hooked) == before


@on_both_databases
async def test_of_deliveries_with_one_id_at_once_exactly_one_is_taken(
    hooked: Service, project: Json
) -> None:
    payload, delivery = push_to(project, hooked), str(uuid.uuid4())
    answers = await asyncio.gather(
        *(deliver(hooked, payload, delivery=delivery) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert sorted(answer.json()["outcome"] for answer in answers) == ["queued"] + ["repeated"] * 9
    assert (await stored(hooked, project))["wishes"] == 1


async def test_what_was_refused_is_not_remembered(hooked: Service, project: Json) -> None:
    body, delivery = encoded(push_to(project, hooked)), str(uuid.uuid4())
    forged = headers(body, delivery=delivery, secret="other")
    assert_problem(await hooked.http.post(PATH, content=body, headers=forged), 401, "bad_signature")
    assert (await deliver(hooked, {"ref": "x"}, delivery=delivery)).status_code == 400
    answer = await hooked.http.post(PATH, content=body, headers=headers(body, delivery=delivery))
    assert answer.json()["outcome"] == "queued"


@asynccontextmanager
async def no_writable_projects(service: Service) -> AsyncIterator[None]:
    """Let the database refuse every change of a project, by a rule of its collection."""
    database = service.services.database.collection("projects").database
    await database.command("collMod", "projects", validator={"_id": {"$exists": False}})
    try:
        yield
    finally:
        await database.command("collMod", "projects", validator={})


async def test_a_delivery_which_could_not_be_stored_whole_may_come_again(
    hooked: Service, project: Json
) -> None:
    """That it was received and what it queued are one transaction."""
    payload, delivery = push_to(project, hooked), str(uuid.uuid4())
    before = await documents(hooked)
    async with no_writable_projects(hooked):
        assert_problem(await deliver(hooked, payload, delivery=delivery), 500, "database_failed")
    assert await documents(hooked) == before
    assert (await deliver(hooked, payload, delivery=delivery)).json()["outcome"] == "queued"


@on_both_databases
async def test_a_delivery_is_forgotten_after_a_day(hooked: Service, project: Json) -> None:
    payload, old, new = push_to(project, hooked), str(uuid.uuid4()), str(uuid.uuid4())
    await deliver(hooked, payload, delivery=old)
    await deliver(hooked, payload, delivery=new)
    deliveries = hooked.services.database.collection("webhook_deliveries")
    day_ago = await now(hooked) - timedelta(days=1)
    await deliveries.update_one(
        {"_id": old}, {"$set": {"created_at": day_ago + timedelta(minutes=5)}}
    )
    assert (await deliver(hooked, payload, delivery=old)).json()["outcome"] == "repeated"
    await deliveries.update_one({"_id": old}, {"$set": {"created_at": day_ago}})
    assert (await deliver(hooked, payload, delivery=old)).json()["outcome"] == "queued"
    assert (await deliver(hooked, payload, delivery=old)).json()["outcome"] == "repeated"
    await deliveries.update_one({"_id": old}, {"$set": {"created_at": day_ago}})
    await hooked.services.housekeeping.run()
    assert [row["_id"] for row in await deliveries.find({}).to_list()] == [new]


@on_both_databases
async def test_ten_pushes_in_a_second_are_due_once(hooked: Service, project: Json) -> None:
    """The first one's time stays; a sync which begins then serves all of them."""
    assert await queued(hooked, push_to(project, hooked))
    due = (await stored(hooked, project))["next_poll_at"]
    later = [await queued(hooked, push_to(project, hooked)) for _ in range(4)]
    assert later == [[project["id"]]] * 4
    answers = await asyncio.gather(*(deliver(hooked, push_to(project, hooked)) for _ in range(5)))
    assert {(answer.status_code, answer.json()["outcome"]) for answer in answers} == {
        (202, "queued")
    }
    document = await stored(hooked, project)
    assert (document["next_poll_at"], document["wishes"], document["due_trigger"]) == (
        due,
        10,
        "webhook",
    )
    await until_due(hooked, project)
    assert await polled(hooked, project) == ["webhook", "manual"]
    assert await polled(hooked, project) == ["webhook", "manual"]


async def test_concurrent_first_pushes_make_one_due_time(hooked: Service, project: Json) -> None:
    answers = await asyncio.gather(*(deliver(hooked, push_to(project, hooked)) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    document = await stored(hooked, project)
    assert document["wishes"] == 10
    assert document["next_poll_at"] <= await now(hooked) + timedelta(seconds=1)


async def test_a_push_never_puts_off_what_a_person_asked_for(
    hooked: Service, project: Json
) -> None:
    await hooked.post("/projects/sync-all", None, 202)
    before = await stored(hooked, project)
    assert await queued(hooked, push_to(project, hooked)) == [project["id"]]
    document = await stored(hooked, project)
    assert (document["next_poll_at"], document["due_trigger"]) == (before["next_poll_at"], "manual")
    assert document["wishes"] == before["wishes"] + 1


async def test_a_push_during_a_sync_starts_another_a_second_later(
    hooked: Service, project: Json
) -> None:
    asked = await now(hooked)
    running = {"lease_owner": "somebody", "lease_until": asked + timedelta(minutes=1)}
    due = {"next_poll_at": asked, "due_trigger": "webhook"}
    await hooked.services.database.collection("projects").update_one(
        {}, {"$set": {**due, **running}}
    )
    assert await queued(hooked, push_to(project, hooked)) == [project["id"]]
    assert (await stored(hooked, project))["next_poll_at"] >= asked + timedelta(seconds=1)


async def test_due_projects_are_claimed_when_the_pause_is_over(
    hooked: Service, shared: HookedService
) -> None:
    await queued(hooked, push_to(shared.project, hooked, branch="dev"))
    assert shared.woken == []
    await queued(hooked, push_to(shared.project, hooked))
    assert shared.woken == [1.0]
