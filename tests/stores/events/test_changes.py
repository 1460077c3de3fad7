"""Changes come in the order of their commits, each once, from any position; on both databases."""

import asyncio
from contextlib import aclosing

import pytest
from bson import ObjectId

from benchmark_manager.errors import ChangesLostError
from benchmark_manager.models.change import Change
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.events.changes import ChangeStore
from support.waiting import GENEROUS


async def reset(database: Database, project: ObjectId, session: Session | None = None) -> None:
    """A change of a project, as small as there is one."""
    await database.collection("resets").insert_one({"project_id": project}, session=session)


def deleted(project: ObjectId) -> Change:
    return Change(noun="modified_file", project_id=str(project), id=None, what="deleted")


async def test_a_transaction_is_reported_when_it_commits_however_late(database: Database) -> None:
    """Whoever has seen a later write must not have passed it."""
    late, early = ObjectId(), ObjectId()
    written, seen = asyncio.Event(), asyncio.Event()

    async def work(session: Session) -> None:
        await reset(database, late, session)
        written.set()
        await seen.wait()

    await database.collection("resets").insert_one({"project_id": ObjectId()})
    async with aclosing(ChangeStore(database).follow(None)) as feed, asyncio.timeout(GENEROUS):
        await anext(feed)
        transaction = asyncio.create_task(database.transaction(work))
        await written.wait()
        await reset(database, early)
        heard: list[Change] = []
        while len(heard) < 2:
            heard += (await anext(feed))[0]
            seen.set()
        await transaction
    assert heard == [deleted(early), deleted(late)]


async def test_what_lies_between_two_positions_is_reported_whole_and_bounded(
    database: Database,
) -> None:
    changes, projects = ChangeStore(database), [ObjectId() for _ in range(5)]
    async with aclosing(changes.follow(None)) as feed:
        _, begin = await anext(feed)
    for project in projects[:4]:
        await reset(database, project)
    async with aclosing(changes.follow(None)) as feed:
        _, end = await anext(feed)
    await reset(database, projects[4])
    missed = await changes.between(begin, end, 100)
    assert missed[:4] == [deleted(project) for project in projects[:4]]
    assert await changes.between(end, end, 100) in ([], [deleted(projects[4])])
    with pytest.raises(ChangesLostError):
        await changes.between(begin, end, 2)
    with pytest.raises(ChangesLostError):
        await changes.between("00", end, 2)
