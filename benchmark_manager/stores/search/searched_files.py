"""Rows of files as searches see them."""

from collections.abc import Sequence

from benchmark_manager.models.original import FILE_FORMATS, FILE_TYPES
from benchmark_manager.models.record import known_word
from benchmark_manager.models.search import FileKind, SearchedFile
from benchmark_manager.stores.database.database import Document


def searched_files(
    rows: Sequence[Document], kind: FileKind, content: str
) -> tuple[SearchedFile, ...]:
    """Return the files in the order of a search; `content` names the field of the content's id."""
    files = [
        SearchedFile(
            id=str(row["_id"]),
            path=row["path"],
            kind=kind,
            file_type=known_word(row["file_type"], FILE_TYPES, "config"),
            format=known_word(row["format"], FILE_FORMATS, "yaml"),
            sha=row[content],
            size=row["size"],
            parses=row["validity"] == "valid",
            revision=row.get("revision", 0),
        )
        for row in rows
    ]
    return tuple(sorted(files, key=lambda file: file.sort_key))
