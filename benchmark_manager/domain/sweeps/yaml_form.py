"""Definitions of sweeps as YAML, for people: `read_yaml` reads them back.

Lists and objects inside of values are in one line, and texts that could be taken for something
else in double quotes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.quoting import double_quoted
from benchmark_manager.domain.documents.scalars import read_plain
from benchmark_manager.domain.edits.scalar_text import number_text
from benchmark_manager.domain.sweeps.definition import files_json
from benchmark_manager.domain.sweeps.targets import target_text
from benchmark_manager.models.sweep import (
    Assignments,
    Axis,
    SweepDefinition,
    Target,
    ValuesAxis,
)

#: Texts without quotes: inside brackets, and elsewhere.
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_BARE_IN_BLOCK: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./:\[\]=-]*[A-Za-z0-9_?\]]")
#: Characters of a key that YAML's readers find without a mark; they allow 1,024.
_LONGEST_KEY: Final = 900


def definition_yaml(definition: SweepDefinition) -> str:
    """Return a definition as YAML, without what has its default."""
    return "\n".join(_lines(definition)) + "\n"


def _lines(definition: SweepDefinition) -> Iterator[str]:
    fields = SweepDefinition.model_fields
    yield f"name: {_in_block(definition.name)}"
    if definition.description:
        yield f"description: {_in_block(definition.description)}"
    yield "files:"
    for alias, file in files_json(definition.files).items():
        yield f"  {_key(alias)} {_in_block(file)}"
    yield "axes:" if definition.axes else "axes: []"
    for axis in definition.axes:
        yield from _axis_lines(axis)
    if definition.combine != fields["combine"].default:
        yield f"combine: {definition.combine}"
    yield from _entry_lines("exclude", definition.exclude)
    yield from _entry_lines("include", definition.include)
    if definition.repeats != fields["repeats"].default:
        yield f"repeats: {definition.repeats}"
    if definition.contents != fields["contents"].default:
        yield f"contents: {definition.contents}"


def _axis_lines(axis: Axis) -> Iterator[str]:
    yield f"  - name: {_in_block(axis.name)}"
    if isinstance(axis, ValuesAxis):
        yield f"    set: {_targets(axis.targets)}"
        yield f"    values: {_in_brackets(list(axis.values))}"
        return
    yield "    points:"
    for point in axis.points:
        settings = {target_text(setting.target): setting.value for setting in point.settings}
        yield f"      - {_in_brackets({'name': point.name, 'set': settings})}"


def _targets(targets: tuple[Target, ...]) -> str:
    texts: list[JsonValue] = [target_text(target) for target in targets]
    return _in_block(texts[0]) if len(texts) == 1 else _in_brackets(texts)


def _entry_lines(field: str, entries: Iterable[Assignments]) -> Iterator[str]:
    for number, entry in enumerate(entries):
        if number == 0:
            yield f"{field}:"
        yield f"  - {_in_brackets(entry)}"


def _in_block(value: JsonValue) -> str:
    if isinstance(value, str) and _BARE_IN_BLOCK.fullmatch(value) and read_plain(value).is_text:
        return value
    return _in_brackets(value)


def _in_brackets(value: JsonValue | Mapping[str, JsonValue]) -> str:
    if isinstance(value, Mapping):
        members = (f"{_key(name)} {_in_brackets(member)}" for name, member in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_in_brackets, value))}]"
    if isinstance(value, str):
        is_bare = _BARE.fullmatch(value) and read_plain(value).is_text
        return value if is_bare else double_quoted(value)
    return number_text(value)


def _key(name: str) -> str:
    """Return a key with its colon, and with a mark where it is too long to be found without."""
    text = _in_brackets(name)
    return f"{text}:" if len(text) <= _LONGEST_KEY else f"? {text} :"
