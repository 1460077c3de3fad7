"""Merges of variants with their changed originals."""

from typing import Final, Literal

from pydantic import Field, JsonValue

from benchmark_manager.models.record import Record

Side = Literal["base", "theirs", "mine"]

#: Ends the path of a conflict of comments.
COMMENT_SUFFIX: Final = " (comment)"


class MergeConflict(Record):
    """One conflict, on which a person must decide.

    With a path, `base`, `theirs` and `mine` are JSON values, or the source text of what JSON cannot
    express; a side that has nothing there is null and named in `absent`. Without a path they are
    the texts of the lines. A path that ends with ` (comment)` is of the comments of an entry, with
    their texts.
    """

    path: str | None = Field(
        description="Null for a conflict of lines; ends with ` (comment)` for one of the comments "
        "of an entry.",
        examples=["spec.parallelism", "spec.parallelism (comment)"],
    )
    base: JsonValue
    theirs: JsonValue
    mine: JsonValue
    absent: tuple[Side, ...] = Field(
        default=(), description="The sides that have nothing at this path."
    )
    line: int | None = Field(
        default=None, description="In theirs, from 1; null where theirs has nothing there."
    )


class Merge(Record):
    """The merge of three texts.

    `nothing`: upstream did not change, `content` is mine. `text`: merged by lines. `keys`: the
    changes of mine were applied to the text of theirs, key by key. `conflict`: `content` is null,
    and `conflicts` are what a person must decide.
    """

    outcome: Literal["nothing", "text", "keys", "conflict"]
    content: str | None
    conflicts: tuple[MergeConflict, ...] = ()


class Resolution(Record):
    """A person's decision about one conflict; `value` counts for `take: value` only."""

    path: str | None
    take: Literal["theirs", "mine", "value"]
    value: JsonValue = None
