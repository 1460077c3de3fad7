"""The values of an axis as choices, each with what it sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.models.sweep import Axis, PointsAxis, Setting, ValuesAxis


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of an axis, and what it sets. Different values of one axis have different keys."""

    value: JsonValue
    key: str
    settings: tuple[Setting, ...]


Combination: TypeAlias = tuple[Choice, ...]
"""A choice for each axis, in the order of the axes."""


def choices_of(axis: Axis) -> tuple[Choice, ...]:
    """Return the choices of an axis, in its order; a value may occur twice."""
    if isinstance(axis, ValuesAxis):
        return tuple(_of_value(axis, value) for value in axis.values)
    return _of_points(axis)


def chosen(axis: Axis, value: JsonValue) -> Choice:
    """Return the choice of a value: one of the points, or any value of an axis of values."""
    if isinstance(axis, ValuesAxis):
        return _of_value(axis, value)
    return next(choice for choice in _of_points(axis) if choice.value == value)


def combination_key(combination: Sequence[Choice]) -> tuple[str, ...]:
    """Return what two combinations of the same axes share exactly when they are the same."""
    return tuple(choice.key for choice in combination)


def _of_value(axis: ValuesAxis, value: JsonValue) -> Choice:
    settings = tuple(Setting(target=target, value=value) for target in axis.targets)
    return Choice(value, value_key(value), settings)


def _of_points(axis: PointsAxis) -> tuple[Choice, ...]:
    return tuple(Choice(point.name, value_key(point.name), point.settings) for point in axis.points)
