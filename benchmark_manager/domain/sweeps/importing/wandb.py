"""Sweeps of Weights & Biases, of the method `grid`.

Source: docs.wandb.ai, "Sweep configuration options" and "Define a sweep configuration". Parameters
have `values`, one `value`, or nested `parameters`; every combination of their values is measured.
Distributions are for the other methods, which choose values while they run.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from benchmark_manager.domain.sweeps.given import GivenValue, check_size
from benchmark_manager.domain.sweeps.importing.tool_sweep import (
    ToolAxis,
    ToolSweep,
    ToolValues,
    named_axes,
    note,
    text_of,
)
from benchmark_manager.domain.sweeps.limits import MOST_VALUES
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from benchmark_manager.domain.text.characters import shown
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import SweepNote

_TAKEN: Final = frozenset({"name", "description", "method", "parameters"})
#: Keys of a parameter that mean the same here, or nothing.
_OF_VALUES: Final = frozenset({"value", "values"})
#: The distributions that are a list of values, or one value.
_LISTS: Final = frozenset({"categorical", "constant"})
_GRID: Final = "grid"


def read_wandb(text: str) -> ToolSweep:
    """Return the sweep of a configuration in YAML.

    Raises:
        InvalidInputError: the method is another one than `grid`, or the text has another form.
        InvalidContentError: `invalid_yaml`.
    """
    value = read_yaml(text, "text")
    check_size(value, "text")
    given = GivenValue(value, "text")
    members = given.members()
    method = members.get("method")
    if method is None or method.value != _GRID:
        name = shown(method.value) if method and isinstance(method.value, str) else "-"
        raise InvalidInputError(
            "invalid_request", "not_grid", field=f"{given.field}.method", name=name
        )
    if "parameters" not in members:
        raise InvalidInputError(
            "invalid_request", "field_missing", field=f"{given.field}.parameters"
        )
    found = list(_parameters(members["parameters"], ""))
    notes = [note("setting_ignored", name) for name in members if name not in _TAKEN]
    notes.extend(one for one in found if isinstance(one, SweepNote))
    return ToolSweep(
        text_of(members, "name") or "imported from W&B",
        named_axes([one for one in found if not isinstance(one, SweepNote)]),
        description=text_of(members, "description"),
        notes=tuple(notes),
    )


def _parameters(given: GivenValue, prefix: str) -> Iterator[ToolAxis | SweepNote]:
    """Yield an axis for each parameter, or a note; a nested one is named by its path."""
    for key, member in given.members().items():
        name = f"{prefix}{key}"
        if not isinstance(member.value, dict):
            yield note("unreadable", name)
        elif "parameters" in member.value:
            yield from _parameters(member.members()["parameters"], f"{name}.")
        else:
            yield from _parameter(name, member.members())


def _parameter(name: str, members: Mapping[str, GivenValue]) -> Iterator[ToolAxis | SweepNote]:
    distribution = members["distribution"].value if "distribution" in members else None
    if not _OF_VALUES & members.keys() or distribution not in {None, *_LISTS}:
        kind = distribution if isinstance(distribution, str) else "min, max"
        yield note("not_supported", name, what=shown(kind))
        return
    for key in members.keys() - _OF_VALUES - {"distribution"}:
        yield note("setting_ignored", f"{name}.{key}")
    if "values" in members:
        values = tuple(item.json() for item in members["values"].items(MOST_VALUES, fewest=1))
    else:
        values = (members["value"].json(),)
    yield ToolValues(name, name, values)
