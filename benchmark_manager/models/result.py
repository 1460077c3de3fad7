"""Results: what a benchmark tool wrote, bound to the digest of the release that it ran on.

The file's bytes are kept exactly. What a parser reads from them is derived: a better parser
improves results that are stored already.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from benchmark_manager.models.problem import Problem
from benchmark_manager.models.record import OrElse, Record

KnownTool = Literal["vllm", "sglang", "lm-eval", "inference-perf", "guidellm", "llm-d", "plain"]
"""A tool whose files can be read."""
ToolName = Literal[KnownTool, "unknown"]
Direction = Literal["lower", "higher"]
"""Which values of a metric are the better ones."""
ReceiptStatus = Literal["verified", "not_verified", "differs"]


class Metric(Record):
    """A value that a tool measured.

    `unit` is "" for a number without one. `direction` is None where it is not known which values
    are better. `called` is the tool's own name of the metric.
    """

    value: float
    unit: str = ""
    direction: Direction | None = None
    called: str = ""


class ResultPoint(Record):
    """What a file says about one stage, rate or task group; its metrics by their names.

    `point` labels it, such as `rate=16`; it is "" where the file says nothing of the kind.
    """

    point: str = ""
    metrics: dict[str, Metric]


class ParsedResult(Record):
    """What a parser read from a file: of a format that none knows, only `tool: unknown`.

    `tool_version` is what the file says about it, else None.
    """

    tool: ToolName = "unknown"
    tool_version: str | None = None
    points: tuple[ResultPoint, ...] = ()
    problems: tuple[Problem, ...] = ()


class ReceiptFile(Record):
    """A file that `pull` put in place: its path in the release, and the SHA-256 of its bytes."""

    path: str
    sha256: str


class ReceiptDraft(Record):
    """What a machine says about the files that it put in place, and about itself.

    `digest`, with its prefix, is that of the files: it replaces their list. With neither, the
    machine says nothing about files.

    `gpus` are names, one for each GPU; None and empty values stand for what is not known there.
    """

    files: tuple[ReceiptFile, ...] = ()
    digest: str | None = None
    node: str | None = None
    image_id: str | None = None
    gpus: tuple[str, ...] = ()
    driver: str | None = None


class Receipt(Record):
    """A receipt, compared with the release: `differing` are the paths whose bytes are others.

    `files` counts the release's files. `differing` has the first paths alone where there are many,
    and none where the machine sent a digest only; `differing_count` counts all that are known.
    `token_id` is the API token that uploaded it, if any.
    """

    id: str
    project_id: str
    release: str
    status: ReceiptStatus
    files: int
    differing: tuple[str, ...] = ()
    differing_count: int = 0
    node: str | None = None
    image_id: str | None = None
    gpus: tuple[str, ...] = ()
    driver: str | None = None
    at: datetime
    created_by: str
    token_id: str | None = None


class Result(Record):
    """A result. `revision` counts the changes of its labels, note, receipt and chosen tool.

    `chosen_tool` replaces what the file is recognised as; None: its content decides.

    `sweep_id` and `cell_index` name the newest cell of the project whose release it measured; None
    where there is none. `run_id` is None for a result that was uploaded by hand.
    """

    id: str
    project_id: str
    release: str
    run_id: str | None = None
    sweep_id: str | None = None
    cell_index: int | None = None
    chosen_tool: ToolName | None = None
    parsed: ParsedResult
    file_name: str
    size: int
    sha256: str
    labels: dict[str, str] = Field(default_factory=dict)
    note: str = ""
    receipt: Receipt | None = None
    revision: int = 1
    created_at: datetime
    created_by: str
    deleted_at: datetime | None = None
    deleted_by: str | None = None


class StoredResult(Record):
    """What is stored of a result beside its bytes and what a parser read from them.

    `chosen_tool` replaces what the file is recognised as; `tool` is the parser's last answer.
    """

    id: str
    project_id: str
    release: str
    run_id: str | None = None
    chosen_tool: Annotated[ToolName | None, OrElse("unknown")] = None
    tool: Annotated[ToolName, OrElse("unknown")] = "unknown"
    file_name: str
    size: int
    sha256: str
    labels: dict[str, str] = Field(default_factory=dict)
    note: str = ""
    receipt_id: str | None = None
    revision: int = 1
    created_at: datetime
    created_by: str
    deleted_at: datetime | None = None
    deleted_by: str | None = None


class ResultUpload(Record):
    """A file to keep, and what it belongs to. `tool` replaces what the file is recognised as.

    `project_id` may be None where the release belongs to one readable project only.
    """

    release: str
    project_id: str | None = None
    file_name: str
    data: bytes
    tool: ToolName | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    note: str = ""
    receipt_id: str | None = None


class ResultFilters(Record):
    """Which results of a project to list; None and empty values do not restrict.

    `labels` must all be equal. `releases` are digests; `release` is one, or its beginning, as a
    person gives it. `cell_index` needs `sweep_id`.
    """

    releases: tuple[str, ...] = ()
    release: str | None = None
    sweep_id: str | None = None
    cell_index: int | None = None
    tool: ToolName | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    created_by: str | None = None
    deleted: bool = False
