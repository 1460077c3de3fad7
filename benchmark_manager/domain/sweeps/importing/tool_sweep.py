"""A sweep as another tool defines it, by the tool's own names of parameters."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.fields import LONGEST_DESCRIPTION, LONGEST_NAME
from benchmark_manager.domain.sweeps.given import GivenValue, check_size
from benchmark_manager.domain.sweeps.limits import DEEPEST_DEFINITION
from benchmark_manager.domain.text.characters import shown
from benchmark_manager.domain.text.json_line import json_line
from benchmark_manager.domain.text.strict_json import (
    RepeatedNameError,
    refuse_constant,
    unique_members,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import Assignments, SweepNote

#: Characters of one value in the name of a point.
_LONGEST_VALUE: Final = 60
#: Characters that a number behind a name may take, as in `tp1 #12`.
_NUMBER_ROOM: Final = 6


@dataclass(frozen=True, slots=True)
class ToolSetting:
    """A value of a parameter; `may_be_absent` says that the file need not have it."""

    parameter: str
    value: JsonValue
    may_be_absent: bool = False


@dataclass(frozen=True, slots=True)
class ToolValues:
    """An axis that gives one parameter each of its values."""

    name: str
    parameter: str
    values: tuple[JsonValue, ...]
    may_be_absent: bool = False

    @property
    def assigned(self) -> tuple[JsonValue, ...]:
        """Return what combinations call the values."""
        return self.values

    @property
    def parameters(self) -> set[str]:
        """Return the names of the parameters that the axis gives values."""
        return {self.parameter}


@dataclass(frozen=True, slots=True)
class ToolPoint:
    """Values that are given together, under a name."""

    name: str
    settings: tuple[ToolSetting, ...]


@dataclass(frozen=True, slots=True)
class ToolPoints:
    """An axis whose values are points, with unique names."""

    name: str
    points: tuple[ToolPoint, ...]

    @property
    def assigned(self) -> tuple[JsonValue, ...]:
        """Return what combinations call the points."""
        return tuple(point.name for point in self.points)

    @property
    def parameters(self) -> set[str]:
        """Return the names of the parameters that the axis gives values."""
        return {setting.parameter for point in self.points for setting in point.settings}


ToolAxis: TypeAlias = ToolValues | ToolPoints


@dataclass(frozen=True, slots=True)
class ToolSweep:
    """The product of axes with unique names, the last one fastest, less `exclude`.

    `notes` are on what could not be taken over.
    """

    name: str
    axes: tuple[ToolAxis, ...]
    description: str = ""
    exclude: tuple[Assignments, ...] = ()
    notes: tuple[SweepNote, ...] = ()

    @property
    def parameters(self) -> set[str]:
        """Return the names of all parameters."""
        return {name for axis in self.axes for name in axis.parameters}


def note(code: str, name: str, **facts: str | int) -> SweepNote:
    """Return a note on what a tool calls `name`."""
    return SweepNote(code=code, facts={"name": line(name), **facts})


def line(text: str) -> str:
    """Return a text as one line that can be a name, shortened where it is too long."""
    visible = "".join(character if character.isprintable() else " " for character in text)
    shown = visible.strip()
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"


def text_of(members: Mapping[str, GivenValue], name: str) -> str:
    """Return the beginning of a text such as a description; "" where there is no text."""
    value = members[name].value if name in members else ""
    return value[:LONGEST_DESCRIPTION] if isinstance(value, str) else ""


def unique_names(names: Iterable[str]) -> list[str]:
    """Return lines of these texts, numbered where they are the same."""
    taken = set[str]()
    counts: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        plain = line(name) or "-"
        found = plain
        while found in taken:
            counts[plain] = counts.get(plain, 1) + 1
            found = f"{plain[: LONGEST_NAME - _NUMBER_ROOM]} #{counts[plain]}"
        taken.add(found)
        unique.append(found)
    return unique


def named_axes(axes: Sequence[ToolAxis]) -> tuple[ToolAxis, ...]:
    """Return axes with unique names."""
    names = unique_names(axis.name for axis in axes)
    return tuple(replace(axis, name=name) for axis, name in zip(axes, names, strict=True))


def values_text(settings: Mapping[str, JsonValue]) -> str:
    """Return a name for values that have none: `max_num_seqs=128, tensor_parallel_size=2`."""
    return ", ".join(f"{name}={_value_text(value)}" for name, value in settings.items())


def points_of(
    name: str, named: Sequence[tuple[str, Mapping[str, JsonValue]]]
) -> tuple[ToolPoint, ...]:
    """Return points with unique names; one without a name is named by its values."""
    names = unique_names(given or values_text(settings) or name for given, settings in named)
    return tuple(
        ToolPoint(unique, tuple(ToolSetting(*setting) for setting in settings.items()))
        for unique, (_, settings) in zip(names, named, strict=True)
    )


def read_json(text: str, field: str) -> JsonValue:
    """Return the value of a JSON text in which no object has a name twice.

    Raises:
        InvalidInputError: `invalid_request`: the text is no such JSON. The reason is
            `json_expected`, `member_twice`, `too_deep` or `too_large`, or `not_json` for a number
            that JSON has not, or of too many digits.
    """
    try:
        value: JsonValue = json.loads(
            text, object_pairs_hook=unique_members, parse_constant=refuse_constant
        )
    except RepeatedNameError as error:
        name = shown(error.name)
        raise InvalidInputError("invalid_request", "member_twice", field=field, name=name) from None
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            "invalid_request", "json_expected", field=field, position=error.pos
        ) from None
    except ValueError:
        raise InvalidInputError("invalid_request", "not_json", field=field) from None
    except RecursionError:
        raise InvalidInputError(
            "invalid_request", "too_deep", field=field, limit=DEEPEST_DEFINITION
        ) from None
    check_size(value, field)
    return value


def _value_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json_line(value, _LONGEST_VALUE)
