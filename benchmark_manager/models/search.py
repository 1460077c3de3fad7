"""What a search inside files finds."""

from dataclasses import dataclass
from typing import Final, Literal

from benchmark_manager.models.original import FileFormat, FileType

SearchIn = Literal["text", "keys", "values"]
SearchScope = Literal["originals", "variants", "all"]
FileKind = Literal["original", "variant"]

#: Characters of a query.
LONGEST_QUERY: Final = 1000


@dataclass(frozen=True, slots=True)
class ContentMatch:
    """Where a text has what was searched.

    `line` and `column` count from 1, in characters. `key` is the path of the key there, None where
    the text has none or does not parse. `excerpt` is the line, or a part of a long one, and
    `highlight` the found part of the excerpt. `position` is where the match is in the text, in
    characters without a byte order mark.
    """

    line: int
    column: int
    key: str | None
    excerpt: str
    highlight: tuple[int, int]
    position: int


@dataclass(frozen=True, slots=True)
class SearchedFile:
    """A file whose content is searched; files are searched in the order of `sort_key`.

    One that does not parse, or is a template, has neither keys nor values. `revision` is that of a
    variant.
    """

    id: str
    path: str
    kind: FileKind
    file_type: FileType
    format: FileFormat
    sha: str
    size: int
    parses: bool
    revision: int = 0

    @property
    def sort_key(self) -> tuple[str, FileKind, str]:
        return self.path, self.kind, self.id


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file with its matches, or as many of them as a page has room for."""

    file: SearchedFile
    matches: tuple[ContentMatch, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some of the files that hold what was searched.

    `total` is their number where all were searched for this page; `next_cursor` is that of
    the next page (None: the end).
    """

    rows: tuple[FoundFile, ...]
    total: int | None
    next_cursor: str | None
    #: Files which take too much time to be searched, and so may hold more than is reported.
    missed: int = 0
