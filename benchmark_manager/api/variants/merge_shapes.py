"""Shapes of merges and comparisons."""

from typing import Literal, Self

from pydantic import BaseModel, Field, JsonValue, model_validator

from benchmark_manager.api.http.shapes import RequestBody
from benchmark_manager.domain.fields import LONGEST_ID, LONGEST_OBJECT_ID
from benchmark_manager.models.merge import MergeConflict, Resolution
from benchmark_manager.services.variants.comparing import VariantComparison
from benchmark_manager.services.variants.merging import MergePreview


class MergeAnswer(BaseModel):
    """What a rebase would do now, and the three texts that it merges."""

    outcome: Literal["nothing", "text", "keys", "conflict"] = Field(
        description="`nothing`: the original did not change. `text`: merged by lines. `keys`: the "
        "variant's changes are applied to the original's text, key by key. `conflict`: a person "
        "must decide."
    )
    content: str | None = Field(description="The merged text; null with `conflict`.")
    conflicts: tuple[MergeConflict, ...]
    base: str = Field(description="The original that the variant was based on.")
    theirs: str = Field(description="The original now.")
    mine: str = Field(description="The variant.")
    theirs_sha: str = Field(description="Git blob id of the original now.")
    theirs_commit_sha: str


def merge_answer(preview: MergePreview) -> MergeAnswer:
    return MergeAnswer(
        **dict(preview.merge),
        base=preview.base,
        theirs=preview.theirs,
        mine=preview.mine,
        theirs_sha=preview.original.sha,
        theirs_commit_sha=preview.original.commit_sha,
    )


class ResolutionRequest(RequestBody):
    """A decision about one conflict."""

    path: str | None = Field(
        max_length=100_000,
        description="As the conflict has it; null for one of lines, in their order.",
    )
    take: Literal["theirs", "mine", "value"]
    value: JsonValue = Field(
        default=None, description="With `take: value`: the value to write there."
    )

    @model_validator(mode="after")
    def _value_is_taken(self) -> Self:
        if ("value" in self.model_fields_set) != (self.take == "value"):
            raise ValueError("value goes with take: value, and only with it")
        return self

    def resolution(self) -> Resolution:
        return Resolution(path=self.path, take=self.take, value=self.value)


class RebaseRequest(RequestBody):
    """How to merge. Empty where the merge is clean; `resolutions` or `content` where it is not."""

    resolutions: list[ResolutionRequest] = Field(
        default_factory=list,
        # Only the first problem is reported, not one for each of 10,000 values.
        fail_fast=True,
        max_length=10_000,
        examples=[[{"path": "spec.parallelism", "take": "mine"}]],
    )
    content: str | None = Field(default=None, description="The whole text, merged by a person.")
    theirs_sha: str | None = Field(
        default=None,
        max_length=LONGEST_OBJECT_ID,
        description="The original at the time of the decisions, as `GET …/merge` returned it; "
        "409 `upstream_moved` if the original has changed. Without it, the decisions apply to "
        "the original as it is now.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.content is not None and self.resolutions:
            raise ValueError("give resolutions or content, not both")
        return self


class ReattachRequest(RequestBody):
    """The original that a variant is attached to."""

    original_file_id: str = Field(
        max_length=LONGEST_ID,
        description="An original of the same project and format that is there upstream.",
        examples=["65f0c0ffee65f0c0ffee65f0"],
    )


class KeyChangeAnswer(BaseModel):
    """One difference by key."""

    path: str = Field(examples=["spec.template.spec.containers[name=main].image"])
    kind: Literal["changed", "added", "removed"]
    before: JsonValue = Field(description="Null for what was added.")
    after: JsonValue = Field(description="Null for what was removed.")


class DiffAnswer(BaseModel):
    """The differences from an earlier text to a variant's."""

    against: str = Field(examples=["base", "original", "revision:3"])
    before_path: str
    after_path: str
    unified: str = Field(
        description="A patch which `git apply` and `patch -p1` take; empty where nothing differs."
    )
    changes: list[KeyChangeAnswer] | None = Field(
        description="By key; null where a side does not parse, or may have over 40,000 values."
    )


def diff_answer(against: str, found: VariantComparison) -> DiffAnswer:
    changes = None
    if found.changes is not None:
        changes = [
            KeyChangeAnswer(
                path=change.path, kind=change.kind, before=change.before, after=change.after
            )
            for change in found.changes
        ]
    return DiffAnswer(
        against=against,
        before_path=found.before_path,
        after_path=found.after_path,
        unified=found.unified,
        changes=changes,
    )
