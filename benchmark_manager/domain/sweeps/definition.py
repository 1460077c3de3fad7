"""Definitions of sweeps: from the JSON that people send, and back to it.

Everything that is refused names its field, such as `axes[1].points[0].set`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from pydantic import JsonValue

from benchmark_manager.domain.fields import LONGEST_DESCRIPTION, LONGEST_ID, LONGEST_PATH
from benchmark_manager.domain.sweeps.axes import read_axes
from benchmark_manager.domain.sweeps.given import GivenValue, check_length, check_size, is_line
from benchmark_manager.domain.sweeps.limits import (
    LONGEST_ALIAS,
    LONGEST_ASSIGNMENTS,
    MOST_AXIS_SETTINGS,
    MOST_FILES,
    MOST_REPEATS,
    MOST_SETTINGS,
    MOST_VALUES,
)
from benchmark_manager.domain.sweeps.targets import is_alias, target_text
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import (
    Assignments,
    Axis,
    CombineRule,
    PointsAxis,
    SweepContents,
    SweepDefinition,
    SweptFile,
    ValuesAxis,
)

#: The field of what concerns a definition as a whole.
WHOLE: Final = "definition"
_REQUIRED: Final = ("name", "files", "axes")
_OPTIONAL: Final = ("description", "combine", "exclude", "include", "repeats", "contents")


def read_definition(value: JsonValue) -> SweepDefinition:
    """Return the sweep that a JSON value defines.

    Raises:
        InvalidInputError: `invalid_request`; `field` says which value is refused.
    """
    check_size(value, WHOLE)
    if not isinstance(value, dict):
        raise InvalidInputError("invalid_request", "object_expected", field=WHOLE)
    given = GivenValue(value, "").fields(_REQUIRED, _OPTIONAL)
    defaults = SweepDefinition.model_fields
    files = read_files(given["files"])
    axes = read_axes(given["axes"], [file.alias for file in files])
    definition = SweepDefinition(
        name=given["name"].name(),
        description=given["description"].text(LONGEST_DESCRIPTION)
        if "description" in given
        else "",
        files=files,
        axes=axes,
        combine=cast("CombineRule", _word(given, "combine", ("product", "zip"))),
        exclude=tuple(_assignments(given.get("exclude"), axes, complete=False)),
        include=tuple(_assignments(given.get("include"), axes, complete=True)),
        repeats=given["repeats"].whole_number(MOST_REPEATS)
        if "repeats" in given
        else int(defaults["repeats"].default),
        contents=cast("SweepContents", _word(given, "contents", ("originals", "all"))),
    )
    _check_whole(definition)
    return definition


def definition_json(definition: SweepDefinition) -> dict[str, JsonValue]:
    """Return the JSON of a definition, with every field; `read_definition` reads it back."""
    return {
        "name": definition.name,
        "description": definition.description,
        "files": files_json(definition.files),
        "axes": [_axis_json(axis) for axis in definition.axes],
        "combine": definition.combine,
        "exclude": [dict(entry) for entry in definition.exclude],
        "include": [dict(entry) for entry in definition.include],
        "repeats": definition.repeats,
        "contents": definition.contents,
    }


def read_files(given: GivenValue) -> tuple[SweptFile, ...]:
    """Return the files that a definition may edit, in their order.

    Raises:
        InvalidInputError: an alias or a file is not accepted, or a file has two aliases.
    """
    members = given.members()
    check_length(members, given.field, MOST_FILES, fewest=1)
    files: dict[tuple[str | None, str | None], SweptFile] = {}
    for alias, member in members.items():
        if not is_alias(alias):
            raise InvalidInputError(
                "invalid_request", "alias_expected", field=member.field, limit=LONGEST_ALIAS
            )
        file = _file(alias, member)
        other = files.setdefault((file.path, file.variant_id), file)
        if other is not file:
            raise InvalidInputError(
                "invalid_request", "file_twice", field=member.field, name=other.alias
            )
    return tuple(files.values())


def files_json(files: Iterable[SweptFile]) -> dict[str, JsonValue]:
    """Return the JSON of a definition's files."""
    return {file.alias: file_json(file) for file in files}


def file_json(file: SweptFile) -> JsonValue:
    """Return the JSON of one file: its path, or the id of the variant."""
    return file.path if file.path is not None else {"modified_file_id": file.variant_id}


def _file(alias: str, given: GivenValue) -> SweptFile:
    if isinstance(given.value, dict):
        named = given.fields(("modified_file_id",))["modified_file_id"]
        return SweptFile(alias=alias, variant_id=_line(named, LONGEST_ID))
    return SweptFile(alias=alias, path=_line(given, LONGEST_PATH))


