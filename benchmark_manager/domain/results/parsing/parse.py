"""Bytes in, metrics out: which tool wrote a file, and what it measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import Collector
from benchmark_manager.domain.results.parsing.contents import mapping_at, read_contents
from benchmark_manager.domain.results.parsing.guidellm import is_guidellm, read_guidellm
from benchmark_manager.domain.results.parsing.inference_perf import (
    is_inference_perf,
    read_inference_perf,
)
from benchmark_manager.domain.results.parsing.labels import differing_settings, settings_label
from benchmark_manager.domain.results.parsing.llm_d import is_llm_d, read_llm_d
from benchmark_manager.domain.results.parsing.lm_eval import is_lm_eval, read_lm_eval
from benchmark_manager.domain.results.parsing.plain import is_plain, read_plain
from benchmark_manager.domain.results.parsing.sglang import is_sglang, read_sglang
from benchmark_manager.domain.results.parsing.vllm import SETTINGS, is_vllm, read_vllm
from benchmark_manager.models.result import ParsedResult, ToolName

#: Grows when files are read in another way: stored results of a lower number are read again.
PARSER_VERSION: Final = 5


@dataclass(frozen=True, slots=True)
class _Parser:
    """A tool's form: how an object is recognised, and read.

    `settings` are numbers in objects that are no repeats of each other where these differ.
    """

    tool: ToolName
    recognises: Callable[[Mapping[str, JsonValue]], bool]
    read: Callable[[Mapping[str, JsonValue], Collector, str], None]
    settings: frozenset[str] = frozenset()


#: In this order: llm-d's reports of version 0.1 have `metrics`, as the plain form does, and results
#: of SGLang have the members that those of vLLM are recognised by.
_PARSERS: Final = (
    _Parser("llm-d", is_llm_d, read_llm_d),
    _Parser("lm-eval", is_lm_eval, read_lm_eval),
    _Parser("inference-perf", is_inference_perf, read_inference_perf),
    _Parser("guidellm", is_guidellm, read_guidellm),
    _Parser("sglang", is_sglang, read_sglang, SETTINGS),
    _Parser("vllm", is_vllm, read_vllm, SETTINGS),
    _Parser("plain", is_plain, read_plain),
)


def parse_result(data: bytes, file_name: str, tool: ToolName | None = None) -> ParsedResult:
    """Return what a result file says; nothing that may be in a file raises an error.

    Args:
        data: the file's bytes, whatever they are.
        file_name: its name, for what the bytes do not say.
        tool: reads the file as this tool's; None recognises the tool by the content. With `unknown`
            nothing is read.
    """
    if tool == "unknown":
        return ParsedResult()
    found = Collector()
    entries = _entries(read_contents(data, file_name, found))
    parser = _parser_of(entries, tool)
    if parser is not None:
        _read(entries, parser, found, file_name, is_sure=tool is None)
    return ParsedResult(
        tool="unknown" if parser is None else parser.tool,
        tool_version=found.tool_version,
        points=found.points(),
        problems=tuple(found.problems()),
    )


def _entries(values: Sequence[JsonValue]) -> list[Mapping[str, JsonValue]]:
    """Return the objects of a file: its only one, those of lines, or those of a list."""
    entries: list[Mapping[str, JsonValue]] = []
    for value in values:
        each = value if isinstance(value, list) else [value]
        entries.extend(mapping_at(entry) for entry in each if isinstance(entry, dict))
    return entries


def _parser_of(entries: Sequence[Mapping[str, JsonValue]], tool: ToolName | None) -> _Parser | None:
    for parser in _PARSERS:
        if parser.tool == tool or (tool is None and entries and parser.recognises(entries[0])):
            return parser
    return None


def _read(
    entries: Sequence[Mapping[str, JsonValue]],
    parser: _Parser,
    found: Collector,
    file_name: str,
    *,
    is_sure: bool,
) -> None:
    differing = differing_settings(entries, parser.settings)
    for number, entry in enumerate(entries):
        found.also = settings_label(entry, differing)
        if is_sure and not parser.recognises(entry):
            found.report("other_format", str(number + 1))
        else:
            parser.read(entry, found, file_name)
    if not found.points():
        found.report("no_metrics")
