"""Listings of git trees in GitHub's REST API."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from benchmark_manager.github.protocol.answers import (
    GarbledAnswerError,
    GitHubAnswer,
    ObjectId,
    parse_json,
)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry; `path` is relative to the listed tree, and only blobs have a `size`.

    It is no Pydantic model, as a listing may have 100,000 entries.
    """

    path: str
    mode: str
    type: Literal["blob", "tree", "commit"]
    sha: ObjectId
    size: int | None = None


class TreeListing(GitHubAnswer):
    """The listing of a tree; it is not complete where it is `truncated`."""

    sha: ObjectId
    # The first error is enough: errors about each of two million entries take seconds and
    # gigabytes.
    tree: Annotated[tuple[TreeEntry, ...], Field(fail_fast=True)]
    truncated: bool

    model_config = ConfigDict(frozen=True, extra="ignore")


_ENTRIES: Final = TypeAdapter(Annotated[tuple[TreeEntry, ...], Field(fail_fast=True)])


#: Where the list of a listing begins, and one of its entries with what follows it.
_TREE: Final = re.compile(rb'"tree"\s*+:\s*+\[')


_ENTRY: Final = re.compile(
    rb'\s*+(\{[^{}\[\]"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^{}\[\]"]*+)*+\})\s*+([,\]])', re.DOTALL
)


#: A listing up to this size, bytes, is parsed at once; of a longer one, this many entries at once.
_SHORT_LISTING: Final = 1024 * 1024


_ENTRIES_AT_ONCE: Final = 2000


#: Replaces the entries while the rest is parsed; if it is the whole tree then, so were they.
_MARK: Final = b'{"path":"","mode":"mark","type":"tree","sha":"%b"}' % (b"0" * 40)


def parse_tree(body: bytes) -> Generator[None, None, TreeListing]:
    """Parse a listing in steps: 100,000 entries at once would block the event loop for 0.2 s.

    Raises:
        GarbledAnswerError: it is no listing.
    """
    found = _TREE.search(body) if len(body) > _SHORT_LISTING else None
    if found is None:
        return parse_json(body, TreeListing)
    entries: list[TreeEntry] = []
    end = found.end()
    for batch, last in _batches(body, found.end()):
        try:
            entries += _ENTRIES.validate_json(b"[%b]" % b",".join(batch))
        except ValidationError:
            raise GarbledAnswerError("an entry of the tree has another shape") from None
        end = last
        yield
    if not entries or body[end - 1 : end] != b"]":
        # There are no entries, or they hold more than GitHub's do.
        return parse_json(body, TreeListing)
    rest = parse_json(b"%b%b]%b" % (body[: found.end()], _MARK, body[end:]), TreeListing)
    if len(rest.tree) != 1 or rest.tree[0].mode != "mark":
        # The list belonged to another member.
        return parse_json(body, TreeListing)
    return rest.model_copy(update={"tree": tuple(entries)})


def _batches(body: bytes, start: int) -> Iterator[tuple[list[bytes], int]]:
    """Yield the texts of entries from `start` on, and the position after the last one."""
    batch: list[bytes] = []
    at = start
    while (entry := _ENTRY.match(body, at)) is not None:
        batch.append(entry[1])
        at = entry.end()
        if entry[2] == b"]":
            break
        if len(batch) >= _ENTRIES_AT_ONCE:
            yield batch, at
            batch = []
    if batch:
        yield batch, at