def _line(given: GivenValue, longest: int) -> str:
    text = given.text(longest)
    if not is_line(text, longest):
        raise InvalidInputError(
            "invalid_request", "line_expected", field=given.field, limit=longest
        )
    return text


def _word(given: Mapping[str, GivenValue], field: str, words: Sequence[str]) -> str:
    """Return the word that a field has; the first one where the field is not given."""
    return given[field].word(words) if field in given else words[0]


def _assignments(
    given: GivenValue | None, axes: Sequence[Axis], *, complete: bool
) -> Iterable[Assignments]:
    """Yield the combinations that `exclude` or `include` lists, in the order of the axes."""
    if given is None:
        return
    points = {axis.name: _point_names(axis) for axis in axes}
    for entry in given.items(MOST_VALUES):
        members = entry.members()
        check_length(members, entry.field, len(axes), fewest=1)
        for name, member in members.items():
            _check_assignment(name, member, points)
        missing = next((name for name in points if complete and name not in members), None)
        if missing is not None:
            raise InvalidInputError(
                "invalid_request", "axis_missing", field=entry.field, name=missing
            )
        yield {name: members[name].value for name in points if name in members}


def _point_names(axis: Axis) -> frozenset[str] | None:
    """Return the names of an axis' points; None of an axis of values, which may have any."""
    return frozenset(point.name for point in axis.points) if isinstance(axis, PointsAxis) else None


def _check_assignment(
    axis: str, given: GivenValue, points: Mapping[str, frozenset[str] | None]
) -> None:
    if axis not in points:
        raise InvalidInputError(
            "invalid_request", "unknown_axis", field=given.field, names=tuple(points)
        )
    value, names = given.json(), points[axis]
    if names is not None and not (isinstance(value, str) and value in names):
        raise InvalidInputError("invalid_request", "unknown_point", field=given.field, name=axis)


def _check_whole(definition: SweepDefinition) -> None:
    """Accept a definition whose axes fit together, and whose cells are small enough to store."""
    if definition.combine == "zip":
        _check_equal_lengths(definition.axes)
    settings = sum(_most_settings(axis) for axis in definition.axes)
    if settings > MOST_SETTINGS:
        raise InvalidInputError(
            "invalid_request", "too_many_settings", field="axes", limit=MOST_SETTINGS
        )
    included_count = len(definition.include)
    if sum(_all_settings(axis, included_count) for axis in definition.axes) > MOST_AXIS_SETTINGS:
        raise InvalidInputError(
            "invalid_request", "too_many_axis_settings", field="axes", limit=MOST_AXIS_SETTINGS
        )
    longest = sum(_longest_value(axis) for axis in definition.axes)
    included = max((len(value_key(dict(entry))) for entry in definition.include), default=0)
    if max(longest, included) > LONGEST_ASSIGNMENTS:
        raise InvalidInputError(
            "invalid_request", "values_too_long", field="axes", limit=LONGEST_ASSIGNMENTS
        )


def _check_equal_lengths(axes: Sequence[Axis]) -> None:
    expected = axis_length(axes[0])
    for number, axis in enumerate(axes):
        if axis_length(axis) != expected:
            raise InvalidInputError(
                "invalid_request",
                "lengths_differ",
                field=f"axes[{number}]",
                expected=expected,
                found=axis_length(axis),
            )


def axis_length(axis: Axis) -> int:
    """Return how many values or points an axis has."""
    return len(axis.values if isinstance(axis, ValuesAxis) else axis.points)


def _most_settings(axis: Axis) -> int:
    if isinstance(axis, ValuesAxis):
        return len(axis.targets)
    return max(len(point.settings) for point in axis.points)


def _all_settings(axis: Axis, included: int) -> int:
    """Return what an axis of values sets at most; the points of others are given one by one."""
    if isinstance(axis, ValuesAxis):
        return len(axis.targets) * (len(axis.values) + included)
    return 0


def _longest_value(axis: Axis) -> int:
    if isinstance(axis, ValuesAxis):
        return len(axis.name) + max(len(value_key(value)) for value in axis.values)
    return len(axis.name) + max(len(point.name) for point in axis.points)


def _axis_json(axis: Axis) -> JsonValue:
    if isinstance(axis, ValuesAxis):
        targets: list[JsonValue] = [target_text(target) for target in axis.targets]
        return {
            "name": axis.name,
            "set": targets if len(targets) > 1 else targets[0],
            "values": list(axis.values),
        }
    return {
        "name": axis.name,
        "points": [
            {
                "name": point.name,
                "set": {target_text(setting.target): setting.value for setting in point.settings},
            }
            for point in axis.points
        ],
    }
