"""Cells of sweeps are releases that share a list of files; on both databases."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta

import bson
import pytest
from bson import ObjectId

from benchmark_manager.domain.releases.derived import with_replacements
from benchmark_manager.domain.releases.digest import provenance_id, release_digest
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.release import CellMaking, ReleaseFile
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.events.changes import ChangeStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from support.cells import (
    NOW,
    a_file,
    a_project,
    cell,
    cell_of,
    draft,
    dropped,
    files,
    held,
    made_by_hand,
    made_by_sweep,
)
from support.database_commands import noted_commands
from support.reused_database import lent_database

BASE = files(4)
LATER = NOW + timedelta(days=2)
PAGE = PageRequest(limit=50, cursor=None)


def whole(one: CellMaking, base: Sequence[ReleaseFile] = BASE) -> list[ReleaseFile]:
    return with_replacements(base, one.replacements)


def as_by_hand(one: CellMaking) -> list[ReleaseFile]:
    """The files of a cell as a person's release has them."""
    return [file.model_copy(update={"sweep_id": None, "assignments": None}) for file in whole(one)]


def once(found: Sequence[ReleaseFile]) -> Counter[str]:
    return Counter(file.sha for file in found)


@pytest.fixture
def store(database: Database) -> ReleaseStore:
    return ReleaseStore(database)


@pytest.fixture
async def project(database: Database) -> str:
    return await a_project(database)


async def digests(store: ReleaseStore, project: str, *, cells: bool = False) -> set[str]:
    page = await store.page(project, PAGE, None, cells=cells)
    assert page.total == len(page.rows)
    return {release.digest for release in page.rows}


async def test_a_cell_is_read_as_any_release(
    store: ReleaseStore, database: Database, project: str
) -> None:
    odd = {"$set": 1 << 70, "a.b": "\0", "tp": [1.5, None]}
    base = files(1203)
    paths = [base[0].path, base[1100].path]
    one = cell(base, 1, "s", paths)
    replaced = tuple(file.model_copy(update={"assignments": odd}) for file in one.replacements)
    one = one.model_copy(update={"replacements": replaced})
    await made_by_sweep(store, database, draft(project), base, [one, cell(base, 2, "s")])
    release = await store.find(one.digest[:30], None)
    found = await store.files(release)
    assert found == whole(one, base)
    assert release_digest(found) == one.digest
    assert (release.files_count, release.size) == (1203, sum(file.size for file in found))
    assert [await store.file(release, path) for path in paths] == list(replaced)
    assert await store.file(release, base[700].path) == base[700]
    with pytest.raises(NotFoundError):
        await store.file(release, "config/none.yaml")
    [making] = await store.makings(release)
    assert (making.sweep_id, making.provenance) == ("s", one.provenance)


async def test_long_assignments_are_stored_once_however_many_files_a_cell_has(
    store: ReleaseStore, database: Database, project: str
) -> None:
    base = files(50)
    one = cell(base, 1, "s", [file.path for file in base])
    long = {"n": "x" * 15_000}
    replaced = tuple(file.model_copy(update={"assignments": long}) for file in one.replacements)
    one = one.model_copy(update={"replacements": replaced})
    await made_by_sweep(store, database, draft(project), base, [one])
    [stored] = await database.collection("release_files").find({}).to_list()
    assert len(bson.encode(stored)) < 50_000
    assert await store.files(await store.find(one.digest, None)) == list(replaced)


async def test_a_cell_whose_files_each_have_their_assignments_is_read(
    store: ReleaseStore, database: Database, project: str
) -> None:
    """Versions before this one stored them so."""
    base = files(3)
    one = cell(base, 1, "s", [file.path for file in base[:2]])
    await made_by_sweep(store, database, draft(project), base, [one])
    documents = database.collection("release_files")
    [stored] = await documents.find({}).to_list()
    common = {name: stored[name] for name in ("sweep_id", "assignments")}
    rows = [{**row, **common} for row in stored["files"]]
    as_before = {"$set": {"files": rows}, "$unset": dict.fromkeys(common, 1)}
    await documents.update_one({"_id": stored["_id"]}, as_before)
    assert await store.files(await store.find(one.digest, None)) == whole(one, base)


async def test_many_cells_are_made_by_a_few_commands(database_url: str) -> None:
    async with lent_database(database_url) as database:
        store, project = ReleaseStore(database), await a_project(database)
        cells = [cell(BASE, number, "s") for number in range(400)]
        await store.stage_base(provenance_id(BASE), BASE, NOW)

        async def work(session: Session) -> None:
            await store.make_cells(draft(project), cells, session)

        with noted_commands() as commands:
            await database.transaction(work)
    assert 1 < len(commands) < 15, Counter(commands)


