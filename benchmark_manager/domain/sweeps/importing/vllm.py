"""vLLM's parameter sweeps: the files of `vllm bench sweep serve`.

Sources: vllm-project/vllm, docs/benchmarking/sweeps.md, and the help of `--serve-params`,
`--bench-params` and `--link-vars`. A file is a list of objects, or an object of named ones; each
object has parameters by their names. With both files, every pair of theirs is measured, but only
those in which linked variables have the same values.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.given import GivenValue, check_length
from benchmark_manager.domain.sweeps.importing.linked import LinkedAxes, linked_axes
from benchmark_manager.domain.sweeps.importing.tool_sweep import (
    ToolAxis,
    ToolPoints,
    ToolSweep,
    ToolValues,
    named_axes,
    note,
    points_of,
    read_json,
)
from benchmark_manager.domain.sweeps.limits import MOST_VALUES
from benchmark_manager.errors import InvalidInputError

#: The name of a combination, among its parameters.
_NAME: Final = "_benchmark_name"

Parameters: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _NamedParameters:
    """One combination of a file; the name is empty where it has none."""

    name: str
    values: Parameters


def read_vllm(text: str, bench_text: str = "", link_vars: str = "") -> ToolSweep:
    """Return the sweep of serve parameters, bench parameters, or both.

    Raises:
        InvalidInputError: a text does not follow the syntax.
    """
    serve, bench = _combinations(text, "text"), _combinations(bench_text, "bench_text")
    pairs = _linked_variables(link_vars)
    found = [
        (axis, combinations)
        for axis, combinations in (
            (_axis("serve", serve), serve),
            (_axis("bench", bench), bench),
        )
        if axis is not None
    ]
    axes = named_axes([axis for axis, _ in found])
    name = "imported from vLLM"
    if not pairs:
        return ToolSweep(name, axes)
    if len(axes) < len((serve, bench)):
        return ToolSweep(name, axes, notes=(note("link_vars_ignored", link_vars),))
    linked = linked_axes(
        axes[0],
        axes[1],
        [_identity(one.values, [key for key, _ in pairs]) for one in serve],
        [_identity(one.values, [key for _, key in pairs]) for one in bench],
    )
    return _linked_sweep(name, linked, link_vars)


def _linked_sweep(name: str, linked: LinkedAxes, link_vars: str) -> ToolSweep:
    notes = () if linked.kept else (note("link_vars_keep_none", link_vars),)
    return ToolSweep(name, linked.axes, exclude=linked.exclude, notes=notes)


def _combinations(text: str, field: str) -> list[_NamedParameters]:
    """Return the combinations of a file; none of an empty one."""
    if not text.strip():
        return []
    given = GivenValue(read_json(text, field), field)
    if isinstance(given.value, dict):
        members = given.members()
        check_length(members, field, MOST_VALUES)
        return [_NamedParameters(name, _values(member)) for name, member in members.items()]
    return [_unnamed(item) for item in given.items(MOST_VALUES)]


def _unnamed(given: GivenValue) -> _NamedParameters:
    values = _values(given)
    name = values.get(_NAME, "")
    return _NamedParameters(
        name if isinstance(name, str) else str(name),
        {key: value for key, value in values.items() if key != _NAME},
    )


def _values(given: GivenValue) -> dict[str, JsonValue]:
    return {name: member.value for name, member in given.members().items()}


def _axis(name: str, combinations: Sequence[_NamedParameters]) -> ToolAxis | None:
    """Return the axis of a file: of values where all its combinations set the same parameter."""
    keys = {key for one in combinations for key in one.values}
    if not keys:
        return None
    if len(keys) == 1 and all(one.values and not one.name for one in combinations):
        (key,) = keys
        return ToolValues(key, key, tuple(one.values[key] for one in combinations))
    return ToolPoints(name, points_of(name, [(one.name, one.values) for one in combinations]))


def _linked_variables(text: str) -> list[tuple[str, str]]:
    """Return the pairs of names in a text such as `max_num_seqs=max_concurrency,a=b`."""
    pairs: list[tuple[str, str]] = []
    for part in filter(None, map(str.strip, text.split(","))):
        serve, equals, bench = part.partition("=")
        if not (equals and serve.strip() and bench.strip()):
            raise InvalidInputError("invalid_request", "link_vars_expected", field="link_vars")
        pairs.append((serve.strip(), bench.strip()))
    if len(pairs) > MOST_VALUES:
        raise InvalidInputError(
            "invalid_request", "too_many_entries", field="link_vars", limit=MOST_VALUES
        )
    return pairs


def _identity(values: Parameters, keys: Iterable[str]) -> Hashable:
    """Return what two combinations share if they are linked; None if a variable is missing."""
    found = tuple(_comparable(values, keys))
    return None if None in found else found


def _comparable(values: Parameters, keys: Iterable[str]) -> Iterator[Hashable]:
    """Yield values as vLLM compares them: `32` equals `32.0`."""
    for key in keys:
        if key not in values:
            yield None
        else:
            value = values[key]
            is_plain = isinstance(value, (str, int, float))
            yield (type(value) is str, value) if is_plain else repr(value)
