"""Variants as syncs read and write them. Syncs never write their contents."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bson import ObjectId
from pymongo import UpdateOne

from benchmark_manager.models.original import FILE_FORMATS, FILE_TYPES, FileFormat, FileType
from benchmark_manager.models.record import known_word
from benchmark_manager.models.variant import DRIFTS, Drift, drift_counts, variant_path
from benchmark_manager.stores.database.database import ROWS_AT_ONCE, Database, Document, Session
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.variants.variants import VariantStore

_BATCH: Final = 1000
_FIELDS: Final = (
    *("original_path", "modified_name", "file_type", "format"),
    *("base_sha", "content_sha", "drift"),
)


@dataclass(frozen=True, slots=True)
class Follower:
    """The fields of a variant that a sync reads.

    It may write `original_path`, `file_type` and `drift`.
    """

    id: str
    original_file_id: str
    original_path: str
    modified_name: str
    file_type: FileType
    format: FileFormat
    base_sha: str
    content_sha: str
    drift: Drift

    @property
    def path(self) -> str:
        """The original's folder and the variant's own name."""
        return variant_path(self.original_path, self.modified_name)

    def at(self, original_path: str, file_type: FileType, drift: Drift) -> "Follower":
        """Return the variant after a change of its original."""
        return replace(self, original_path=original_path, file_type=file_type, drift=drift)


class FollowerStore(Store):
    """The `modified_files` collection, as far as syncs write it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._files = VariantStore(database).collection

    async def of(
        self, project_id: str, original_ids: Collection[str], session: Session | None
    ) -> list[Follower]:
        """Return the variants of these originals of a project."""
        if not original_ids:
            return []
        fields = dict.fromkeys((*_FIELDS, "original_file_id"), 1)
        match = {"project_id": ObjectId(project_id)}
        rows = self._files.find(match, fields, session=session, batch_size=ROWS_AT_ONCE)
        return [
            Follower(
                str(row["_id"]),
                str(row["original_file_id"]),
                **_known({name: row[name] for name in _FIELDS}),
            )
            async for row in rows
            if str(row["original_file_id"]) in original_ids
        ]

    async def drifts(self, project_id: str, session: Session) -> dict[Drift, int]:
        """Return how many variants of a project there are of each drift, zeros included."""
        pipeline: list[Document] = [
            {"$match": {"project_id": ObjectId(project_id)}},
            {"$group": {"_id": "$drift", "count": {"$sum": 1}}},
        ]
        rows = await self._files.aggregate(pipeline, session=session)
        return drift_counts({row["_id"]: row["count"] async for row in rows})

    async def move(self, followers: Sequence[Follower], session: Session) -> None:
        """Store changed variants that this transaction has read; their paths must be free."""
        for start in range(0, len(followers), _BATCH):
            await self._files.bulk_write(
                [
                    UpdateOne(
                        {"_id": ObjectId(follower.id)},
                        {
                            "$set": {
                                "original_path": follower.original_path,
                                "path": follower.path,
                                "file_type": follower.file_type,
                                "drift": follower.drift,
                            }
                        },
                    )
                    for follower in followers[start : start + _BATCH]
                ],
                ordered=False,
                session=session,
            )


def _known(fields: Document) -> dict[str, Any]:
    """Return the fields; words of newer versions are read as the models read them."""
    return {
        **fields,
        "file_type": known_word(fields["file_type"], FILE_TYPES, "config"),
        "format": known_word(fields["format"], FILE_FORMATS, "yaml"),
        "drift": known_word(fields["drift"], DRIFTS, "conflict"),
    }
