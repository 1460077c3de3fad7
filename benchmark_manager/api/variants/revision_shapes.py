"""Shapes of revisions and of the trash."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from benchmark_manager import messages
from benchmark_manager.api.http.shapes import ID, SHA, RequestBody
from benchmark_manager.api.variants.shapes import ModifiedFileAnswer, modified_answer
from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.models.revision import Revision, RevisionKind
from benchmark_manager.models.variant import TrashedVariant
from benchmark_manager.services.variants.trash import LeftVariant, UndoneReset


class RevisionAnswer(BaseModel):
    """A variant after one change."""

    number: int = Field(description="From 1.")
    what: RevisionKind = Field(
        description="`deleted`: as it went to the trash. `restored`: an older state, or undeleted. "
        "`reattached`: it got another original, whose text is the base."
    )
    modified_name: str
    description: str
    content_sha256: str
    size: int = Field(description="Bytes.")
    base_sha: str = Field(
        description="Git blob id of the original that it was based on.", examples=[SHA]
    )
    base_commit_sha: str = Field(examples=[SHA])
    created_at: datetime
    created_by: str


class RevisionWithContent(RevisionAnswer):
    """A revision with its content."""

    content: str


class TrashedFileAnswer(ModifiedFileAnswer):
    """A deleted variant, as it was then."""

    deleted_at: datetime
    deleted_by: str
    reset_id: str | None = Field(
        description="The reset which deleted it; null: it was deleted alone.", examples=[ID]
    )
    restorable_until: datetime = Field(
        description="It is kept until then, and deleted for good within 6 hours after."
    )


class LeftFileAnswer(BaseModel):
    """A variant that undoing a reset could not restore."""

    id: str = Field(examples=[ID])
    path: str = Field(description="Where it would be now.", examples=["config/llama-tp4.yaml"])
    code: str = Field(
        description="`name_taken`, or `file_not_found`: its original's record is gone."
    )
    detail: str = Field(description="One sentence which says what to do.")


class UndoResetAnswer(BaseModel):
    """What was restored, and what stays in the trash."""

    restored_count: int
    restored: list[str] = Field(description="Ids of variants.", examples=[[ID]])
    left: list[LeftFileAnswer]


def revision_answer(revision: Revision) -> RevisionAnswer:
    return RevisionAnswer(**_fields(revision))


def revision_with_content(revision: Revision, data: bytes) -> RevisionWithContent:
    return RevisionWithContent(**_fields(revision), content=data.decode())


def _fields(revision: Revision) -> dict[str, object]:
    return revision.model_dump(exclude={"modified_file_id", "project_id", "content_sha"})


def trashed_answer(trashed: TrashedVariant, retention: timedelta) -> TrashedFileAnswer:
    return TrashedFileAnswer(
        **dict(modified_answer(trashed.file)),
        deleted_at=trashed.deleted_at,
        deleted_by=trashed.deleted_by,
        reset_id=trashed.reset_id,
        restorable_until=trashed.deleted_at + retention,
    )


def undo_reset_answer(undone: UndoneReset) -> UndoResetAnswer:
    return UndoResetAnswer(
        restored_count=len(undone.restored),
        restored=[file.id for file in undone.restored],
        left=[_left(row) for row in undone.left],
    )


def _left(row: LeftVariant) -> LeftFileAnswer:
    return LeftFileAnswer(
        id=row.file.id, path=row.file.path, code=row.reason.code, detail=messages.detail(row.reason)
    )


class RestoreRequest(RequestBody):
    """The revision to restore."""

    revision: int = Field(strict=True, ge=1, examples=[3])


class UndeleteRequest(RequestBody):
    """How to restore a deleted variant."""

    modified_name: str | None = Field(
        default=None,
        description="Another name, if its own is taken meanwhile; else it keeps it.",
        examples=["llama-2.yaml"],
    )


class UndoResetRequest(RequestBody):
    """The reset to undo."""

    reset_id: str = Field(
        max_length=LONGEST_ID, description="As the reset returned it.", examples=[ID]
    )
