"""Databases that released versions wrote, as `support.make_old_database` kept them."""

import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient

Json = dict[str, Any]

DATA = Path(__file__).resolve().parents[1] / "data"
_CODEC: CodecOptions[Json] = CodecOptions(tz_aware=True)


@dataclass(frozen=True, slots=True)
class OldDatabase:
    """What a version answered by address, and every document that it stored."""

    version: str
    answers: Mapping[str, Json]
    documents: Mapping[str, list[Json]]

    async def load(self, url: str) -> None:
        """Write the documents into the empty database of this URL.

        Deliveries are of today: MongoDB deletes those of more than a day ago at any moment.
        """
        today = {"created_at": datetime.now(UTC)}
        async with AsyncMongoClient[Json](url, serverMonitoringMode="poll") as client:
            for name, rows in self.documents.items():
                changed = today if name == "webhook_deliveries" else {}
                await client.get_default_database()[name].insert_many(
                    [{**row, **changed} for row in rows]
                )


def old_database(name: str, github_url: str) -> OldDatabase:
    """The kept database of this name, as if its GitHub had been at `github_url`."""
    rows = bson.decode_file_iter(
        io.BytesIO(gzip.decompress((DATA / f"{name}.bson.gz").read_bytes())), _CODEC
    )
    header = next(rows)
    documents: dict[str, list[Json]] = {}
    for row in rows:
        documents.setdefault(row["collection"], []).append(
            _moved(row["document"], header["github_url"], github_url)
        )
    answers = _moved(header["answers"], header["github_url"], github_url)
    return OldDatabase(header["version"], answers, documents)


def _moved(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: _moved(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, old, new) for item in value]
    return value.replace(old, new) if isinstance(value, str) else value
