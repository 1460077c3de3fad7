"""Variants in the database, without a service that made them."""

import functools
from datetime import UTC, datetime
from typing import Final

from bson import ObjectId

from benchmark_manager.models.variant import Variant
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.variants.variants import VariantStore

NOW: Final = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROJECT: Final = "65f0c0ffee65f0c0ffee65f0"


def variant(number: int = 0, **fields: object) -> Variant:
    values = {
        "id": str(ObjectId()),
        "project_id": PROJECT,
        "original_file_id": str(ObjectId()),
        "original_path": "config/a.yaml",
        "modified_name": f"{number:05}.yaml",
        "file_type": "config",
        "format": "yaml",
        "description": "",
        "base_sha": "b" * 40,
        "base_commit_sha": "c" * 40,
        "content_sha": "d" * 40,
        "content_sha256": "e" * 64,
        "size": 1,
        "revision": 1,
        "drift": "current",
        "validity": "valid",
        "problems": (),
        "created_at": NOW,
        "updated_at": NOW,
        "created_by": "ada",
        "updated_by": "ada",
    }
    return Variant.model_validate({**values, **fields})


async def store(database: Database, files: list[Variant]) -> None:
    for start in range(0, len(files), 1000):
        some = files[start : start + 1000]
        await database.transaction(functools.partial(VariantStore(database).insert, some))
