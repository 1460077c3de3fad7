"""Bound the work that an untrusted JSON Schema makes, before any of it is done.

A schema of a kilobyte can need more steps than there are atoms: `allOf` with the same `$ref` twice,
on sixty levels. No validator limits that, so an upper bound of the steps on the longest path into a
text is computed first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.schemas.patterns import PatternCosts, PatternsRefusedError
from benchmark_manager.domain.validation.texts.yaml_values import Value

MAX_COST: Final = 20_000_000
"""Steps on one path down times the text's characters; a validator needs up to two seconds."""

#: Steps for a character where numbers are divided exactly, as fractions of up to a thousand digits.
_DIVISION_COST: Final = 60
_COMPARED_HUGE_NUMBERS: Final = 4
#: Nested sub-schemas on one path down; real schemas have fewer than 60.
_MAX_HEIGHT: Final = 150
_MAX_VISITS: Final = 100_000
_MAX_QUESTIONS: Final = 1_000_000
_MAX_INDEX_DIGITS: Final = 5
#: Elements of a keyword's value that are compared in the time of one step.
_COMPARED_AT_ONCE: Final = 16

_IN_PLACE: Final = ("not", "if", "then", "else")
_IN_PLACE_LISTS: Final = ("allOf", "anyOf", "oneOf")
_IN_PLACE_MAPS: Final = ("dependentSchemas", "dependencies")
_FOREIGN: Final = ("$dynamicRef", "$recursiveRef")
_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")

_Bound: TypeAlias = tuple[int, int]
"""Steps, and the number of nested sub-schemas."""


