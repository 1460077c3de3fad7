"""Shapes of validation without storing."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from benchmark_manager.api.http.shapes import ID, RequestBody
from benchmark_manager.domain.fields import LONGEST_ID, LONGEST_PATH
from benchmark_manager.models.original import FileFormat, FileType
from benchmark_manager.models.problem import Problem, Validity


class ValidateRequest(RequestBody):
    """A content to validate."""

    name: str = Field(
        min_length=1,
        max_length=LONGEST_PATH,
        description="Its ending defines the format.",
        examples=["run.yaml"],
    )
    content: str = Field(examples=["apiVersion: batch/v1\nkind: Job\n"])
    file_type: FileType = Field(
        description="Its rules: a `job` is a manifest, a `config` one document."
    )
    project_id: str | None = Field(
        default=None,
        max_length=LONGEST_ID,
        description="With `path`: validate against this project's originals too.",
        examples=[ID],
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_PATH,
        description="Its path from the repository's root.",
        examples=["job/run.yaml"],
    )

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        if (self.project_id is None) != (self.path is None):
            raise ValueError("project_id and path are given together, or not at all")
        return self


class KubernetesCheckAnswer(BaseModel):
    """Whether the content was validated by Kubernetes' own schemas."""

    enabled: bool
    versions: tuple[str, ...] = Field(
        description="Newest first; empty unless enabled.", examples=[["1.37", "1.36"]]
    )
    reason: str | None = Field(description="Why it was not; null if it was.")


class ValidationAnswer(BaseModel):
    """The verdict on a content that was not saved."""

    name: str
    format: FileFormat
    file_type: FileType
    validity: Validity
    problems: tuple[Problem, ...] = Field(description="At most 100, by line and column.")
    kubernetes: KubernetesCheckAnswer
