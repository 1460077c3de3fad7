"""Two axes of which only some pairs belong together."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.importing.tool_sweep import (
    ToolAxis,
    ToolPoint,
    ToolPoints,
    ToolSetting,
    ToolValues,
    unique_names,
    values_text,
)
from benchmark_manager.domain.sweeps.limits import MOST_CELLS, MOST_VALUES
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import Assignments


@dataclass(frozen=True, slots=True)
class LinkedAxes:
    """Axes and what is excluded of their product; `kept` counts what is left."""

    axes: tuple[ToolAxis, ...]
    exclude: tuple[Assignments, ...]
    kept: int


def linked_axes(
    first: ToolAxis,
    second: ToolAxis,
    of_first: Sequence[Hashable],
    of_second: Sequence[Hashable],
) -> LinkedAxes:
    """Return the pairs of two axes whose identities are equal; None equals nothing.

    Where more pairs differ than can be listed, the pairs that are left become one axis.

    Raises:
        InvalidInputError: `too_many_cells`.
    """
    counts = Counter(identity for identity in of_second if identity is not None)
    kept = sum(counts[identity] for identity in of_first)
    known = counts.keys() & set(of_first)
    matched = sum(identity in known for identity in of_first)
    partners = sum(identity in known for identity in of_second)
    entries = len(of_first) - matched + len(of_second) - partners + matched * partners - kept
    if entries <= MOST_VALUES:
        exclude = _unlinked(first, second, of_first, of_second)
        unique = {value_key(dict(entry)): entry for entry in exclude}
        return LinkedAxes((first, second), tuple(unique.values()), kept)
    if kept > MOST_CELLS:
        raise InvalidInputError("too_many_cells", count=kept, limit=MOST_CELLS)
    return LinkedAxes((_joined(first, second, of_first, of_second),), (), kept)


def _unlinked(
    first: ToolAxis,
    second: ToolAxis,
    of_first: Sequence[Hashable],
    of_second: Sequence[Hashable],
) -> Iterator[Assignments]:
    """Yield what is not linked: values without any partner by themselves, others in pairs."""
    known = (set(of_first) & set(of_second)) - {None}
    partners = [
        (value, identity)
        for value, identity in zip(second.assigned, of_second, strict=True)
        if identity in known
    ]
    for value, identity in zip(first.assigned, of_first, strict=True):
        if identity not in known:
            yield {first.name: value}
            continue
        for other, other_identity in partners:
            if identity != other_identity:
                yield {first.name: value, second.name: other}
    for value, identity in zip(second.assigned, of_second, strict=True):
        if identity not in known:
            yield {second.name: value}


def _joined(
    first: ToolAxis,
    second: ToolAxis,
    of_first: Sequence[Hashable],
    of_second: Sequence[Hashable],
) -> ToolPoints:
    """Return one axis whose points are the linked pairs."""
    by_identity: dict[Hashable, list[ToolPoint]] = {}
    for point, identity in zip(_points(second), of_second, strict=True):
        by_identity.setdefault(identity, []).append(point)
    pairs = [
        (point, partner)
        for point, identity in zip(_points(first), of_first, strict=True)
        if identity is not None
        for partner in by_identity.get(identity, ())
    ]
    names = unique_names(f"{point.name}; {partner.name}" for point, partner in pairs)
    return ToolPoints(
        unique_names([f"{first.name} and {second.name}"])[0],
        tuple(
            ToolPoint(name, point.settings + partner.settings)
            for name, (point, partner) in zip(names, pairs, strict=True)
        ),
    )


def _points(axis: ToolAxis) -> list[ToolPoint]:
    if isinstance(axis, ToolPoints):
        return list(axis.points)
    return [_point(axis, value) for value in axis.values]


def _point(axis: ToolValues, value: JsonValue) -> ToolPoint:
    setting = ToolSetting(axis.parameter, value, axis.may_be_absent)
    return ToolPoint(values_text({axis.parameter: value}), (setting,))
