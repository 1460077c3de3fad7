"""Shapes of variants, which the routes and fields call modified files."""

from datetime import datetime

from pydantic import (
    BaseModel,
    Field,
)

from benchmark_manager.api.http.shapes import ID, SHA, Answer, RequestBody, shaped
from benchmark_manager.domain.fields import LONGEST_DESCRIPTION, LONGEST_ID
from benchmark_manager.models.original import FileFormat, FileType
from benchmark_manager.models.problem import Problem, Validity
from benchmark_manager.models.variant import Drift, Variant


class ModifiedFileCreate(RequestBody):
    """A variant to make."""

    original_file_id: str = Field(max_length=LONGEST_ID, examples=[ID])
    modified_name: str | None = Field(
        default=None,
        description="A file name, not a path, with an ending of the original's format; else the "
        "original's.",
        examples=["llama-tp4.yaml"],
    )
    content: str | None = Field(
        default=None, description="Else the original's.", examples=["model: llama\n"]
    )
    description: str | None = Field(
        default=None, max_length=LONGEST_DESCRIPTION, examples=["tensor parallelism 4"]
    )


class ModifiedFileUpdate(RequestBody):
    """What changes; fields that are not given, or null, stay as they are."""

    modified_name: str | None = Field(default=None, examples=["llama-tp8.yaml"])
    content: str | None = Field(default=None, examples=["model: llama\ntensor_parallel_size: 8\n"])
    description: str | None = Field(
        default=None, max_length=LONGEST_DESCRIPTION, examples=["tensor parallelism 8"]
    )


class ModifiedFileAnswer(BaseModel):
    """A variant in a list."""

    id: str = Field(examples=[ID])
    project_id: str
    original_file_id: str
    original_path: str
    modified_name: str
    path: str = Field(description="The original's folder and modified_name.")
    file_type: FileType
    format: FileFormat
    description: str
    base_sha: str = Field(
        description="Git blob id of the original that it was based on.", examples=[SHA]
    )
    base_commit_sha: str = Field(examples=[SHA])
    content_sha256: str
    size: int = Field(description="Bytes.")
    revision: int = Field(description="From 1; every save that changes something adds one.")
    drift: Drift = Field(description="How the original changed since.")
    validity: Validity
    problems: tuple[Problem, ...]
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


class ModifiedFileWithContent(ModifiedFileAnswer):
    """A variant with its content."""

    content: str


def modified_answer(file: Variant) -> Answer:
    """Return the fields of a `ModifiedFileAnswer`."""
    return shaped(ModifiedFileAnswer, file, path=file.path)


def modified_with_content(file: Variant, data: bytes) -> Answer:
    """Return the fields of a `ModifiedFileWithContent`."""
    return shaped(ModifiedFileWithContent, file, path=file.path, content=data.decode())


class ResetAnswer(BaseModel):
    """The result of a reset."""

    deleted_count: int
    reset_id: str | None = Field(
        description="Undoes it: POST /projects/{project_id}/undo-reset. null: nothing was deleted.",
        examples=[ID],
    )
