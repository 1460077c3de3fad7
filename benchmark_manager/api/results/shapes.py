"""Shapes of results."""

from datetime import datetime

from pydantic import BaseModel, Field

from benchmark_manager.api.http.shapes import ID, RequestBody
from benchmark_manager.domain.results.edits import ResultChanges
from benchmark_manager.domain.results.fields import (
    LONGEST_LABEL_NAME,
    LONGEST_LABEL_VALUE,
    LONGEST_NOTE,
    MOST_LABELS,
)
from benchmark_manager.domain.unset import UNSET
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.result import (
    KnownTool,
    Receipt,
    ReceiptStatus,
    Result,
    ResultPoint,
    ToolName,
)

DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SHA256 = DIGEST.removeprefix("sha256:")
_LABELS = {"gpu": "H100", "driver": "570.124"}


class ResultReceipt(BaseModel):
    """What the machine said about the files that it had."""

    id: str = Field(examples=[ID])
    status: ReceiptStatus = Field(
        description="`verified`: the files had the release's digest. `differs`: some did not. "
        "`not_verified`: the receipt says nothing about files."
    )
    files: int = Field(description="Files of the release.")
    differing: list[str] = Field(description="Paths whose bytes are others.")
    node: str | None
    image_id: str | None
    gpus: list[str] = Field(description="One name for each GPU.")
    driver: str | None
    at: datetime


class ResultAnswer(BaseModel):
    """A file that a benchmark tool wrote, bound to the release that it ran on."""

    id: str = Field(examples=[ID])
    project_id: str = Field(examples=[ID])
    release: str = Field(description="Its digest.", examples=[DIGEST])
    run_id: str | None
    sweep_id: str | None = Field(
        description="The newest sweep of the project with a cell that is this release."
    )
    cell_index: int | None = Field(description="The index of that cell.")
    tool: ToolName = Field(description="`unknown`: the file is kept, and no metric was read.")
    tool_version: str | None
    file_name: str = Field(examples=["vllm-serve.json"])
    size: int = Field(description="Bytes.")
    sha256: str = Field(description="Of the bytes.", examples=[_SHA256])
    labels: dict[str, str] = Field(examples=[_LABELS])
    note: str
    points: list[ResultPoint] = Field(description="Stages, rates or task groups of the file.")
    problems: list[Problem] = Field(description="What was not read of the file.")
    receipt: ResultReceipt | None
    revision: int = Field(
        description="Counts changes of labels, note, receipt and chosen tool, and deletions."
    )
    created_at: datetime
    created_by: str
    deleted_at: datetime | None = Field(description="null: it is not in the trash.")
    deleted_by: str | None


class ResultUpdate(RequestBody):
    """Fields to change; what is left out stays."""

    labels: dict[str, str] | None = Field(
        default=None,
        max_length=100_000,
        description=f"All labels that it has then: at most {MOST_LABELS}, with names of "
        f"{LONGEST_LABEL_NAME} characters and values of {LONGEST_LABEL_VALUE}.",
        examples=[_LABELS],
    )
    note: str | None = Field(default=None, description=f"At most {LONGEST_NOTE} characters.")
    tool: KnownTool | None = Field(
        default=None,
        description="The tool that wrote the file; null: its content decides. The file is read "
        "again where that is not what was chosen before. Left out, it stays.",
        examples=["vllm"],
    )

    @property
    def changes(self) -> ResultChanges:
        """Return what is to change."""
        tool = self.tool if "tool" in self.model_fields_set else UNSET
        return ResultChanges(self.labels, self.note, tool)


def result_answer(result: Result) -> ResultAnswer:
    names = ResultAnswer.model_fields.keys() & Result.model_fields.keys() - {"receipt"}
    parsed = result.parsed
    return ResultAnswer(
        **{name: getattr(result, name) for name in names},
        tool=parsed.tool,
        tool_version=parsed.tool_version,
        points=list(parsed.points),
        problems=list(parsed.problems),
        receipt=_receipt(result.receipt),
    )


def _receipt(receipt: Receipt | None) -> ResultReceipt | None:
    if receipt is None:
        return None
    return ResultReceipt(**receipt.model_dump(include=set(ResultReceipt.model_fields)))
