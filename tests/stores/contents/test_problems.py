"""Lists of problems, each once, apart from the files that they were found in; on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from benchmark_manager.domain.sync.tree_changes import StoredFile, TreeChanges, UpstreamFile
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.problem import Problem, StoredVerdict, Verdict
from benchmark_manager.models.variant import TrashedVariant, Variant
from benchmark_manager.stores.contents.problems import APART, ProblemStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.sweeping import SWEEP_AGE
from benchmark_manager.stores.operations.sweeps import ContentSweeps
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore
from support.stored_variants import NOW, PROJECT
from support.stored_variants import variant as stored_variant

AGE = SWEEP_AGE + timedelta(milliseconds=1)
ERROR = Problem(
    severity="error",
    code="duplicate_key",
    message="The key größe is there twice.",
    line=3,
    column=1,
)
WARNING = Problem(
    severity="warning", code="odd_value", message="no is read as false.", line=None, column=None
)
INVALID = Verdict(validity="invalid", problems=(ERROR, WARNING))
#: As version 0.1.0 wrote them.
INSIDE = [problem.model_dump() for problem in INVALID.problems]


@pytest.fixture
def problems(database: Database) -> ProblemStore:
    return ProblemStore(database)


@pytest.fixture
def sweeps(database: Database) -> ContentSweeps:
    return ContentSweeps(database)


def verdict(number: int) -> Verdict:
    return Verdict(validity="valid", problems=(WARNING.model_copy(update={"line": number}),))


def file_document(**fields: Any) -> dict[str, Any]:
    return {
        "_id": ObjectId(),
        "project_id": ObjectId(PROJECT),
        "path": "config/a.yaml",
        "removed_at": None,
        "file_type": "config",
        "format": "yaml",
        "sha": "a" * 40,
        "size": 4,
        "validity": "invalid",
        "commit_sha": "c" * 40,
        "last_modified": NOW,
        "synced_at": NOW,
        **fields,
    }


def variant(**fields: Any) -> Variant:
    return stored_variant(**{"validity": "invalid", "problems": INVALID.problems, **fields})


async def test_equal_lists_are_one_document(database: Database, problems: ProblemStore) -> None:
    valid = Verdict(validity="valid")
    template = Verdict(validity="template", problems=INVALID.problems)
    first = await problems.put([INVALID, valid, template], NOW)
    assert [(one.validity, one.errors, one.warnings) for one in first] == [
        ("invalid", 1, 1),
        ("valid", 0, 0),
        ("template", 1, 1),
    ]
    assert first[0].problems_id == first[2].problems_id
    assert first[1].problems_id is None
    assert await ProblemStore(database).put([INVALID], NOW) == first[:1]
    assert await database.collection("problems").count_documents({}) == 1
    assert await problems.get(first[0].problems_id) == INVALID.problems
    assert await problems.get(None) == ()


async def test_many_are_put_and_read(problems: ProblemStore) -> None:
    verdicts = [verdict(number) for number in range(1, 260)]
    stored = await problems.put(verdicts, NOW)
    found = await problems.get_many(one.problems_id for one in stored)
    assert [found[one.problems_id] for one in stored] == [one.problems for one in verdicts]


async def test_a_list_that_is_not_there_is_an_error(problems: ProblemStore) -> None:
    with pytest.raises(KeyError):
        await problems.get("f" * 64)


async def test_a_hundred_problems_take_few_bytes_of_their_files_document(
    database: Database,
) -> None:
    """However many are found, the transaction of a sync writes the same."""
    many = Verdict(
        validity="invalid", problems=tuple(ERROR.model_copy(update={"line": n}) for n in range(100))
    )
    [stored] = await ProblemStore(database).put([many], NOW)
    await add(database, UpstreamFile("config/a.yaml", "a" * 40, 4, "config", "yaml"), stored)
    [row] = await database.collection("files").find({}).to_list()
    assert len(str(row)) < 700
    file = await OriginalFileStore(database).get(PROJECT, str(row["_id"]))
    assert file.problems == many.problems


async def add_project(database: Database) -> None:
    """Lists are those of a project which is there."""
    await database.collection("projects").insert_one({"_id": ObjectId(PROJECT), "name_key": "a"})


async def add(database: Database, file: UpstreamFile, stored: StoredVerdict) -> None:
    changes = TreeChanges((file,), (), (), (), (), 0)
    await apply(database, changes, {file.path: stored})


async def apply(
    database: Database, changes: TreeChanges, verdicts: dict[str, StoredVerdict]
) -> None:
    files = OriginalFileStore(database)
    seen: dict[str, Any] = {"commit_sha": "c" * 40, "committed_at": NOW, "now": NOW}
    await database.transaction(
        lambda session: files.apply(PROJECT, changes, verdicts, **seen, session=session)
    )


async def test_a_sweep_takes_what_nothing_refers_to(
    database: Database, problems: ProblemStore, sweeps: ContentSweeps
) -> None:
    stored = await problems.put([verdict(number) for number in range(1, 6)], NOW - 9 * AGE)
    ids = [one.problems_id for one in stored]
    await database.collection("files").insert_one(file_document(problems_id=ids[0]))
    await database.collection("modified_files").insert_one({"problems_id": ids[1]})
    await database.collection("trash").insert_one({"problems_id": ids[2]})
    await database.collection("trash_bundles").insert_one({"problems_ids": [ids[3]]})
    assert await sweeps.sweep_problems(NOW) == 0, "it is only marked"
    assert await sweeps.sweep_problems(NOW + AGE) == 1
    left = await database.collection("problems").distinct("_id")
    assert sorted(left) == sorted(key for key in ids[:4] if key is not None)


async def test_what_is_put_again_is_not_swept(
    database: Database, problems: ProblemStore, sweeps: ContentSweeps
) -> None:
    await problems.put([INVALID], NOW - 9 * AGE)
    await sweeps.sweep_problems(NOW - AGE)
    [stored] = await ProblemStore(database).put([INVALID], NOW)
    assert await sweeps.sweep_problems(NOW + timedelta(hours=1)) == 0
    assert await problems.get(stored.problems_id) == INVALID.problems


async def test_originals_of_version_0_1_0_are_read_and_rewritten(
    database: Database, problems: ProblemStore
) -> None:
    await add_project(database)
    files = OriginalFileStore(database)
    row = file_document(problems=INSIDE)
    key = str(row["_id"])
    await database.collection("files").insert_one(row)
    assert (await files.get(PROJECT, key)).problems == INVALID.problems
    assert (await files.page(PROJECT, PageRequest())).rows[0].problems == INVALID.problems
    [entry] = await files.entries(PROJECT)
    assert (entry.errors, entry.warnings) == (1, 1)
    verdicts = [verdict(7), Verdict(validity="valid")]
    rewritten = []
    for found in verdicts:
        [stored] = await problems.put([found], NOW)
        old = StoredFile(key, "config/a.yaml", "a" * 40, "config")
        new = UpstreamFile("config/a.yaml", "e" * 40, 4, "config", "yaml")
        await apply(database, TreeChanges((), (), ((old, new),), (), (), 0), {new.path: stored})
        problems_read = (await files.get(PROJECT, key)).problems
        [kept] = await database.collection("files").find({}).to_list()
        [entry] = await files.entries(PROJECT)
        counts = (entry.errors, entry.warnings)
        rewritten.append((problems_read, kept["problems"], "problems_id" in kept, counts))
    assert rewritten == [
        (found.problems, APART, bool(found.problems), (0, len(found.problems)))
        for found in verdicts
    ]


async def test_variants_of_version_0_1_0_are_read_and_rewritten(database: Database) -> None:
    await add_project(database)
    modified = VariantStore(database)
    file = variant()
    await database.transaction(lambda session: modified.insert([file], session))
    rows = database.collection("modified_files")
    await rows.update_one({}, {"$set": {"problems": INSIDE}, "$unset": {"problems_id": ""}})
    await database.collection("problems").delete_many({})
    # Another process: this one knows what it has stored.
    modified, trash = VariantStore(database), TrashStore(database)
    old = await modified.get(file.id)
    assert (
        old.problems
        == (await modified.page(PROJECT, PageRequest())).rows[0].problems
        == INVALID.problems
    )
    later = old.model_copy(update={"description": "why", "revision": 2})
    await database.transaction(lambda session: modified.replace(old, later, "edited", session))
    assert (await modified.get(file.id)).problems == INVALID.problems
    [row] = await rows.find({}).to_list()
    assert row["problems"] == APART
    now = await modified.get(file.id)
    trashed = TrashedVariant(file=now, deleted_at=NOW, deleted_by="a", reset_id=None)
    await database.transaction(lambda session: trash.insert([trashed], session))
    assert (await trash.get(file.id)).file.problems == INVALID.problems


async def test_a_reset_of_variants_of_version_0_1_0_loses_no_problem(database: Database) -> None:
    modified, trash = VariantStore(database), TrashStore(database)
    await database.transaction(lambda session: modified.insert([variant()], session))
    rows = database.collection("modified_files")
    await rows.update_one({}, {"$set": {"problems": INSIDE}, "$unset": {"problems_id": ""}})
    [old] = await modified.of_project(PROJECT)
    trashed = TrashedVariant(file=old, deleted_at=NOW, deleted_by="a", reset_id=str(ObjectId()))
    reset = trashed.reset_id or ""
    await database.transaction(
        lambda session: trash.insert_reset(reset, PROJECT, [trashed], NOW, session)
    )
    await trash.unfold()
    assert (await trash.get(old.id)).file.problems == INVALID.problems
    assert (await trash.page(PROJECT, PageRequest())).rows[0].file.problems == INVALID.problems


async def test_a_file_that_was_too_complex_is_kept_with_that_problem(
    database: Database, problems: ProblemStore
) -> None:
    await add_project(database)
    found = Problem(
        severity="error", code="too_complex", message="Nobody knows whether this text is right."
    )
    [stored] = await problems.put([Verdict(validity="invalid", problems=(found,))], NOW)
    await add(database, UpstreamFile("config/a.yaml", "a" * 40, 4, "config", "yaml"), stored)
    [file] = (await OriginalFileStore(database).page(PROJECT, PageRequest())).rows
    assert (file.validity, file.problems) == ("invalid", (found,))
