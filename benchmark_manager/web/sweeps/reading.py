"""From a draft to a definition, with an error beside each field that is refused."""

import re
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Final, TypeVar, cast

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.typed_values import (
    TypedError,
    read_combinations,
    read_values,
    read_values_of_points,
    written_value,
)
from benchmark_manager.errors import BenchmarkManagerError, InvalidContentError, InvalidInputError
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.sweep import (
    Assignments,
    Axis,
    AxisPoint,
    CombineRule,
    PointsAxis,
    Setting,
    SweepContents,
    SweepDefinition,
    ValuesAxis,
)
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import error_words
from benchmark_manager.web.sweeps.drafts import SweepDraft, TypedAxis, typed_target
from benchmark_manager.web.sweeps.field_names import OF_AXIS, field_words

_Value = TypeVar("_Value")

_PLAIN: Final = ("name", "description", "combine", "repeats", "contents", "exclude", "include")

NO_NUMBER: Final = N_("Enter a whole number.")
NO_COMBINATION: Final = N_("Line %(line)s is no combination; write one such as seqs=512, tp=tp1.")
NO_VALUE: Final = N_(
    "Line %(line)s: the JSON is not complete, or an object in it has a name twice. A text that "
    "begins with [, { or a quotation mark is written as JSON too."
)
NO_TARGET: Final = N_("Add a value that this axis sets: choose it in the file.")
UNEQUAL: Final = N_("Give one value for each point: %(count)s. This has %(found)s.")


class DraftReader:
    """Reads one draft; what is refused stands in its `errors`."""

    def __init__(self, draft: SweepDraft, reader: Reader) -> None:
        self._draft = draft
        self._reader = reader

    def definition(self) -> SweepDefinition | None:
        """Return what the fields define, which the service checks; None if one cannot be read."""
        draft = self._draft
        axes = [self._axis(f"axis-{number}", axis) for number, axis in enumerate(draft.axes)]
        repeats = self._repeats()
        exclude, include = self._combinations("exclude"), self._combinations("include")
        if draft.errors:
            return None
        return SweepDefinition(
            name=draft.name,
            description=draft.description,
            files=tuple(file.swept for file in draft.files),
            axes=tuple(axes),
            combine=cast("CombineRule", draft.combine),
            exclude=exclude,
            include=include,
            repeats=repeats,
            contents=cast("SweepContents", draft.contents),
        )

    def without_targets(self) -> bool:
        """Return whether an axis sets nothing, with an error beside each that does not."""
        for number, axis in enumerate(self._draft.axes):
            if not axis.targets:
                self._refuse(f"axis-{number}", NO_TARGET)
        return bool(self._draft.errors)

    def _repeats(self) -> int:
        text = self._draft.repeats
        if text.isascii() and text.isdecimal() and len(text) < len(str(2**63)):
            return int(text)
        self._refuse("repeats", NO_NUMBER)
        return 1

    def _combinations(self, name: str) -> tuple[Assignments, ...]:
        try:
            return tuple(read_combinations(getattr(self._draft, name)))
        except TypedError as error:
            self._refuse(name, NO_COMBINATION, line=error.line)
            return ()

    def _axis(self, row: str, axis: TypedAxis) -> Axis:
        if not axis.own:
            targets = tuple(typed_target(each.target) for each in axis.targets)
            values = self._values(f"{row}-values", axis.values, read_values)
            return ValuesAxis(name=axis.name, targets=targets, values=tuple(values))
        columns = [
            self._values(f"{row}-values-{number}", target.values, read_values_of_points)
            for number, target in enumerate(axis.targets)
        ]
        names = [_text(name) for name in self._values(f"{row}-points", axis.points, read_values)]
        count = len(names) or max(map(len, columns), default=0)
        for number, column in enumerate(columns):
            if len(column) != count:
                self._refuse(f"{row}-values-{number}", UNEQUAL, count=count, found=len(column))
        return PointsAxis(
            name=axis.name,
            points=tuple(_points(axis, names or _named(columns, count), columns)),
        )

    def _values(self, name: str, text: str, read: Callable[[str], list[_Value]]) -> list[_Value]:
        """Return the values of a field; none if they are refused."""
        try:
            return read(text)
        except TypedError as error:
            self._refuse(name, NO_VALUE, line=error.line)
            return []

    def _refuse(self, name: str, sentence: str, **facts: int) -> None:
        self._draft.errors.setdefault(name, self._reader.words(sentence) % facts)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else written_value(value)


def _named(columns: Sequence[Sequence[tuple[JsonValue] | None]], count: int) -> list[str]:
    """Return names for points that have none: the first target's values, or numbers."""
    first = columns[0] if columns else ()
    names = ["" if value is None else _text(value[0])[:100] for value in first]
    usable = len(set(names)) == count and all(name.strip() for name in names)
    return names if usable else [str(number + 1) for number in range(count)]


def _points(
    axis: TypedAxis, names: Sequence[str], columns: Sequence[Sequence[tuple[JsonValue] | None]]
) -> Iterable[AxisPoint]:
    for number, name in enumerate(names):
        cells = [
            (target, column[number])
            for target, column in zip(axis.targets, columns, strict=True)
            if number < len(column)
        ]
        yield AxisPoint(
            name=name,
            settings=tuple(
                Setting(target=typed_target(target.target), value=value[0])
                for target, value in cells
                if value is not None
            ),
        )


def refuse(draft: SweepDraft, error: BenchmarkManagerError, reader: Reader) -> None:
    """Put a refusal beside the field that it is about."""
    if isinstance(error, InvalidContentError):
        draft.problems = tuple(each for each in error.problems if isinstance(each, Problem))
    if draft.mode == "yaml":
        draft.errors["yaml"] = error_words(reader, error)
        return
    draft.errors[_field(draft, error)] = error_words(reader, _readable(draft, error, reader))


def _readable(
    draft: SweepDraft, error: BenchmarkManagerError, reader: Reader
) -> BenchmarkManagerError:
    """Return the error with the field as the form calls it."""
    if not isinstance(error, InvalidInputError) or error.field is None:
        return error
    names = [axis.name for axis in draft.axes]
    named = copy(error)
    named.facts = {**error.facts, "field": field_words(error.field, names, reader)}
    return named


def _field(draft: SweepDraft, error: BenchmarkManagerError) -> str:
    """Return the name of the form's field that an error is about, or "" for the whole form."""
    given = str(error.field or "") if isinstance(error, InvalidInputError) else ""
    if (match := OF_AXIS.match(given)) is not None:
        return _field_of_axis(draft, int(match[1]), match[2] or "", int(match[3] or 0))
    head, _, alias = given.partition(".")
    if head == "files":
        aliases = [file.alias for file in draft.files]
        return f"file-{aliases.index(alias)}-alias" if alias in aliases else "files"
    plain = re.split(r"[.\[]", given)[0]
    if plain in _PLAIN:
        return plain
    return _field_of_path(draft, str(error.facts.get("path", "")))


def _field_of_axis(draft: SweepDraft, number: int, part: str, item: int) -> str:
    if number >= len(draft.axes):
        return "axes"
    axis, row = draft.axes[number], f"axis-{number}"
    if part == "set" and item < len(axis.targets):
        return f"{row}-set-{item}"
    return f"{row}-{part}" if part in {"name", "values", "points"} else row


def _field_of_path(draft: SweepDraft, path: str) -> str:
    """Return the field of the target with a path, for an error that names one."""
    for number, axis in enumerate(draft.axes):
        for item, target in enumerate(axis.targets):
            if path and typed_target(target.target).path == path:
                return f"axis-{number}-set-{item}"
    return ""