async def test_a_list_has_releases_that_only_sweeps_made_when_it_is_asked_for_cells(
    store: ReleaseStore, database: Database, project: str
) -> None:
    """Made by a person in another project, a cell is still a cell in this one."""
    other = await a_project(database)
    cells = [cell(BASE, number, "s") for number in range(3)]
    await made_by_sweep(store, database, draft(project), BASE, cells)
    ordinary = await made_by_hand(store, database, draft(project), BASE)
    await made_by_hand(store, database, draft(project), as_by_hand(cells[1]))
    await made_by_hand(store, database, draft(other), as_by_hand(cells[2]))
    assert await digests(store, project) == {ordinary.digest, cells[1].digest}
    assert await digests(store, other) == {cells[2].digest}
    every = {ordinary.digest, *(one.digest for one in cells)}
    assert await digests(store, project, cells=True) == every


async def test_a_dropped_sweep_takes_what_it_alone_made(database: Database, project: str) -> None:
    """What is pinned or cited stays as if a person had made it; no content is lost or kept."""
    names = ("alone", "pinned", "cited", "by hand before", "by hand after", "by another sweep")
    cells = {name: cell(BASE, number, "s") for number, name in enumerate(names)}

    async def is_cited(asked: Sequence[str], _project: str | None, _session: Session) -> set[str]:
        return {cells["cited"].digest} if cells["cited"].digest[7:] in asked else set()

    store = ReleaseStore(database, is_cited=is_cited)
    await made_by_hand(store, database, draft(project), as_by_hand(cells["by hand before"]))
    await made_by_sweep(store, database, draft(project), BASE, list(cells.values()))
    again = [cell(BASE, names.index("by another sweep"), "t")]
    await made_by_sweep(store, database, draft(project), BASE, again)
    await made_by_hand(store, database, draft(project), as_by_hand(cells["by hand after"]))
    pinned = await store.find(cells["pinned"].digest, None)

    async def pin(session: Session) -> None:
        await store.change(pinned.model_copy(update={"pinned": True}), session)

    await database.transaction(pin)
    await dropped(store, database, "s")
    staying = {one.digest for name, one in cells.items() if name != "alone"}
    assert await digests(store, project, cells=True) == staying
    assert await digests(store, project) == staying - {cells["by another sweep"].digest}
    with pytest.raises(NotFoundError):
        await store.find(cells["alone"].digest, None)
    del cells["alone"]
    releases = {name: await store.find(one.digest, None) for name, one in cells.items()}
    assert [name for name, release in releases.items() if not await store.files(release)] == []
    makings = {
        name: (release.makings_count, len(await store.makings(release)))
        for name, release in releases.items()
    }
    assert makings == dict.fromkeys(releases, (1, 1))
    expected = once(BASE)
    for name, one in cells.items():
        expected += once(whole(one) if name.startswith("by hand") else one.replacements)
    assert await held(database) == expected
    made = await made_by_hand(store, database, draft(project), as_by_hand(cells["by hand after"]))
    assert (made.makings_count, [row.number for row in await store.makings(made)]) == (2, [1, 2])
    await dropped(store, database, "t")
    assert await digests(store, project, cells=True) == staying - {again[0].digest}


async def test_equal_cells_of_several_sweeps_can_be_made_at_once(
    store: ReleaseStore, database: Database, project: str
) -> None:
    async def sweep(sweep_id: str) -> None:
        cells = [cell(BASE, number, sweep_id) for number in range(5)]
        await made_by_sweep(store, database, draft(project), BASE, cells)

    sweeps = [f"s{number}" for number in range(4)]
    await asyncio.gather(*map(sweep, sweeps))
    found = [await store.find(cell(BASE, number, "").digest, None) for number in range(5)]
    assert [release.makings_count for release in found] == [4] * 5
    makings = await store.makings(found[0])
    assert {making.sweep_id for making in makings} == set(sweeps)
    await asyncio.gather(*(dropped(store, database, each) for each in sweeps))
    assert await digests(store, project, cells=True) == set()
    assert await held(database) == once(BASE)


