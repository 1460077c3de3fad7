"""Another tool's sweep as a definition of ours."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.edits.path_text import is_flag_path
from benchmark_manager.domain.sweeps.definition import definition_json, read_definition
from benchmark_manager.domain.sweeps.importing.hydra import read_hydra
from benchmark_manager.domain.sweeps.importing.llm_d import read_llm_d
from benchmark_manager.domain.sweeps.importing.parameter_paths import ParameterPaths
from benchmark_manager.domain.sweeps.importing.request import ImportRequest, ToolFormat
from benchmark_manager.domain.sweeps.importing.tool_sweep import (
    ToolAxis,
    ToolPoint,
    ToolPoints,
    ToolSweep,
    ToolValues,
    line,
    note,
)
from benchmark_manager.domain.sweeps.importing.vllm import read_vllm
from benchmark_manager.domain.sweeps.importing.wandb import read_wandb
from benchmark_manager.domain.sweeps.targets import ValuePath, target_text, value_path
from benchmark_manager.models.record import Record
from benchmark_manager.models.sweep import (
    Assignments,
    Axis,
    AxisPoint,
    PointsAxis,
    Setting,
    SweepDefinition,
    SweepNote,
    Target,
    ValuesAxis,
)

_READERS: Final[Mapping[ToolFormat, Callable[[str], ToolSweep]]] = {
    "llm-d": read_llm_d,
    "hydra": read_hydra,
    "wandb": read_wandb,
}
#: Notes of one import; a text may have tens of thousands of unknown parameters.
_MOST_NOTES: Final = 500


class Imported(Record):
    """A definition, and notes on whatever of the other tool's could not be taken over.

    The definition has no axes, and so is none yet, where no parameter's target is known.
    """

    definition: SweepDefinition
    notes: tuple[SweepNote, ...]


def imported_sweep(request: ImportRequest, paths_of: Mapping[str, Iterable[str]]) -> Imported:
    """Take over another tool's sweep.

    It takes time in proportion to the texts, and a worker process has to be its caller.

    Args:
        request: the tool's texts, the files, and the targets that are known.
        paths_of: the paths of each file's values, by the file's alias.

    Raises:
        InvalidInputError: a text does not follow the tool's syntax, or its sweep is none of lists
            of values, or is too large.
        InvalidContentError: `invalid_yaml`.
    """
    sweep = _tool_sweep(request)
    paths = ParameterPaths(sweep.parameters, request.targets, paths_of)
    converter = _Converter(paths)
    axes = [axis for axis in map(converter.axis, sweep.axes) if axis is not None]
    definition = SweepDefinition(
        name=line(sweep.name) or request.format,
        description=sweep.description,
        files=request.files,
        axes=tuple(axes),
        exclude=tuple(_of_axes(sweep.exclude, {axis.name for axis in axes})),
    )
    if axes:
        definition = read_definition(definition_json(definition))
    notes = (*sweep.notes, *paths.notes(), *converter.notes)
    return Imported(definition=definition, notes=_listed(notes))


def _tool_sweep(request: ImportRequest) -> ToolSweep:
    if request.format == "vllm":
        return read_vllm(request.text, request.bench_text, request.link_vars)
    return _READERS[request.format](request.text)


class _Converter:
    """Gives axes the targets of their parameters, and notes what has none."""

    def __init__(self, paths: ParameterPaths) -> None:
        self._paths = paths
        self.notes: list[SweepNote] = []

    def axis(self, axis: ToolAxis) -> Axis | None:
        """Return the axis; None, and a note, if nothing of it has a target."""
        found = self._of_values(axis) if isinstance(axis, ToolValues) else self._of_points(axis)
        if found is None:
            self.notes.append(note("axis_left_out", axis.name))
        return found

    def _of_values(self, axis: ToolValues) -> ValuesAxis | None:
        targets = self._targets(axis.parameter, may_be_absent=axis.may_be_absent)
        # One axis sets one value everywhere: a flag has to take the text that others take as well.
        is_text = any(_is_flag(target) for target in targets)
        values = tuple(_flag_value(value) if is_text else value for value in axis.values)
        return ValuesAxis(name=axis.name, targets=targets, values=values) if targets else None

    def _of_points(self, axis: ToolPoints) -> PointsAxis | None:
        points = tuple(
            AxisPoint(name=point.name, settings=tuple(self._settings(point)))
            for point in axis.points
        )
        if not any(point.settings for point in points):
            return None
        return PointsAxis(name=axis.name, points=points)

    def _settings(self, point: ToolPoint) -> Iterator[Setting]:
        """Yield what a point sets; the first parameter that sets a path counts."""
        taken = set[ValuePath]()
        for setting in point.settings:
            for target in self._targets(setting.parameter, may_be_absent=setting.may_be_absent):
                path = value_path(target)
                if path in taken:
                    text = line(target_text(target))
                    self.notes.append(note("target_taken", setting.parameter, path=text))
                    continue
                taken.add(path)
                value = setting.value
                yield Setting(
                    target=target, value=_flag_value(value) if _is_flag(target) else value
                )

    def _targets(self, parameter: str, *, may_be_absent: bool) -> tuple[Target, ...]:
        targets = self._paths.targets_of(parameter)
        if not may_be_absent:
            return targets
        return tuple(
            Target(alias=target.alias, path=f"{target.path.removesuffix('?')}?")
            for target in targets
        )


def _is_flag(target: Target) -> bool:
    """Return whether a target is a command line flag in a list."""
    return is_flag_path(value_path(target)[1])


def _flag_value(value: JsonValue) -> JsonValue:
    """Return a value as the text of a flag: lists and objects are JSON there."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _of_axes(exclude: Iterable[Assignments], names: set[str]) -> Iterator[Assignments]:
    """Yield the entries of `exclude` whose axes were all taken over."""
    return (entry for entry in exclude if names.issuperset(entry))


def _listed(notes: Iterable[SweepNote]) -> tuple[SweepNote, ...]:
    """Return each note once, and how many there are beyond the limit."""
    unique = list({note.model_dump_json(): note for note in notes}.values())
    left_out = len(unique) - _MOST_NOTES
    if left_out > 0:
        unique[_MOST_NOTES:] = [SweepNote(code="notes_left_out", facts={"count": left_out})]
    return tuple(unique)
