"""The indexes of every collection, and making them."""

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.translation import translated

#: Seconds for which a webhook's delivery is remembered.
REMEMBERED_SECONDS: Final = 86_400

INDEXES: Final[Mapping[str, list[IndexModel]]] = {
    "projects": [
        IndexModel([("name_key", ASCENDING)], unique=True),
        IndexModel([("due_rank", ASCENDING), ("next_poll_at", ASCENDING)]),
        IndexModel([("next_poll_at", ASCENDING), ("credential", ASCENDING)]),
        IndexModel([("repository_key", ASCENDING)]),
        IndexModel([("lease_owner", ASCENDING)]),
    ],
    "files": [
        # `removed_at` is null for files in the repository, so each path exists once.
        IndexModel(
            [("project_id", ASCENDING), ("path", ASCENDING), ("removed_at", ASCENDING)], unique=True
        ),
        # The order of lists.
        IndexModel(
            [
                ("project_id", ASCENDING),
                ("removed_at", ASCENDING),
                ("path", ASCENDING),
                ("_id", ASCENDING),
            ]
        ),
        IndexModel([("sha", ASCENDING)]),
        IndexModel([("problems_id", ASCENDING)], sparse=True),
    ],
    "skipped_files": [IndexModel([("project_id", ASCENDING), ("path", ASCENDING)], unique=True)],
    "modified_files": [
        # The order of lists.
        IndexModel([("project_id", ASCENDING), ("path", ASCENDING)], unique=True),
        # Lists of one drift, and counts by drift.
        IndexModel([("project_id", ASCENDING), ("drift", ASCENDING), ("path", ASCENDING)]),
        IndexModel([("original_file_id", ASCENDING)]),
        IndexModel([("content_sha", ASCENDING)]),
        IndexModel([("base_sha", ASCENDING)]),
        IndexModel([("problems_id", ASCENDING)], sparse=True),
    ],
    "revisions": [
        # The order of lists; each number exists once.
        IndexModel([("modified_file_id", ASCENDING), ("place", DESCENDING)], unique=True),
        IndexModel([("project_id", ASCENDING)]),
        IndexModel([("content_sha", ASCENDING)]),
        IndexModel([("base_sha", ASCENDING)]),
    ],
    "trash": [
        # The order of lists.
        IndexModel([("project_id", ASCENDING), ("deleted_at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("deleted_at", ASCENDING)]),
        IndexModel([("problems_id", ASCENDING)], sparse=True),
    ],
    "trash_bundles": [IndexModel([("project_id", ASCENDING)])],
    "resets": [IndexModel([("project_id", ASCENDING)]), IndexModel([("deleted_at", ASCENDING)])],
    "syncs": [
        # The order of lists, and the fields that filter them: only shown documents are read.
        IndexModel(
            [
                *(("project_id", ASCENDING), ("started_at", DESCENDING), ("_id", DESCENDING)),
                *(("status", ASCENDING), ("trigger", ASCENDING)),
            ]
        ),
        IndexModel([("project_id", ASCENDING), ("fence", ASCENDING)]),
        IndexModel([("finished_at", ASCENDING)]),
    ],
    "releases": [
        IndexModel([("digest", ASCENDING)], unique=True),
        # The order of lists.
        IndexModel([("project_ids", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
    ],
    "release_makings": [IndexModel([("digest", ASCENDING), ("number", ASCENDING)], unique=True)],
    "release_files": [
        IndexModel(
            [("digest", ASCENDING), ("provenance", ASCENDING), ("number", ASCENDING)], unique=True
        ),
        IndexModel([("touched_at", ASCENDING)], sparse=True),
    ],
    "file_histories": [
        IndexModel([("project_id", ASCENDING)]),
        IndexModel([("kept_at", ASCENDING)]),
    ],
    "blobs": [IndexModel([("touched_at", ASCENDING)])],
    "problems": [IndexModel([("touched_at", ASCENDING)])],
    "staged_changes": [
        IndexModel([("project_id", ASCENDING), ("fence", ASCENDING), ("number", ASCENDING)])
    ],
    "publications": [IndexModel([("project_id", ASCENDING)])],
    "webhook_deliveries": [
        IndexModel([("created_at", ASCENDING)], expireAfterSeconds=REMEMBERED_SECONDS)
    ],
}


#: Indexes that the embedded server does without, by collection: there, each one adds half to the
#: time of an insert. It sorts in memory, and only sweeps need the others: they read whole
#: collections instead.
_ON_MONGODB_ALONE: Final[Mapping[str, frozenset[str]]] = {
    "files": frozenset({"project_id_1_removed_at_1_path_1__id_1", "sha_1", "problems_id_1"}),
    "blobs": frozenset({"touched_at_1"}),
    "problems": frozenset({"touched_at_1"}),
}


@translated
async def make_indexes(database: Database) -> None:
    """Make the indexes that do not exist yet, and check that the database takes writes."""
    for name, indexes in INDEXES.items():
        collection = database.collection(name)
        embedded = database.kind == "embedded"
        unwanted = _ON_MONGODB_ALONE.get(name, frozenset()) if embedded else frozenset()
        wanted = [index for index in indexes if index.document["name"] not in unwanted]
        if wanted:
            await collection.create_indexes(wanted)
        if unwanted:
            # An earlier version made them.
            for found in unwanted & (await collection.index_information()).keys():
                await collection.drop_index(found)
    await database.check_writes()
