"""Settings and schemas that cost much together."""

import json
from collections.abc import Callable
from typing import Final

from support.hostile.text import HostileTexts, Operation, Texts

TEXTS: Final = HostileTexts()


def _held(settings: object, schema: object) -> Texts:
    """Settings that name the schema, and the schema."""
    return json.dumps({"$schema": "schema.json", "x": settings}), json.dumps(schema)


def _of_x(schema: object) -> object:
    return {"properties": {"x": schema}}


_SCHEMA: Final[Operation] = "schema"


def _schema_text(name: str, make: Callable[[int], Texts]) -> None:
    TEXTS.made_by(name, _SCHEMA, format="json")(make)


_schema_text(
    "schema: a pattern with many states",
    lambda size: _held(("a" * 401 + "d") * (size // 402) + "c", _of_x({"pattern": "a(a|b){400}c"})),
)
_schema_text(
    "schema: patterns of letters",
    lambda size: _held(
        "a", _of_x({"allOf": [{"pattern": f"\\p{{L}}{{2}}{n}"} for n in range(size // 30)]})
    ),
)
_schema_text(
    "schema: patterns that ignore case beyond ASCII",
    lambda size: _held("a", _of_x({"pattern": "(?i)" + "[!-\U0010ffff]" * (size // 15)})),
)
_schema_text(
    "schema: many small patterns",
    lambda size: _held("a", _of_x({"allOf": [{"pattern": f"^a{n}"} for n in range(size // 24)]})),
)
_schema_text(
    "schema: repetitions of repetitions",
    lambda size: _held("a" * size, _of_x({"pattern": "(((a{9}){9}){9}){9}b"})),
)
_schema_text(
    "schema: optional letters",
    lambda size: _held("ab" * (size // 2), _of_x({"pattern": "a(a?b?){300}cc"})),
)
_schema_text(
    "schema: a divisor near zero",
    lambda size: _held([1.5] * (size // 5), _of_x({"items": {"multipleOf": 1e-308}})),
)
_schema_text(
    "schema: a small divisor",
    lambda size: _held([1e300] * (size // 7), _of_x({"items": {"multipleOf": 0.1}})),
)
_schema_text(
    "schema: unlike large numbers",
    lambda size: _held([2**64 + n for n in range(size // 22)], _of_x({"uniqueItems": True})),
)
_schema_text(
    "schema: unlike lists of large numbers",
    lambda size: _held([[2**64 + n] for n in range(size // 24)], _of_x({"uniqueItems": True})),
)
_schema_text(
    "schema: unlike numbers",
    lambda size: _held(list(range(size // 7)), _of_x({"uniqueItems": True})),
)
_schema_text(
    "schema: alternatives that are objects",
    lambda size: _held(
        [{"a": -1}] * (size // 20),
        _of_x({"items": {"enum": [{"a": n} for n in range(size // 20)]}}),
    ),
)
_schema_text(
    "schema: fields that are missing from a long text",
    lambda size: _held(
        {"a": "x" * (size // 2)}, _of_x({"required": [f"f{n}" for n in range(size // 20)]})
    ),
)
_schema_text(
    "schema: fields that depend on one",
    lambda size: _held(
        {"a": "x" * (size // 2)},
        _of_x({"dependentRequired": {"a": [f"f{n}" for n in range(size // 20)]}}),
    ),
)
_schema_text(
    "schema: a part twice, again and again",
    lambda size: _held(
        "a" * size,
        {
            "properties": {"x": {"$ref": "#/$defs/d60"}},
            "$defs": {"d0": {"type": "string"}}
            | {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n - 1}"}] * 2} for n in range(1, 61)},
        },
    ),
)
_schema_text(
    "schema: many properties at every depth",
    lambda size: _held(
        json.loads('{"a":' * 100 + "1" + "}" * 100),
        {
            "properties": {f"a{n}": {"type": "string"} for n in range(size // 30)},
            "additionalProperties": {"$ref": "#"},
        },
    ),
)
_schema_text(
    "schema: companions for every depth",
    lambda size: _held(
        json.loads("[" * 100 + "1" + "]" * 100),
        {
            "patternProperties": {f"^a{n}$": {"type": "string"} for n in range(size // 40)},
            "items": {"$ref": "#"},
        },
    ),
)
_schema_text(
    "schema: unevaluated at every depth",
    lambda size: _held(
        [{"a": n} for n in range(size // 12)],
        _of_x(
            {
                "items": {
                    "allOf": [{"properties": {"b": True}}] * 20,
                    "unevaluatedProperties": {"type": "integer"},
                }
            }
        ),
    ),
)
_schema_text(
    "schema: an alias of a long text",
    lambda size: (
        f"# yaml-language-server: $schema=schema.json\na: &a {'x' * (size // 2)}\nx:\n"
        + "- *a\n" * (size // 10),
        json.dumps(_of_x({"items": {"type": "integer"}})),
    ),
)
_schema_text(
    "schema: wrong values",
    lambda size: _held(["a"] * (size // 5), _of_x({"items": {"type": "integer"}})),
)
_schema_text(
    "schema: none of many forms",
    lambda size: _held(
        ["a"] * (size // 5), _of_x({"items": {"anyOf": [{"type": "integer"}] * 50}})
    ),
)