class SchemaRefusedError(Exception):
    """The schema is not used; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class TextExtent:
    """The size of a text's values.

    Attributes:
        depth: levels of nested collections.
        values: the number of values.
        characters: the number of characters in keys and values.
        huge_numbers: the number of whole numbers beyond 64 bits.
    """

    depth: int
    values: int
    characters: int
    huge_numbers: int


def check_cost(schema: Value, extent: TextExtent) -> int:
    """Return the steps that a schema needs for each character on any one path down.

    Args:
        schema: the parsed schema, itself of bounded depth.
        extent: the size of all documents of the text, with aliases expanded.

    Raises:
        SchemaRefusedError: it refers to another file, or to itself without end, or its cost is over
            `MAX_COST`.
    """
    try:
        patterns = PatternCosts(schema)
    except PatternsRefusedError as error:
        raise SchemaRefusedError(str(error)) from None
    steps, _ = _Counter(schema, patterns, extent.huge_numbers).bound(schema, extent.depth, 0)
    if steps * (extent.characters + extent.values) > MAX_COST:
        raise SchemaRefusedError("could take too long on this file")
    return steps


class _Counter:
    """Bounds the steps of a sub-schema on any one path down, and remembers results."""

    def __init__(self, root: Value, patterns: PatternCosts, huge_numbers: int) -> None:
        self._root = root
        self._patterns = patterns
        self._huge_numbers = huge_numbers
        self._questions = 0
        self._own: dict[int, int] = {}
        self._known: dict[tuple[int, int], _Bound | None] = {}

    def bound(self, schema: Value, depth: int, above: int) -> _Bound:
        self._questions += 1
        if self._questions > _MAX_QUESTIONS:
            raise SchemaRefusedError("is too large for a file as deep as this")
        if not isinstance(schema, dict):
            return 1, 1
        key = id(schema), depth
        if key in self._known:
            known = self._known[key]
            if known is None:
                raise SchemaRefusedError("refers to itself without end")
        else:
            if len(self._known) > _MAX_VISITS:
                raise SchemaRefusedError("is too large for a file as deep as this")
            self._known[key] = None
            known = self._known[key] = self._counted(schema, depth, above)
        if above + known[1] > _MAX_HEIGHT:
            raise SchemaRefusedError("is nested too deep")
        return known

    def _counted(self, schema: dict[str, Value], depth: int, above: int) -> _Bound:
        if above > _MAX_HEIGHT:
            raise SchemaRefusedError("is nested too deep")
        steps, height = self._own_steps(schema), 0
        # A validator runs the sub-schemas twice to find out what is unevaluated.
        times = 2 if any(name in schema for name in _UNEVALUATED) else 1
        for part in self._in_place(schema):
            found = self.bound(part, depth, above + 1)
            steps, height = steps + times * found[0], max(height, found[1])
        if depth > 0:
            found = self._children(schema, depth - 1, above + 1)
            steps, height = steps + found[0], max(height, found[1])
        return min(steps, MAX_COST + 1), height + 1

    def _own_steps(self, schema: dict[str, Value]) -> int:
        """Return the steps for a character of a sub-schema's own keywords, without nested ones."""
        known = self._own.get(id(schema))
        if known is None:
            compared = sum(_compared(value) for value in schema.values())
            # Whole collections are compared one by one.
            alternatives = schema.get("enum")
            whole = (
                sum(isinstance(one, (dict, list)) for one in alternatives)
                if isinstance(alternatives, list)
                else 0
            )
            keys = schema.get("patternProperties")
            patterns = [schema.get("pattern"), *(keys if isinstance(keys, dict) else ())]
            known = (
                1 + compared // _COMPARED_AT_ONCE + whole + sum(map(self._patterns.of, patterns))
            )
            if not isinstance(schema.get("multipleOf", 1), int):
                known += _DIVISION_COST
            if schema.get("uniqueItems") is True:
                # In the library all numbers beyond 64 bits have the same hash, so each is compared
                # with all others.
                known += _COMPARED_HUGE_NUMBERS * self._huge_numbers
            self._own[id(schema)] = known
        return known

    def _in_place(self, schema: dict[str, Value]) -> Iterator[Value]:
        """Yield the sub-schemas that apply to the same value."""
        if any(name in schema for name in _FOREIGN):
            raise SchemaRefusedError("uses references that are resolved while it runs")
        if schema is not self._root and isinstance(schema.get("$id"), str):
            raise SchemaRefusedError("has an $id inside")
        if isinstance(schema.get("$ref"), str):
            yield self._resolved(schema["$ref"])
        yield from (schema[name] for name in _IN_PLACE if name in schema)
        for name in _IN_PLACE_LISTS:
            yield from _parts(schema.get(name))
        for name in _IN_PLACE_MAPS:
            yield from _parts(schema.get(name))

    def _children(self, schema: dict[str, Value], depth: int, above: int) -> _Bound:
        """Bound the sub-schemas for the value's parts: the worst alternative and all companions."""
        members = [*_parts(schema.get("properties")), schema.get("additionalProperties")]
        items = [*_parts(schema.get("prefixItems")), schema.get("additionalItems")]
        items += (
            _parts(schema.get("items"))
            if isinstance(schema.get("items"), list)
            else [schema.get("items")]
        )
        together = [*_parts(schema.get("patternProperties"))]
        together += [schema.get(name) for name in ("contains", "propertyNames", *_UNEVALUATED)]
        worst = [self.bound(part, depth, above) for part in (*members, *items)]
        extra = [self.bound(part, depth, above) for part in together if part is not None]
        steps = max((found[0] for found in worst), default=0) + sum(found[0] for found in extra)
        return steps, max((found[1] for found in (*worst, *extra)), default=0)

    def _resolved(self, reference: str) -> Value:
        if reference != "#" and not reference.startswith("#/"):
            raise SchemaRefusedError(f"refers to {excerpt(reference)}, which is not inside it")
        value = self._root
        for step in reference[2:].split("/") if len(reference) > 1 else ():
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if (
                isinstance(value, list)
                and name.isdecimal()
                and len(name) <= _MAX_INDEX_DIGITS
                and int(name) < len(value)
            ):
                value = value[int(name)]
            elif isinstance(value, dict) and name in value:
                value = value[name]
            else:
                raise SchemaRefusedError(f"refers to {excerpt(reference)}, which it lacks")
        return value


def _compared(value: Value) -> int:
    """Count the elements of a keyword's value, with the elements of lists inside it."""
    if not isinstance(value, (dict, list)):
        return 0
    inside = value.values() if isinstance(value, dict) else value
    return len(value) + sum(len(part) for part in inside if isinstance(part, list))


def _parts(value: Value) -> list[Value]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
