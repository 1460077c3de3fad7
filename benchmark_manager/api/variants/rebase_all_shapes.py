"""Shapes of rebasing many variants."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from benchmark_manager import messages
from benchmark_manager.api.http.shapes import ID, SHA, RequestBody
from benchmark_manager.domain.fields import LONGEST_CURSOR, LONGEST_ID, LONGEST_OBJECT_ID
from benchmark_manager.models.page import PageRequest
from benchmark_manager.services.variants.rebase_all import (
    ChosenVariant,
    RebaseOutcome,
    RebaseReport,
    RebaseSelection,
    VariantRebase,
)

_MOST = 1000


class ChosenVariantRequest(RequestBody):
    """A variant as a preview reported it."""

    id: str = Field(max_length=LONGEST_ID, examples=[ID])
    revision: int = Field(
        strict=True, ge=1, description="Another one by now: `stale`.", examples=[3]
    )
    theirs_sha: str = Field(
        max_length=LONGEST_OBJECT_ID,
        description="Another one by now: `upstream_moved`.",
        examples=[SHA],
    )


class RebaseAllRequest(RequestBody):
    """Which variants to rebase; empty: all of the project whose originals changed."""

    original_file_id: str | None = Field(
        default=None, max_length=LONGEST_ID, description="Only variants of this one."
    )
    drift: Literal["behind"] = Field(
        default="behind",
        description="Those whose originals changed, also those in conflict, which are reported "
        "as `conflicts`.",
    )
    dry_run: bool = Field(
        default=False, description="Change nothing, and report what would become of each."
    )
    variants: list[ChosenVariantRequest] | None = Field(
        default=None,
        max_length=_MOST,
        fail_fast=True,
        description="Only these, and only as a preview reported them. Those that 20 seconds do "
        "not suffice for are in `left`.",
    )
    limit: int = Field(default=_MOST, strict=True, ge=1, le=_MOST, description="Variants at most.")
    cursor: str | None = Field(
        default=None, max_length=LONGEST_CURSOR, description="`next_cursor` of a call before."
    )

    @model_validator(mode="after")
    def _one_selection(self) -> Self:
        if self.variants is not None and (
            self.original_file_id is not None or self.cursor is not None
        ):
            raise ValueError("variants goes neither with original_file_id nor with cursor")
        return self

    def selection(self) -> RebaseSelection:
        if self.variants is None:
            return RebaseSelection(self.original_file_id)
        return RebaseSelection(chosen=[ChosenVariant(**dict(variant)) for variant in self.variants])

    def page(self) -> PageRequest:
        return PageRequest(self.limit, self.cursor)


class FailedRebaseAnswer(BaseModel):
    """A variant that could not be rebased."""

    id: str = Field(examples=[ID])
    code: str = Field(
        description="As a rebase of this one alone would answer: `stale`, `invalid_content`, "
        "`modified_file_not_found`, or `service_busy`, after which it may be sent again."
    )
    detail: str = Field(description="One sentence which says what to do.")


class OutlinedChangeAnswer(BaseModel):
    """A change by key, shortened."""

    path: str = Field(examples=["engine.max_model_len"])
    kind: Literal["changed", "added", "removed"]
    before: str | None = Field(
        description="JSON on one line, at most 80 characters; null for what was added."
    )
    after: str | None = Field(description="The same; null for what was removed.")


class RebasePreviewAnswer(BaseModel):
    """What a rebase would do with one variant."""

    id: str = Field(examples=[ID])
    path: str = Field(examples=["config/llama-tp4.yaml"])
    revision: int
    outcome: RebaseOutcome
    code: str | None = Field(description="With `failed`.")
    theirs_sha: str | None = Field(
        description="Git blob id of the original now; null with some that fail."
    )
    changes: list[OutlinedChangeAnswer] = Field(
        description="What the rebase changes in it: the first 5."
    )
    changes_count: int | None = Field(
        description="All of them; null where the texts cannot be compared by key."
    )
    conflicts: list[str | None] = Field(
        description="Where a person must decide: the first 5 paths; null for lines."
    )
    conflicts_count: int


class RebaseAllAnswer(BaseModel):
    """The variants of this call by their results; with `dry_run`, by what the results would be."""

    rebased: list[str] = Field(examples=[[ID]])
    conflicts: list[str] = Field(
        description="A person must decide: `GET /modified-files/{modified_file_id}/merge`."
    )
    unchanged: list[str] = Field(
        description="They were based on the present text of their originals already."
    )
    failed: list[FailedRebaseAnswer]
    total: int = Field(
        description="How many variants were selected when the call began, also those before "
        "`cursor`."
    )
    next_cursor: str | None = Field(
        description="The cursor of those that are left; null: there are none."
    )
    left: list[str] = Field(
        description="Of `variants`, those that were not begun in time: send them again."
    )
    preview: list[RebasePreviewAnswer] | None = Field(description="With `dry_run`: each in detail.")


def rebase_all_answer(report: RebaseReport, *, dry_run: bool) -> RebaseAllAnswer:
    return RebaseAllAnswer(
        rebased=report.ids("rebased"),
        conflicts=report.ids("conflict"),
        unchanged=report.ids("unchanged"),
        failed=[
            FailedRebaseAnswer(
                id=variant.id, code=variant.error.code, detail=messages.detail(variant.error)
            )
            for variant in report.variants
            if variant.error is not None
        ],
        total=report.total,
        next_cursor=report.next_cursor,
        left=list(report.left),
        preview=[_preview(variant) for variant in report.variants if variant.file is not None]
        if dry_run
        else None,
    )


def _preview(variant: VariantRebase) -> RebasePreviewAnswer:
    assert variant.file is not None  # noqa: S101 -- asked for those which have one
    outline = variant.outline
    return RebasePreviewAnswer(
        id=variant.id,
        path=variant.file.path,
        revision=variant.file.revision,
        outcome=variant.outcome,
        code=None if variant.error is None else variant.error.code,
        theirs_sha=variant.theirs_sha,
        changes=[
            OutlinedChangeAnswer(
                path=change.path, kind=change.kind, before=change.before, after=change.after
            )
            for change in outline.changes
        ],
        changes_count=outline.changes_count,
        conflicts=list(outline.conflicts),
        conflicts_count=outline.conflicts_count,
    )
