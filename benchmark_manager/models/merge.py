"""What becomes of a variant when its original moved."""

from typing import Final, Literal

from pydantic import Field, JsonValue

from benchmark_manager.models.record import Record

Side = Literal["base", "theirs", "mine"]

#: Ends the path of a conflict of comments.
COMMENT_SUFFIX: Final = " (comment)"


class MergeConflict(Record):
    """One place where a person must decide.

    With a path, `base`, `theirs` and `mine` are JSON values, or the source text of what JSON has no
    form for; a side which has nothing there is null and named in `absent`. Without a path they are
    the texts of the lines. A path that ends with ` (comment)` is of the comments of an entry, with
    their texts.
    """

    path: str | None = Field(
        description="Null for a conflict of lines; ends with ` (comment)` for one of the comments of an entry.",
        examples=["spec.parallelism", "spec.parallelism (comment)"],
    )
    base: JsonValue
    theirs: JsonValue
    mine: JsonValue
    absent: tuple[Side, ...] = Field(
        default=(), description="The sides which have nothing at this path."
    )
    line: int | None = Field(
        default=None, description="In theirs, from 1; null where theirs has nothing there."
    )


class Merge(Record):
    """The merge of three texts.

    `nothing`: upstream did not move, `content` is mine. `text`: merged by lines. `keys`: my changes
    were made again in theirs' text, key by key. `conflict`: `content` is null, `conflicts` say what
    is open.
    """

    outcome: Literal["nothing", "text", "keys", "conflict"]
    content: str | None
    conflicts: tuple[MergeConflict, ...] = ()


class Resolution(Record):
    """A person's decision about one conflict; `value` counts for `take: value` only."""

    path: str | None
    take: Literal["theirs", "mine", "value"]
    value: JsonValue = None