async def test_a_sweep_of_many_cells_is_dropped_in_parts(database: Database, project: str) -> None:
    """MongoDB ends a transaction that takes longer than a minute."""
    # Of the embedded database, what two queries find.
    at_once = 100
    store = ReleaseStore(database, dropped_at_once=at_once)
    cells = [cell(BASE, number, "s") for number in range(at_once + 30)]
    await made_by_sweep(store, database, draft(project), BASE, cells)
    twice = [
        cell_of(
            BASE,
            "s",
            [file.model_copy(update={"assignments": {"n": "again"}}) for file in one.replacements],
        )
        for one in cells
    ]
    await made_by_sweep(store, database, draft(project), BASE, twice)

    async def work(session: Session) -> bool:
        return await store.drop_cells("s", session)

    left = []
    while await database.transaction(work):
        left.append(await database.collection("releases").count_documents({}))
    assert left[0] >= 30
    assert left[-1] == 0
    assert await held(database) == once(BASE)


async def test_lists_that_nothing_refers_to_are_swept_a_day_later(
    store: ReleaseStore, database: Database, project: str
) -> None:
    """As after a crash between staging and the transaction."""
    await store.stage_base(provenance_id(BASE), BASE, NOW)
    assert await store.sweep_files(NOW + timedelta(hours=23)) == 0
    one = cell(BASE, 1, "s")
    await made_by_sweep(store, database, draft(project), BASE, [one])
    assert await store.sweep_files(LATER) == 0
    assert await held(database) == once([*BASE, *one.replacements])
    await dropped(store, database, "s")
    assert await held(database) == once(BASE)
    assert await store.sweep_files(LATER) == 1
    assert await held(database) == {}


async def test_cells_of_a_deleted_project_are_swept_unless_they_are_pinned(
    store: ReleaseStore, database: Database, project: str
) -> None:
    cells = [cell(BASE, number, "s") for number in range(30)]
    await made_by_sweep(store, database, draft(project), BASE, cells[:-1])
    await made_by_sweep(store, database, draft(project, pinned=True), BASE, cells[-1:])
    await database.collection("projects").delete_one({"_id": ObjectId(project)})
    await store.sweep(project)
    assert await digests(store, project, cells=True) == {cells[-1].digest}
    assert await held(database) == once([*BASE, *cells[-1].replacements])


async def test_a_cell_that_a_deleted_project_made_too_goes_with_the_last_sweep(
    store: ReleaseStore, database: Database, project: str
) -> None:
    other = await a_project(database)
    await made_by_sweep(store, database, draft(project), BASE, [cell(BASE, 1, "s")])
    await made_by_sweep(store, database, draft(other), BASE, [cell(BASE, 1, "t")])
    await database.collection("projects").delete_one({"_id": ObjectId(project)})
    await store.sweep(project)
    assert len(await digests(store, other, cells=True)) == 1
    await dropped(store, database, "t")
    assert [release async for release in store.every()] == []
    assert await held(database) == once(BASE)


async def test_a_making_that_a_version_without_sweeps_adds_keeps_its_contents(
    store: ReleaseStore, database: Database, project: str
) -> None:
    """It serves for a while beside this one, and counts contents of new releases only."""
    one = cell(BASE, 1, "s")
    await made_by_sweep(store, database, draft(project), BASE, [one])
    ours = {"sweep_id", "assignments"}
    found = [file.model_dump(exclude=ours) for file in as_by_hand(one)]
    known = {"digest": one.digest[7:], "provenance": "of an older version"}
    chunk = {**known, "number": 0, "first": found[0]["path"], "files": found}
    await database.collection("release_files").insert_one(chunk)
    making = {**draft(project).model_dump(exclude={"pinned"}), **known, "number": 2}
    await database.collection("release_makings").insert_one(
        {**making, "project_id": ObjectId(project)}
    )
    await dropped(store, database, "s")
    await store.sweep_files(LATER)
    assert await digests(store, project) == {one.digest}
    assert await held(database) == once(whole(one))
    assert len(await store.files(await store.find(one.digest, None))) == len(BASE)


async def test_new_cells_are_no_changes_that_clients_receive(
    store: ReleaseStore, database: Database, project: str
) -> None:
    changes = ChangeStore(database)
    async with aclosing(changes.follow(None)) as feed:
        _, begin = await anext(feed)
    cells = [cell(BASE, number, "s") for number in range(30)]
    await made_by_sweep(store, database, draft(project), BASE, cells)
    made = await made_by_hand(store, database, draft(project), [a_file("a.yaml", "a: 1\n")])
    async with aclosing(changes.follow(None)) as feed:
        _, end = await anext(feed)
    missed = await changes.between(begin, end, 10)
    assert [(change.noun, change.id, change.what) for change in missed] == [
        ("release", made.digest, "created")
    ]
