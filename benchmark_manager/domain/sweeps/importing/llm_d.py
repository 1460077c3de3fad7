"""Experiments of llm-d-benchmark.

Sources: llm-d/llm-d-benchmark, docs/doe.md and llmdbenchmark/experiment/README.md. An experiment
has a set-up and a run phase; every treatment of the one is measured with every treatment of the
other. A phase has `factors`, `levels` and `treatments`, in which a treatment lists a level for each
factor (`NA`: none), or, in the newer flat form, treatments with a name and values by dotted keys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.given import GivenValue, check_size
from benchmark_manager.domain.sweeps.importing.tool_sweep import (
    ToolAxis,
    ToolPoints,
    ToolSweep,
    ToolValues,
    named_axes,
    note,
    points_of,
    text_of,
)
from benchmark_manager.domain.sweeps.importing.words import word_value
from benchmark_manager.domain.sweeps.limits import MOST_VALUES
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from benchmark_manager.models.sweep import SweepNote

_NOT_APPLICABLE: Final = "NA"
_PHASES: Final = ("setup", "run")
#: `design` repeats in words what treatments say; it counts where there are none.
_TAKEN: Final = frozenset({*_PHASES, "treatments", "experiment", "design"})
_OF_PHASE: Final = frozenset({"factors", "levels", "treatments", "constants"})
#: Keys of a treatment that are none of the files'.
_OF_TREATMENT: Final = frozenset({"name", "profile"})


@dataclass(slots=True)
class _Phase:
    """What is read of one phase; `factors` are parameters with their levels."""

    name: str
    factors: dict[str, list[JsonValue]] = field(default_factory=dict)
    treatments: list[tuple[str, dict[str, JsonValue]]] = field(default_factory=list)
    constants: dict[str, JsonValue] = field(default_factory=dict)
    notes: list[SweepNote] = field(default_factory=list)


def read_llm_d(text: str) -> ToolSweep:
    """Return the sweep of an experiment in YAML.

    Raises:
        InvalidInputError: the text has another form.
        InvalidContentError: `invalid_yaml`.
    """
    value = read_yaml(text, "text")
    check_size(value, "text")
    given = GivenValue(value, "text")
    members = {"treatments": given} if isinstance(value, list) else given.members()
    phases = [_phase(name, members) for name in _PHASES]
    if not any(phase.treatments or phase.factors for phase in phases) and "design" in members:
        design = members["design"].members()
        phases = [_phase(name, design) for name in _PHASES]
    experiment = members["experiment"].members() if "experiment" in members else {}
    notes = chain(
        (note("setting_ignored", name) for name in members if name not in _TAKEN),
        (
            note("setting_ignored", f"experiment.{name}")
            for name in experiment
            if name not in {"name", "description"}
        ),
        *(phase.notes for phase in phases),
    )
    return ToolSweep(
        text_of(experiment, "name") or "imported from llm-d",
        named_axes(list(chain.from_iterable(map(_axes, phases)))),
        description=text_of(experiment, "description").strip(),
        notes=tuple(notes),
    )


def _phase(name: str, members: Mapping[str, GivenValue]) -> _Phase:
    """Read a phase; the treatments of a run may also be at the top, or be all of `run`."""
    phase = _Phase(name)
    section = members.get(name)
    if section is not None and section.value is not None:
        if isinstance(section.value, list):
            _read_treatments(phase, section)
        else:
            _read_section(phase, section.members())
    if name == "run" and "treatments" in members:
        _read_treatments(phase, members["treatments"])
    return phase


def _read_section(phase: _Phase, members: Mapping[str, GivenValue]) -> None:
    levels = members["levels"].members() if "levels" in members else {}
    if "factors" in members:
        for item in members["factors"].items(MOST_VALUES):
            _read_factor(phase, item, levels)
    if "constants" in members:
        _read_constants(phase, members["constants"])
    if "treatments" in members:
        _read_treatments(phase, members["treatments"])
    phase.notes.extend(
        note("setting_ignored", f"{phase.name}.{name}") for name in members if name not in _OF_PHASE
    )


def _read_factor(phase: _Phase, given: GivenValue, levels: Mapping[str, GivenValue]) -> None:
    """Read a factor: a name whose levels stand apart, or an object with key and levels."""
    if isinstance(given.value, dict):
        members = given.members()
        named = members.get("key") or members.get("name")
        own = members.get("levels")
    else:
        named, own = given, None
    if named is None or not isinstance(named.value, str):
        phase.notes.append(note("unreadable", given.field))
        return
    found = own or levels.get(named.value)
    phase.factors[named.value] = [] if found is None else _listed(found)


def _read_constants(phase: _Phase, given: GivenValue) -> None:
    if isinstance(given.value, dict):
        phase.constants.update({name: one.json() for name, one in given.members().items()})
        return
    for item in given.items(MOST_VALUES):
        members = item.members()
        if "key" in members and "value" in members and isinstance(members["key"].value, str):
            phase.constants[members["key"].value] = members["value"].json()
        else:
            phase.notes.append(note("unreadable", item.field))


def _read_treatments(phase: _Phase, given: GivenValue) -> None:
    for item in given.items(MOST_VALUES):
        if isinstance(item.value, dict):
            _read_flat_treatment(phase, item.members())
        else:
            _read_levels(phase, item)


def _read_flat_treatment(phase: _Phase, members: Mapping[str, GivenValue]) -> None:
    name = members["name"].value if "name" in members else ""
    if "profile" in members:
        phase.notes.append(note("setting_ignored", f"{phase.name}: profile"))
    values = {key: one.json() for key, one in members.items() if key not in _OF_TREATMENT}
    phase.treatments.append((name if isinstance(name, str) else str(name), values))


def _read_levels(phase: _Phase, given: GivenValue) -> None:
    """Read a treatment that lists a level for each factor."""
    levels = _listed(given)
    name = given.value if isinstance(given.value, str) else ",".join(map(str, levels))
    if len(levels) != len(phase.factors):
        facts = {"expected": len(phase.factors), "found": len(levels)}
        phase.notes.append(note("treatment_left_out", name, **facts))
        return
    values = dict(zip(phase.factors, levels, strict=True))
    applicable = {key: level for key, level in values.items() if level != _NOT_APPLICABLE}
    phase.treatments.append((name, applicable))


def _listed(given: GivenValue) -> list[JsonValue]:
    """Return levels: a list, a text with commas between them, or one value."""
    if isinstance(given.value, list):
        return [item.json() for item in given.items(MOST_VALUES)]
    if isinstance(given.value, str):
        return [word_value(part.strip()) for part in given.value.split(",")]
    return [given.json()]


def _axes(phase: _Phase) -> Iterator[ToolAxis]:
    """Yield the axis of a phase's treatments, or one for each factor where it has none."""
    if phase.treatments:
        named = [(name, phase.constants | values) for name, values in phase.treatments]
        yield ToolPoints(phase.name, points_of(phase.name, named))
        return
    for name, value in phase.constants.items():
        yield ToolValues(name, name, (value,))
    for name, levels in phase.factors.items():
        if levels:
            yield ToolValues(name, name, tuple(levels))
