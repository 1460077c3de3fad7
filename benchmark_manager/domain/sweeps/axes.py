"""The axes of a definition, from the JSON that people send."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from benchmark_manager.domain.sweeps.given import GivenValue, check_length
from benchmark_manager.domain.sweeps.limits import MOST_AXES, MOST_SETTINGS, MOST_VALUES
from benchmark_manager.domain.sweeps.targets import read_target, value_path, value_path_text
from benchmark_manager.domain.text.characters import shown
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import (
    Axis,
    AxisPoint,
    PointsAxis,
    Setting,
    Target,
    ValuesAxis,
)

_OF_VALUES: Final = frozenset({"set", "values"})
_OF_POINTS: Final = frozenset({"points"})


def read_axes(given: GivenValue, aliases: Collection[str]) -> tuple[Axis, ...]:
    """Return the axes that were given; their targets are in the files with these aliases.

    Raises:
        InvalidInputError: `field` says which value is refused.
    """
    items = given.items(MOST_AXES, fewest=1)
    axes = tuple(_axis(item, aliases) for item in items)
    _check_names([axis.name for axis in axes], given.field)
    return axes


def _axis(given: GivenValue, aliases: Collection[str]) -> Axis:
    fields = given.fields(("name",), ("set", "values", "points"))
    name = fields["name"].name()
    kind = frozenset(fields) - {"name"}
    if kind == _OF_POINTS:
        return PointsAxis(name=name, points=_points(fields["points"], aliases))
    if kind != _OF_VALUES:
        raise InvalidInputError("invalid_request", "values_or_points", field=given.field)
    values = [item.json() for item in fields["values"].items(MOST_VALUES, fewest=1)]
    return ValuesAxis(name=name, targets=_targets(fields["set"], aliases), values=tuple(values))


def _targets(given: GivenValue, aliases: Collection[str]) -> tuple[Target, ...]:
    """Return the targets of an axis: one, or a list."""
    if isinstance(given.value, str):
        return (read_target(given, aliases),)
    items = given.items(MOST_SETTINGS, fewest=1)
    targets = tuple(read_target(item, aliases) for item in items)
    _check_targets(targets, given.field)
    return targets


def _points(given: GivenValue, aliases: Collection[str]) -> tuple[AxisPoint, ...]:
    items = given.items(MOST_VALUES, fewest=1)
    points = tuple(_point(item, aliases) for item in items)
    _check_names([point.name for point in points], given.field)
    return points


def _point(given: GivenValue, aliases: Collection[str]) -> AxisPoint:
    fields = given.fields(("name", "set"))
    settings = tuple(_settings(fields["set"], aliases))
    _check_targets([setting.target for setting in settings], fields["set"].field)
    return AxisPoint(name=fields["name"].name(), settings=settings)


def _settings(given: GivenValue, aliases: Collection[str]) -> Iterator[Setting]:
    """Yield what a point sets; errors name the whole object, as paths have dots of their own."""
    members = given.members()
    check_length(members, given.field, MOST_SETTINGS)
    for name, member in members.items():
        target = read_target(GivenValue(name, given.field), aliases)
        yield Setting(target=target, value=GivenValue(member.value, given.field).json())


def _check_names(names: Sequence[str], field: str) -> None:
    """Accept the names of axes or points if they are unique."""
    number = _repeated(names)
    if number is not None:
        raise InvalidInputError(
            "invalid_request",
            "name_twice",
            field=f"{field}[{number}].name",
            name=shown(names[number]),
        )


def _check_targets(targets: Sequence[Target], field: str) -> None:
    """Accept targets of which no two are the same path of a file."""
    paths = [value_path_text(value_path(target)) for target in targets]
    number = _repeated(paths)
    if number is not None:
        name = shown(paths[number])
        raise InvalidInputError("invalid_request", "target_twice", field=field, name=name)


def _repeated(names: Sequence[str]) -> int | None:
    """Return the position of the first name that occurs before."""
    seen = set[str]()
    for number, name in enumerate(names):
        if name in seen:
            return number
        seen.add(name)
    return None
