"""Shapes of original files."""

from datetime import datetime

from pydantic import (
    BaseModel,
    Field,
)

from benchmark_manager.api.http.shapes import ID, SHA, Answer, shaped
from benchmark_manager.models.original import FileFormat, FileType, OriginalFile
from benchmark_manager.models.problem import Problem, Validity


class OriginalFileAnswer(BaseModel):
    """An original file as lists show it."""

    id: str = Field(examples=[ID])
    project_id: str
    name: str = Field(examples=["llama.yaml"])
    path: str = Field(examples=["config/vllm/llama.yaml"])
    file_type: FileType
    format: FileFormat
    sha: str = Field(description="Git blob id.", examples=[SHA])
    size: int = Field(description="Bytes.")
    commit_sha: str = Field(
        description="The head commit with which this content was first seen.", examples=[SHA]
    )
    last_modified: datetime = Field(description="That commit's committer date.")
    synced_at: datetime
    removed_at: datetime | None = Field(
        description="When a sync found it removed upstream; null while it is there."
    )
    validity: Validity
    problems: tuple[Problem, ...]
    modified_files_count: int


class OriginalFileWithContent(OriginalFileAnswer):
    """An original file with its content."""

    content: str = Field(description="The exact text, with byte order mark and line ends.")


def original_answer(file: OriginalFile) -> Answer:
    """Return the fields of an `OriginalFileAnswer`."""
    return shaped(OriginalFileAnswer, file, name=file.name)


def original_with_content(file: OriginalFile, data: bytes) -> Answer:
    """Return the fields of an `OriginalFileWithContent`."""
    return shaped(OriginalFileWithContent, file, name=file.name, content=data.decode())
