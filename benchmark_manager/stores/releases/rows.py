"""Files of releases as they are stored."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmark_manager.domain.releases.digest import PREFIX
from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.stores.database.database import Document

#: Files in one document, and bytes of their paths: MongoDB limits a document to 16 MiB.
_CHUNK_FILES: Final = 500
_CHUNK_PATHS: Final = 1_000_000
#: Fields that only files of sweeps have.
_OF_SWEEPS: Final = frozenset({"sweep_id", "assignments"})


def digits_of(digest: str) -> str:
    """Return a digest as it is stored, without its prefix."""
    return digest.removeprefix(PREFIX)


def release_files(document: Mapping[str, Any]) -> list[ReleaseFile]:
    """Return the files of a stored document.

    Earlier versions stored the fields of sweeps in each row.
    """
    if "assignments" in document:
        common = {
            "sweep_id": document["sweep_id"],
            "assignments": json.loads(document["assignments"]),
        }
        return [ReleaseFile(**row, **common) for row in document["files"]]
    return [_release_file(row) for row in document["files"]]


def _release_file(row: Mapping[str, Any]) -> ReleaseFile:
    if row.get("assignments") is None:
        return ReleaseFile(**row)
    return ReleaseFile(**{**row, "assignments": json.loads(row["assignments"])})


def chunks(files: Sequence[ReleaseFile]) -> Iterator[Document]:
    """Yield documents of bounded size that hold the files, in order.

    The files of a cell have the fields of its sweep once: assignments may be long, and files many.
    """
    rows: list[Document] = []
    size = number = 0
    first = files[0] if files else None
    for file in files:
        length = len(file.path.encode())
        is_full = len(rows) >= _CHUNK_FILES or size + length > _CHUNK_PATHS
        if first is not None and rows and (is_full or file.sweep_id != first.sweep_id):
            yield _chunk(number, first, rows)
            rows, size, number, first = [], 0, number + 1, file
        rows.append({name: value for name, value in file if name not in _OF_SWEEPS})
        size += length
    yield _chunk(number, first, rows)


def _chunk(number: int, first: ReleaseFile | None, rows: Sequence[Document]) -> Document:
    chunk = {"number": number, "first": "" if first is None else first.path, "files": rows}
    if first is None or first.sweep_id is None:
        return chunk
    # As text, since people name the axes, and JSON has numbers that MongoDB does not have.
    return {**chunk, "sweep_id": first.sweep_id, "assignments": json.dumps(first.assignments)}
