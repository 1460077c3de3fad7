"""The edits of variants: each takes a variant and typed facts, and returns the edited variant.

No edit counts a revision, except `next_revision`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.revision import Revision, RevisionKind
from benchmark_manager.models.variant import Drift, TrashedVariant, Variant


@dataclass(frozen=True, slots=True)
class CheckedContent:
    """A stored content and the verdict on it.

    `problems_id` refers to the stored problems; None where they are not stored yet.
    """

    sha: str
    sha256: str
    size: int
    verdict: Verdict
    problems_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewVariant:
    """What a new variant consists of; `base` is the original whose text it is based on."""

    modified_name: str
    description: str
    content: CheckedContent
    base: OriginalFile
    created_at: datetime
    created_by: str


def created(variant_id: str, new: NewVariant, original: OriginalFile, drift: Drift) -> Variant:
    """Return a new variant of `original`, which may be newer than the variant's base."""
    return Variant(
        id=variant_id,
        project_id=original.project_id,
        original_file_id=original.id,
        original_path=original.path,
        modified_name=new.modified_name,
        file_type=original.file_type,
        format=original.format,
        description=new.description,
        base_sha=new.base.sha,
        base_commit_sha=new.base.commit_sha,
        content_sha=new.content.sha,
        content_sha256=new.content.sha256,
        size=new.content.size,
        revision=1,
        drift=drift,
        validity=new.content.verdict.validity,
        problems=new.content.verdict.problems,
        created_at=new.created_at,
        updated_at=new.created_at,
        created_by=new.created_by,
        updated_by=new.created_by,
    )


#: What people call the fields that an edit of a variant may change.
_FIELDS: Final = {
    "modified_name": "modified_name",
    "description": "description",
    "content_sha": "content",
    "base_sha": "base",
    "original_file_id": "original_file_id",
}


def changed_fields(before: Variant, after: Variant) -> tuple[str, ...]:
    """Return the names of the fields in which two revisions of a variant differ."""
    return tuple(
        name
        for attribute, name in _FIELDS.items()
        if getattr(before, attribute) != getattr(after, attribute)
    )


def renamed(variant: Variant, modified_name: str) -> Variant:
    """Give the variant another file name."""
    return variant.model_copy(update={"modified_name": modified_name})


def described(variant: Variant, description: str) -> Variant:
    """Give the variant another description."""
    return variant.model_copy(update={"description": description})


def with_content(variant: Variant, content: CheckedContent) -> Variant:
    """Give the variant another content and the verdict on it."""
    return variant.model_copy(
        update={
            "content_sha": content.sha,
            "content_sha256": content.sha256,
            "size": content.size,
            "validity": content.verdict.validity,
            "problems": content.verdict.problems,
            "problems_id": content.problems_id,
        }
    )


def with_verdict(variant: Variant, verdict: Verdict) -> Variant:
    """Give the variant another verdict, whose problems are not stored yet."""
    return variant.model_copy(
        update={
            "validity": verdict.validity,
            "problems": verdict.problems,
            "problems_id": None,
        }
    )


def with_drift(variant: Variant, drift: Drift) -> Variant:
    """Give the variant another drift."""
    return variant.model_copy(update={"drift": drift})


def rebased_on(variant: Variant, original: OriginalFile, content: CheckedContent) -> Variant:
    """Base the variant on the original's present text, with a merged content.

    Returns the variant itself where only the original's commit would change.
    """
    rebased = with_content(variant, content).model_copy(
        update={"base_sha": original.sha, "drift": "current"}
    )
    if rebased == variant:
        return variant
    return rebased.model_copy(update={"base_commit_sha": original.commit_sha})


def reattached_to(variant: Variant, original: OriginalFile) -> Variant:
    """Attach the variant to another original and base it on that one's present text."""
    return at_original(variant, original).model_copy(
        update={
            "original_file_id": original.id,
            "base_sha": original.sha,
            "base_commit_sha": original.commit_sha,
            "drift": "current",
        }
    )


def restored(variant: Variant, revision: Revision, base: Revision) -> Variant:
    """Give the variant the name, description and content of a revision, and the base of `base`.

    Drift and verdict stay: they do not follow from a revision.
    """
    return variant.model_copy(
        update={
            "modified_name": revision.modified_name,
            "description": revision.description,
            "content_sha": revision.content_sha,
            "content_sha256": revision.content_sha256,
            "size": revision.size,
            "base_sha": base.base_sha,
            "base_commit_sha": base.base_commit_sha,
        }
    )


def at_original(variant: Variant, original: OriginalFile) -> Variant:
    """Give the variant its original's present path and type."""
    return variant.model_copy(
        update={"original_path": original.path, "file_type": original.file_type}
    )


def deleted(
    variant: Variant, *, at: datetime, by: str, reset_id: str | None = None
) -> TrashedVariant:
    """Return the trash's record of the variant; its deletion is one revision more."""
    return TrashedVariant(file=variant, deleted_at=at, deleted_by=by, reset_id=reset_id)


def next_revision(variant: Variant, *, at: datetime, by: str) -> Variant:
    """Count an edit of the variant as its next revision."""
    return variant.model_copy(
        update={"revision": variant.revision + 1, "updated_at": at, "updated_by": by}
    )


def undeleted(variant: Variant, *, at: datetime, by: str) -> Variant:
    """Count the return from the trash as a revision, after that of the deletion."""
    return variant.model_copy(
        update={"revision": variant.revision + 2, "updated_at": at, "updated_by": by}
    )


def revision_kind(before: Variant, after: Variant) -> RevisionKind:
    """Return which kind of change leads from one variant to the other."""
    if before.original_file_id != after.original_file_id:
        return "reattached"
    if before.base_sha != after.base_sha:
        return "rebased"
    was_renamed = before.modified_name != after.modified_name
    return "renamed" if was_renamed and before.content_sha == after.content_sha else "edited"
