"""The indexes of every collection, and making them."""

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.translation import translated

#: Seconds for which a webhook's delivery is remembered.
REMEMBERED_SECONDS: Final = 86_400
#: Seconds for which failed sign-ins count, and for which a link to set up the service is good.
FAILURES_SECONDS: Final = 3600
SETUP_LINK_SECONDS: Final = 30 * 86_400
#: Seconds for which the codes of command lines that were used are known; they are valid for 60.
USED_CODE_SECONDS: Final = 3600

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
        # The same without releases that only sweeps made.
        IndexModel(
            [
                *(("project_ids", ASCENDING), ("cells_only", ASCENDING)),
                *(("created_at", DESCENDING), ("_id", DESCENDING)),
            ]
        ),
    ],
    "release_makings": [
        IndexModel([("digest", ASCENDING), ("number", ASCENDING)], unique=True),
        IndexModel([("sweep_id", ASCENDING)], sparse=True),
    ],
    "release_files": [
        IndexModel(
            [("digest", ASCENDING), ("provenance", ASCENDING), ("number", ASCENDING)], unique=True
        ),
        IndexModel([("touched_at", ASCENDING)], sparse=True),
        # Of cells alone.
        IndexModel([("base", ASCENDING)], sparse=True),
    ],
    "base_lists": [
        IndexModel([("provenance", ASCENDING), ("number", ASCENDING)], unique=True),
        IndexModel([("touched_at", ASCENDING)]),
    ],
    "sweeps": [
        # The order of lists.
        IndexModel([("project_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)])
    ],
    "sweep_versions": [
        IndexModel([("sweep_id", ASCENDING), ("number", ASCENDING)], unique=True),
        IndexModel([("bases.sha", ASCENDING)]),
    ],
    "sweep_cells": [
        # The order of lists; each index exists once.
        IndexModel([("sweep_id", ASCENDING), ("place", ASCENDING)], unique=True),
        IndexModel([("texts.problems_id", ASCENDING)], sparse=True),
        # The cells that a result is of.
        IndexModel([("digest", ASCENDING)]),
    ],
    "results": [
        # The same bytes for the same release and run are one result; counts by release.
        IndexModel(
            [
                *(("project_id", ASCENDING), ("release", ASCENDING)),
                *(("run_id", ASCENDING), ("sha256", ASCENDING)),
            ],
            unique=True,
        ),
        # The order of lists.
        IndexModel(
            [
                *(("project_id", ASCENDING), ("deleted_at", ASCENDING)),
                *(("created_at", DESCENDING), ("_id", DESCENDING)),
            ]
        ),
        IndexModel([("release", ASCENDING)]),
        IndexModel([("sha256", ASCENDING)]),
        IndexModel([("deleted_at", ASCENDING)], sparse=True),
    ],
    "parsed_results": [
        IndexModel([("project_id", ASCENDING), ("release", ASCENDING)]),
        IndexModel([("version", ASCENDING)]),
    ],
    "result_chunks": [IndexModel([("touched_at", ASCENDING)])],
    "receipts": [
        IndexModel([("project_id", ASCENDING)]),
        # The newest one of a token.
        IndexModel(
            [
                *(("token_id", ASCENDING), ("release", ASCENDING), ("project_id", ASCENDING)),
                ("at", DESCENDING),
            ]
        ),
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
    "accounts": [
        # A local account's name, or the issuer and subject of any other.
        IndexModel([("identity", ASCENDING)], unique=True),
        # The order of lists.
        IndexModel([("name_key", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("groups", ASCENDING)]),
    ],
    "grants": [
        # The order of lists; who has a grant to a project has one.
        IndexModel([("project_id", ASCENDING), ("grantee", ASCENDING)], unique=True),
        IndexModel([("grantee", ASCENDING)]),
    ],
    "sessions": [
        IndexModel([("hash", ASCENDING)], unique=True),
        # The order of lists.
        IndexModel([("account_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    "api_tokens": [
        # The orders of lists.
        IndexModel([("account_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)]),
    ],
    "federation_rules": [
        IndexModel(
            [
                *(("issuer", ASCENDING), ("audience", ASCENDING)),
                *(("subject", ASCENDING), ("match", ASCENDING)),
            ],
            unique=True,
        )
    ],
    "audit": [
        # The order of lists, of all records and of those that filters leave.
        IndexModel([("at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("project_id", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("actor_keys", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("object_keys", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
    ],
    "sign_in_attempts": [IndexModel([("at", ASCENDING)], expireAfterSeconds=FAILURES_SECONDS)],
    "setup_links": [IndexModel([("created_at", ASCENDING)], expireAfterSeconds=SETUP_LINK_SECONDS)],
    "used_codes": [IndexModel([("used_at", ASCENDING)], expireAfterSeconds=USED_CODE_SECONDS)],
}


#: Indexes that the embedded server does without, by collection: there, each one adds half to the
#: time of an insert. It sorts in memory, and only sweeps and filters of the audit need the others:
#: they read whole collections instead.
_ON_MONGODB_ALONE: Final[Mapping[str, frozenset[str]]] = {
    "files": frozenset({"project_id_1_removed_at_1_path_1__id_1", "sha_1", "problems_id_1"}),
    "blobs": frozenset({"touched_at_1"}),
    "problems": frozenset({"touched_at_1"}),
    "result_chunks": frozenset({"touched_at_1"}),
    "parsed_results": frozenset({"version_1"}),
    "releases": frozenset({"project_ids_1_cells_only_1_created_at_-1__id_-1"}),
    "base_lists": frozenset({"touched_at_1"}),
    "audit": frozenset({"actor_keys_1_at_-1__id_-1", "object_keys_1_at_-1__id_-1"}),
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
