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
    """A variant of an original file."""

    original_file_id: str = Field(max_length=LONGEST_ID, examples=[ID])
    modified_name: str | None = Field(
        default=None,
        description="A file name, not a path, with an ending that fits the original's format; else the original's.",
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
    """A modified file as lists show it."""

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
    revision: int = Field(description="From 1; every save that changes something counts.")
    drift: Drift = Field(description="What became of the original since.")
    validity: Validity
    problems: tuple[Problem, ...]
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


class ModifiedFileWithContent(ModifiedFileAnswer):
    """A modified file, whole."""

    content: str


def modified_answer(file: Variant) -> Answer:
    """A `ModifiedFileAnswer`."""
    return shaped(ModifiedFileAnswer, file, path=file.path)


def modified_with_content(file: Variant, data: bytes) -> Answer:
    """A `ModifiedFileWithContent`."""
    return shaped(ModifiedFileWithContent, file, path=file.path, content=data.decode())


class ResetAnswer(BaseModel):
    """What a reset did."""

    deleted_count: int
    reset_id: str | None = Field(
        description="Undoes it: POST /projects/{project_id}/undo-reset. null: nothing was deleted.",
        examples=[ID],
    )
