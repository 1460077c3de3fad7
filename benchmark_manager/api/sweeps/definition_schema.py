"""The JSON schema of a sweep's definition, for the OpenAPI document.

`domain.sweeps.definition` reads definitions, and names the field of whatever it refuses. So routes
take any object.
"""

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, GetJsonSchemaHandler, JsonValue, RootModel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from benchmark_manager.domain.fields import LONGEST_DESCRIPTION, LONGEST_NAME, LONGEST_PATH
from benchmark_manager.domain.sweeps.importing.request import FORMATS
from benchmark_manager.domain.sweeps.limits import (
    MOST_AXES,
    MOST_FILES,
    MOST_REPEATS,
    MOST_VALUES,
)

_TARGET: Final = {
    "type": "string",
    "description": "`ALIAS:PATH`: a file's alias, and a path as differences show it. "
    "`args[--flag]` is the value of a command line flag; a path that ends in `?` may be absent, "
    "and is added then.",
    "examples": ["engine:engine.max_num_seqs"],
}
_NAME: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_VALUE: Final = {"description": "Any JSON value."}
_COMBINATIONS: Final = {
    "type": "array",
    "maxItems": MOST_VALUES,
    "items": {"type": "object", "additionalProperties": _VALUE},
}
_VALUES_AXIS: Final = {
    "type": "object",
    "required": ["name", "set", "values"],
    "additionalProperties": False,
    "properties": {
        "name": _NAME,
        "set": {"anyOf": [_TARGET, {"type": "array", "minItems": 1, "items": _TARGET}]},
        "values": {"type": "array", "minItems": 1, "maxItems": MOST_VALUES, "items": _VALUE},
    },
}
_POINTS_AXIS: Final = {
    "type": "object",
    "required": ["name", "points"],
    "additionalProperties": False,
    "properties": {
        "name": _NAME,
        "points": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_VALUES,
            "items": {
                "type": "object",
                "required": ["name", "set"],
                "additionalProperties": False,
                "properties": {
                    "name": _NAME,
                    "set": {
                        "type": "object",
                        "description": "A value for each target.",
                        "additionalProperties": _VALUE,
                    },
                },
            },
        },
    },
}
_FILES: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What may be edited, by alias (letters, digits, `-` and `_`): an original's "
    "path, or a variant, whose edited text stands at the original's path.",
    "minProperties": 1,
    "maxProperties": MOST_FILES,
    "additionalProperties": {
        "anyOf": [
            {"type": "string", "maxLength": LONGEST_PATH},
            {
                "type": "object",
                "required": ["modified_file_id"],
                "additionalProperties": False,
                "properties": {"modified_file_id": {"type": "string"}},
            },
        ]
    },
}
_EXAMPLE: Final[dict[str, Any]] = {
    "name": "batch size and parallelism",
    "files": {
        "engine": "config/vllm/llama-3.1-8b.yaml",
        "job": "job/vllm-serving-benchmark.yaml",
    },
    "axes": [
        {"name": "seqs", "set": "engine:engine.max_num_seqs", "values": [128, 256, 512]},
        {
            "name": "tp",
            "points": [
                {"name": "tp1", "set": {"engine:engine.tensor_parallel_size": 1}},
                {"name": "tp2", "set": {"engine:engine.tensor_parallel_size": 2}},
            ],
        },
    ],
    "combine": "product",
    "exclude": [{"seqs": 512, "tp": "tp1"}],
    "include": [{"seqs": 1024, "tp": "tp2"}],
    "repeats": 3,
    "contents": "originals",
}
_DEFINITION_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "title": "SweepDefinitionBody",
    "description": "A sweep's definition. No object in it may have a name twice.",
    "required": ["name", "files", "axes"],
    "additionalProperties": False,
    "examples": [_EXAMPLE],
    "properties": {
        "name": _NAME,
        "description": {"type": "string", "maxLength": LONGEST_DESCRIPTION, "default": ""},
        "files": _FILES,
        "axes": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_AXES,
            "items": {"anyOf": [_VALUES_AXIS, _POINTS_AXIS]},
        },
        "combine": {
            "type": "string",
            "enum": ["product", "zip"],
            "default": "product",
            "description": "`product`: every combination, the last axis fastest. `zip`: axes of "
            "equal length advance together.",
        },
        "exclude": {
            **_COMBINATIONS,
            "description": "By values of axes (a point's name); a partial match excludes.",
        },
        "include": {
            **_COMBINATIONS,
            "description": "Added after `exclude`; each names every axis, and may have a new value "
            "of an axis with `values`.",
        },
        "repeats": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_REPEATS,
            "default": 1,
            "description": "How often each cell is to be measured.",
        },
        "contents": {
            "type": "string",
            "enum": ["originals", "all"],
            "default": "originals",
            "description": "What else a cell holds: the originals, or `all`: variants at their own "
            "paths too.",
        },
    },
}


class _AnyObject(RootModel[dict[str, JsonValue]]):
    """An object whose fields are checked later, with a schema of its own in the description."""

    root: Annotated[dict[str, JsonValue], Field(max_length=100)]
    described: ClassVar[dict[str, Any]]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        found = handler(core_schema)
        schema = handler.resolve_ref_schema(found)
        schema.clear()
        schema.update(cls.described)
        return found


class SweepDefinitionBody(_AnyObject):
    """A sweep's definition."""

    described = _DEFINITION_SCHEMA


_IMPORT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "title": "SweepImportBody",
    "description": "Another tool's sweep, which is to be a definition. No object in it, or in a "
    "text of JSON, may have a name twice.",
    "required": ["format", "text", "files"],
    "additionalProperties": False,
    "examples": [
        {
            "format": "hydra",
            "text": "engine.max_num_seqs=128,256 engine.seed=range(3)",
            "files": {"engine": "config/vllm/llama-3.1-8b.yaml"},
            "targets": {"engine.seed": "engine:engine.seed"},
        }
    ],
    "properties": {
        "format": {"type": "string", "enum": list(FORMATS)},
        "text": {
            "type": "string",
            "description": "What the tool reads; for `vllm` the serve parameters.",
        },
        "files": _FILES,
        "targets": {
            "type": "object",
            "description": "The targets of parameters by their names in the tool. Others are "
            "guessed by the last key, where that is unique in the files.",
            "additionalProperties": {
                "anyOf": [_TARGET, {"type": "array", "minItems": 1, "items": _TARGET}]
            },
        },
        "bench_text": {"type": "string", "description": "Of vLLM: the bench parameters."},
        "link_vars": {
            "type": "string",
            "description": "Of vLLM: pairs such as `max_num_seqs=max_concurrency`.",
        },
    },
}


class SweepImportBody(_AnyObject):
    """Another tool's sweep, which is to be a definition."""

    described = _IMPORT_SCHEMA
