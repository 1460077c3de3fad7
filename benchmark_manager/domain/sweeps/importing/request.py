"""Requests to take over another tool's sweep, from the JSON that people send."""

from typing import Final, Literal, cast, get_args

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.definition import read_files
from benchmark_manager.domain.sweeps.given import GivenValue, check_length, check_size
from benchmark_manager.domain.sweeps.limits import MOST_SETTINGS
from benchmark_manager.domain.sweeps.targets import read_target
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.record import Record
from benchmark_manager.models.sweep import SweptFile, Target

ToolFormat = Literal["vllm", "llm-d", "hydra", "wandb"]
FORMATS: Final[tuple[ToolFormat, ...]] = get_args(ToolFormat)
#: Characters of another tool's text.
LONGEST_IMPORT: Final = 200_000
#: Parameters that `targets` names.
_MOST_TARGETS: Final = 1000


class ImportRequest(Record):
    """Another tool's sweep, the files in which it is to set values, and what is known of where.

    `targets` are by the tool's names of parameters. `bench_text` and `link_vars` are vLLM's.
    """

    format: ToolFormat
    text: str
    files: tuple[SweptFile, ...]
    targets: dict[str, tuple[Target, ...]]
    bench_text: str = ""
    link_vars: str = ""


def read_import(value: JsonValue) -> ImportRequest:
    """Return the request that a JSON value makes.

    Raises:
        InvalidInputError: `invalid_request`; `field` says which value is refused.
    """
    check_size(value, "text")
    given = GivenValue(value, "")
    if not isinstance(value, dict):
        raise InvalidInputError("invalid_request", "object_expected", field="definition")
    fields = given.fields(("format", "text", "files"), ("targets", "bench_text", "link_vars"))
    files = read_files(fields["files"])
    targets = _targets(fields["targets"], files) if "targets" in fields else {}
    texts = {
        name: fields[name].text(LONGEST_IMPORT) if name in fields else ""
        for name in ("text", "bench_text", "link_vars")
    }
    tool_format = cast("ToolFormat", fields["format"].word(FORMATS))
    return ImportRequest(format=tool_format, files=files, targets=targets, **texts)


def _targets(given: GivenValue, files: tuple[SweptFile, ...]) -> dict[str, tuple[Target, ...]]:
    aliases = [file.alias for file in files]
    members = given.members()
    check_length(members, given.field, _MOST_TARGETS)
    return {name: _targets_of(member, aliases) for name, member in members.items()}


def _targets_of(given: GivenValue, aliases: list[str]) -> tuple[Target, ...]:
    if isinstance(given.value, str):
        return (read_target(given, aliases),)
    return tuple(read_target(item, aliases) for item in given.items(MOST_SETTINGS, fewest=1))
