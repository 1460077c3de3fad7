"""A definition as it is in a form, complete or not."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from benchmark_manager.domain.sweeps.targets import target_text
from benchmark_manager.domain.sweeps.typed_values import (
    UNSET,
    written_combinations,
    written_value,
    written_values,
)
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.sweep import (
    Axis,
    PointsAxis,
    SweepDefinition,
    SweptFile,
    Target,
    ValuesAxis,
)
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.sweeps.target_names import last_name

Mode: TypeAlias = Literal["form", "yaml"]

#: More than a definition may have, and fewer than a form may.
_MOST_ROWS: Final = 60
_MOST_TARGETS: Final = 250
#: Characters of all fields that a page shows.
MOST_FIELDS: Final = 60_000
_AXIS: Final = re.compile(r"axis-\d+")
#: The value of `picked` by which a picked value becomes a new axis.
NEW_AXIS: Final = "new"


@dataclass(slots=True)
class TypedFile:
    """A file under an alias. Of a variant, `path` is its own path, which is only shown."""

    alias: str
    path: str
    variant_id: str = ""

    @property
    def swept(self) -> SweptFile:
        """Return the file as a definition names it."""
        if self.variant_id:
            return SweptFile(alias=self.alias, variant_id=self.variant_id)
        return SweptFile(alias=self.alias, path=self.path)


@dataclass(slots=True)
class TypedTarget:
    """A target as `ALIAS:PATH`, and its values where each target has its own."""

    target: str = ""
    values: str = ""

    @property
    def called(self) -> str:
        """The last key or flag of the target, or all of it."""
        return last_name(self.target.partition(":")[2].removesuffix("?")) or self.target


@dataclass(slots=True)
class TypedAxis:
    """An axis; with `own`, one of points: `points` has their names."""

    name: str = ""
    targets: list[TypedTarget] = field(default_factory=list)
    values: str = ""
    own: bool = False
    points: str = ""


@dataclass(slots=True)
class SweepDraft:
    """What was typed, and the errors by field; "" is the form as a whole.

    `mode` says which of the two is meant: the fields, or `yaml`. `kept_yaml` is the YAML as it was
    when the fields were left for it: while it is unchanged, the fields still mean the same.
    """

    mode: Mode = "form"
    name: str = ""
    description: str = ""
    files: list[TypedFile] = field(default_factory=list)
    axes: list[TypedAxis] = field(default_factory=list)
    combine: str = "product"
    exclude: str = ""
    include: str = ""
    repeats: str = "1"
    contents: str = "originals"
    yaml: str = ""
    kept_yaml: str = ""
    new_file: str = ""
    #: The alias of the file whose lines are shown, and the part of them.
    shown: str = ""
    part: int = 1
    picked: str = NEW_AXIS
    revision: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    #: The id of the field that is filled in next.
    focus: str = ""
    unsaved: bool = False

    @classmethod
    def of(
        cls, definition: SweepDefinition, variant_paths: Mapping[str, str], revision: int = 0
    ) -> "SweepDraft":
        """Return the draft of a definition; `variant_paths` are by the ids of variants."""
        return cls(
            name=definition.name,
            description=definition.description,
            files=[
                TypedFile(file.alias, file.path)
                if file.path is not None
                else TypedFile(
                    file.alias,
                    variant_paths.get(file.variant_id or "", file.variant_id or ""),
                    file.variant_id or "",
                )
                for file in definition.files
            ],
            axes=[_typed_axis(axis) for axis in definition.axes],
            combine=definition.combine,
            exclude=written_combinations(definition.exclude),
            include=written_combinations(definition.include),
            repeats=str(definition.repeats),
            contents=definition.contents,
            revision=revision,
        )

    @classmethod
    def typed(cls, form: Form) -> "SweepDraft":
        """Read a form, and keep what was typed even if it is not valid."""
        return cls(
            mode="yaml" if form.text("mode") == "yaml" else "form",
            name=form.line("name"),
            description=_lines(form.text("description")),
            files=[_read_file(form, f"file-{number}") for number in _rows(form, "files")],
            axes=[_read_axis(form, f"axis-{number}") for number in _rows(form, "axes")],
            combine="zip" if form.text("combine") == "zip" else "product",
            exclude=_lines(form.text("exclude")),
            include=_lines(form.text("include")),
            repeats=form.line("repeats"),
            contents="all" if form.text("contents") == "all" else "originals",
            yaml=_lines(form.text("yaml")),
            kept_yaml=_lines(form.text("kept_yaml")),
            new_file=form.line("new_file"),
            shown=form.text("shown"),
            part=min(form.number("part") or 1, 1_000_000_000),
            picked=form.text("picked") or NEW_AXIS,
            revision=form.number("revision") or 0,
            unsaved=True,
        )

    def settle(self) -> None:
        """Give the fields that a changed choice shows what those that it hides had."""
        for axis in self.axes:
            if axis.own and not any(target.values for target in axis.targets):
                for target in axis.targets:
                    target.values = axis.values
            elif not axis.own and not axis.values:
                axis.values = next((each.values for each in axis.targets if each.values), "")

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield the fields of the definition as the form sends them, but for `mode` and `yaml`."""
        for name in ("name", "description", "combine", "exclude", "include", "repeats", "contents"):
            yield name, getattr(self, name)
        yield "files", str(len(self.files))
        for number, file in enumerate(self.files):
            yield f"file-{number}-alias", file.alias
            yield f"file-{number}-path", file.path
            yield f"file-{number}-variant", file.variant_id
        yield "axes", str(len(self.axes))
        for number, axis in enumerate(self.axes):
            yield from _axis_fields(f"axis-{number}", axis)

    @property
    def first_error(self) -> str:
        """The field of the first error; of an axis as a whole, its name; "" if there is none."""
        name = next(iter(self.errors), "")
        return f"{name}-name" if _AXIS.fullmatch(name) else name

    @property
    def size(self) -> int:
        """The characters of all fields."""
        return sum(len(value) for _, value in self.fields())

    @property
    def targets(self) -> Mapping[str, int]:
        """The number of the axis that each target belongs to."""
        return {
            target.target.removesuffix("?"): number
            for number, axis in enumerate(self.axes)
            for target in axis.targets
        }


