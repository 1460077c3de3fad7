"""The functions of Hydra's overrides that make lists of values.

Source: facebookresearch/hydra, website/docs/advanced/override_grammar/extended.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Final, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.limits import MOST_VALUES


class HydraValueError(Exception):
    """A value that is not read.

    `what` is the syntax that makes no list of values, such as `glob()`; it is empty where the text
    does not follow the grammar.
    """

    def __init__(self, what: str = "") -> None:
        super().__init__(what)
        self.what = what


class TooManyChoicesError(HydraValueError):
    """A sweep over more values than an axis may have."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of a sweep over one parameter.

    `shuffled`: Hydra would take them by chance. `is_range`: they are those of `range()`.
    """

    values: tuple[JsonValue, ...]
    shuffled: bool = False
    is_range: bool = False


Result: TypeAlias = JsonValue | Choices
Arguments: TypeAlias = Sequence[tuple[str, Result]]
"""Names and values of a call; a name is empty where none is given."""

_Number: TypeAlias = int | float

#: Characters of a function's name that a note repeats.
_SHOWN: Final = 40


def choices_of(results: Iterable[Result]) -> Choices:
    """Return the values of all results, those of choices one by one.

    Raises:
        HydraValueError: they are more than an axis may have.
    """
    values: list[JsonValue] = []
    shuffled = False
    for result in results:
        if isinstance(result, Choices):
            values.extend(result.values)
            shuffled = shuffled or result.shuffled
        else:
            values.append(result)
    if len(values) > MOST_VALUES:
        raise TooManyChoicesError
    return Choices(tuple(values), shuffled)


def called(function: str, arguments: Arguments) -> Result:
    """Return the result of a call.

    Raises:
        HydraValueError: the function or its arguments are not supported.
    """
    if function not in _FUNCTIONS:
        raise HydraValueError(f"{function[:_SHOWN]}()")
    return _FUNCTIONS[function](arguments)


def _choice(arguments: Arguments) -> Result:
    return choices_of(_unnamed(arguments))


def _range(arguments: Arguments) -> Result:
    """Return `start, start + step, …` below `stop`; with one argument they begin at 0."""
    given = _bound(arguments, ("start", "stop", "step"))
    numbers = {name: _number(value) for name, value in given.items()}
    if "stop" not in numbers:
        numbers = {**numbers, "start": 0, "stop": numbers["start"]}
    start, stop, step = numbers["start"], numbers["stop"], numbers.get("step", 1)
    if step == 0:
        raise HydraValueError
    if all(isinstance(number, int) for number in (start, stop, step)):
        whole = range(int(start), int(stop), int(step))
        if len(whole[: MOST_VALUES + 1]) > MOST_VALUES:
            raise TooManyChoicesError
        return Choices(tuple(whole), is_range=True)
    steps = _steps(*(Decimal(str(number)) for number in (start, stop, step)))
    return Choices(tuple(steps), is_range=True)


def _steps(start: Decimal, stop: Decimal, step: Decimal) -> Iterable[float]:
    values: list[float] = []
    number = start
    while number < stop if step > 0 else number > stop:
        values.append(float(number))
        number = start + step * len(values)
        if len(values) > MOST_VALUES:
            raise TooManyChoicesError
    return values


def _sort(arguments: Arguments) -> Result:
    """Return choices, or one list, in order; `reverse` is the last of the options."""
    named = {name: value for name, value in arguments if name}
    given = [value for name, value in arguments if not name]
    given.extend(named.pop(name) for name in ("sweep", "list") if name in named)
    reverse = named.pop("reverse", False)
    if named or not given or not isinstance(reverse, bool):
        raise HydraValueError
    if len(given) == 1 and isinstance(given[0], list):
        return _in_order(given[0], reverse=reverse)
    choices = choices_of(given)
    ordered = _in_order(choices.values, reverse=reverse)
    return ordered[0] if len(ordered) == 1 else Choices(tuple(ordered))


def _in_order(values: Iterable[JsonValue], *, reverse: bool) -> list[JsonValue]:
    listed = list(values)
    if len(listed) == 1:
        return listed
    if all(isinstance(value, str) for value in listed):
        return sorted(listed, key=str, reverse=reverse)
    return sorted(listed, key=_number, reverse=reverse)


def _shuffle(arguments: Arguments) -> Result:
    """Return the values in their order, since a sweep measures all of them."""
    given = [value for name, value in arguments if name in {"", "sweep", "list"}]
    if len(given) < len(arguments):
        raise HydraValueError
    if len(given) == 1 and isinstance(given[0], list):
        raise HydraValueError("shuffle()")
    return replace(choices_of(given), shuffled=True)


def _tag(arguments: Arguments) -> Result:
    """Return a sweep without its tags."""
    *tags, (name, sweep) = arguments or [("", None)]
    if name not in {"", "sweep"} or not isinstance(sweep, Choices):
        raise HydraValueError
    if not all(isinstance(tag, str) for _, tag in tags):
        raise HydraValueError
    return sweep


def _cast(convert: Callable[[JsonValue], JsonValue], arguments: Arguments) -> Result:
    is_list = len(arguments) > 1
    value = choices_of(_unnamed(arguments)) if is_list else _bound(arguments, ("value",))["value"]
    if isinstance(value, Choices):
        # Hydra casts the limits of a range, not its values, and only to numbers.
        if value.is_range and convert is not _to_float and not _are_whole(value, convert):
            raise HydraValueError("range()")
        return replace(value, values=tuple(_converted(convert, one) for one in value.values))
    return _converted(convert, value)


def _are_whole(choices: Choices, convert: Callable[[JsonValue], JsonValue]) -> bool:
    return convert is _to_int and all(isinstance(value, int) for value in choices.values)


def _converted(convert: Callable[[JsonValue], JsonValue], value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_converted(convert, one) for one in value]
    if isinstance(value, dict):
        return {name: _converted(convert, one) for name, one in value.items()}
    try:
        return convert(value)
    except (LookupError, ValueError, OverflowError):
        raise HydraValueError from None


def _to_int(value: JsonValue) -> int:
    return int(_scalar(value))


def _to_float(value: JsonValue) -> float:
    return float(_scalar(value))


def _scalar(value: JsonValue) -> str | int | float:
    if isinstance(value, (str, int, float)):
        return value
    raise HydraValueError


def _to_str(value: JsonValue) -> str:
    text = str(_scalar(value))
    return text.lower() if isinstance(value, bool) else text


def _to_bool(value: JsonValue) -> bool:
    if isinstance(value, str):
        return {"true": True, "false": False}[value.lower()]
    return bool(value)


def _unnamed(arguments: Arguments) -> list[Result]:
    if any(name for name, _ in arguments):
        raise HydraValueError
    return [value for _, value in arguments]


def _bound(arguments: Arguments, names: Sequence[str]) -> dict[str, Result]:
    """Return arguments by the names of parameters; the first has to be given."""
    bound: dict[str, Result] = {}
    for position, (name, value) in enumerate(arguments):
        found = name or (names[position] if position < len(names) else "")
        if found not in names or found in bound:
            raise HydraValueError
        bound[found] = value
    if names[0] not in bound:
        raise HydraValueError
    return bound


def _number(value: Result) -> _Number:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise HydraValueError
    return value


_FUNCTIONS: Final[Mapping[str, Callable[[Arguments], Result]]] = {
    "choice": _choice,
    "range": _range,
    "sort": _sort,
    "shuffle": _shuffle,
    "tag": _tag,
    "int": partial(_cast, _to_int),
    "float": partial(_cast, _to_float),
    "str": partial(_cast, _to_str),
    "bool": partial(_cast, _to_bool),
}
