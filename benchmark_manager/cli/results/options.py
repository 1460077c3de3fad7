"""Options that several commands about results share."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, TypeAlias

import typer

from benchmark_manager.cli.terminal.failures import WrongUsageError
from benchmark_manager.domain.results.name_lists import names_in

Tool: TypeAlias = Literal[
    "vllm", "sglang", "lm-eval", "inference-perf", "guidellm", "llm-d", "plain"
]
ToolOption = Annotated[Tool | None, typer.Option("--tool", help="The tool that wrote the file.")]
OtherToolOption = Annotated[
    Literal[Tool, "auto"] | None,
    typer.Option(
        "--tool",
        help="Read the file again as that of another tool; auto: of the one that its content says.",
    ),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        "-l",
        metavar="NAME=VALUE",
        help="A label of the environment, such as gpu=H100; may be repeated.",
    ),
]


def labels_of(given: Iterable[str] | None) -> dict[str, str]:
    """Return labels by their names.

    Raises:
        WrongUsageError: one is not NAME=VALUE, or a name is there twice.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise WrongUsageError(f"--label {text}: write NAME=VALUE.")
        if name in found:
            raise WrongUsageError(f"--label {text}: {name} is given twice.")
        found[name] = value
    return found


def names_of(text: str | None) -> Sequence[str] | None:
    """Return the names of a list with commas, as the API takes it; None without one."""
    return names_in(text or "") or None