def _lines(text: str) -> str:
    """Turn the CRLF that browsers send back into LF."""
    return text.replace("\r\n", "\n")


def _rows(form: Form, name: str, most: int = _MOST_ROWS) -> range:
    return range(min(form.number(name) or 0, most))


def _read_file(form: Form, row: str) -> TypedFile:
    return TypedFile(
        form.line(f"{row}-alias"), form.text(f"{row}-path"), form.text(f"{row}-variant")
    )


def _read_axis(form: Form, row: str) -> TypedAxis:
    return TypedAxis(
        form.line(f"{row}-name"),
        [
            TypedTarget(
                form.line(f"{row}-set-{number}"), _lines(form.text(f"{row}-values-{number}"))
            )
            for number in _rows(form, f"{row}-targets", _MOST_TARGETS)
        ],
        _lines(form.text(f"{row}-values")),
        form.ticked(f"{row}-own"),
        _lines(form.text(f"{row}-points")),
    )


def _axis_fields(row: str, axis: TypedAxis) -> Iterator[tuple[str, str]]:
    yield f"{row}-name", axis.name
    yield f"{row}-values", axis.values
    if axis.own:
        yield f"{row}-own", "1"
    yield f"{row}-points", axis.points
    yield f"{row}-targets", str(len(axis.targets))
    for number, target in enumerate(axis.targets):
        yield f"{row}-set-{number}", target.target
        yield f"{row}-values-{number}", target.values


def _typed_axis(axis: Axis) -> TypedAxis:
    if isinstance(axis, ValuesAxis):
        targets = [TypedTarget(target_text(target)) for target in axis.targets]
        return TypedAxis(axis.name, targets, written_values(axis.values))
    points = written_values([point.name for point in axis.points])
    return TypedAxis(axis.name, _columns(axis), own=True, points=points)


def _columns(axis: PointsAxis) -> list[TypedTarget]:
    """Return each target of an axis of points with its value in every point."""
    columns: dict[str, list[str]] = {}
    for number, point in enumerate(axis.points):
        for setting in point.settings:
            column = columns.setdefault(target_text(setting.target), [UNSET] * len(axis.points))
            column[number] = written_value(setting.value)
    return [TypedTarget(target, ", ".join(values)) for target, values in columns.items()]


def typed_target(text: str) -> Target:
    """Return a target as it was typed, complete or not."""
    alias, _, path = text.partition(":")
    return Target(alias=alias, path=path)


def free_name(wanted: str, taken: Iterable[str], fallback: str) -> str:
    """Return a name that no other has."""
    used, name = set(taken), wanted or fallback
    numbers: Sequence[int] = range(2, len(used) + 3)
    return next(
        each for each in (name, *(f"{name}-{number}" for number in numbers)) if each not in used
    )
