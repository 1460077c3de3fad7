"""Shapes of receipts."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from benchmark_manager.api.http.shapes import ID, RequestBody, one_line
from benchmark_manager.domain.fields import LONGEST_ID, LONGEST_PATH
from benchmark_manager.domain.results.receipt_limits import (
    LONGEST_DRIVER,
    LONGEST_GPU,
    LONGEST_IMAGE_ID,
    LONGEST_NODE,
    MOST_FILES,
    MOST_GPUS,
)
from benchmark_manager.domain.results.receipts import MOST_DIFFERING
from benchmark_manager.models.result import Receipt, ReceiptDraft, ReceiptFile, ReceiptStatus

_DIGEST: Final = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_LINE: Final = AfterValidator(one_line)
_Gpu = Annotated[str, StringConstraints(max_length=LONGEST_GPU), _LINE]


class ReceiptCreate(RequestBody):
    """Which files of a release a machine has, and what machine it is."""

    project_id: str | None = Field(
        default=None,
        max_length=LONGEST_ID,
        description="Needed where the release belongs to several projects.",
        examples=[ID],
    )
    files: dict[
        Annotated[str, StringConstraints(max_length=LONGEST_PATH)],
        Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")],
    ] = Field(
        default={},
        fail_fast=True,
        max_length=MOST_FILES,
        description="The SHA-256 of each file that is in place, in hexadecimal, by its path in the "
        "release.",
        examples=[{"config/llama.yaml": _SHA256}],
    )
    digest: str | None = Field(
        default=None,
        pattern="^sha256:[0-9a-f]{64}$",
        description="Instead of `files`: the digest that these files have, as a release has one.",
        examples=[_DIGEST],
    )
    node: Annotated[str, StringConstraints(max_length=LONGEST_NODE), _LINE] | None = Field(
        default=None, description="The machine's name.", examples=["gpu-node-7"]
    )
    image_id: Annotated[str, StringConstraints(max_length=LONGEST_IMAGE_ID), _LINE] | None = Field(
        default=None,
        description="Of the container.",
        examples=[f"docker.io/vllm/vllm-openai@{_DIGEST}"],
    )
    gpus: list[_Gpu] = Field(
        default=[],
        fail_fast=True,
        max_length=MOST_GPUS,
        description="The name of each GPU.",
        examples=[["NVIDIA H100 80GB HBM3"] * 2],
    )
    driver: Annotated[str, StringConstraints(max_length=LONGEST_DRIVER), _LINE] | None = Field(
        default=None, description="The version of the GPUs' driver.", examples=["570.124.06"]
    )

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        if self.files and self.digest is not None:
            raise ValueError("must have either `files` or `digest`")
        return self

    def draft(self) -> ReceiptDraft:
        """Return what the machine says."""
        return ReceiptDraft(
            files=tuple(
                ReceiptFile(path=path, sha256=sha256) for path, sha256 in self.files.items()
            ),
            digest=self.digest,
            node=self.node,
            image_id=self.image_id,
            gpus=tuple(self.gpus),
            driver=self.driver,
        )


class ReceiptAnswer(BaseModel):
    """Which files of a release a machine had."""

    id: str = Field(examples=[ID])
    release: str = Field(description="The release's digest.", examples=[_DIGEST])
    project_id: str = Field(examples=[ID])
    status: ReceiptStatus = Field(
        description="`verified`: the files were the release's. `differs`: they were not. "
        "`not_verified`: the receipt names no files."
    )
    files: int = Field(description="Of the release.")
    differing: list[str] = Field(
        description="Paths of changed, missing and additional files, sorted: the first "
        f"{MOST_DIFFERING}, or fewer long ones. Empty where only a digest was sent.",
        examples=[["config/llama.yaml"]],
    )
    differing_count: int = Field(description="Of all of them.")
    node: str | None = Field(examples=["gpu-node-7"])
    image_id: str | None
    gpus: list[str] = Field(examples=[["NVIDIA H100 80GB HBM3"] * 2])
    driver: str | None = Field(examples=["570.124.06"])
    at: datetime
    created_by: str


def receipt_answer(receipt: Receipt) -> ReceiptAnswer:
    return ReceiptAnswer.model_validate(receipt.model_dump())
