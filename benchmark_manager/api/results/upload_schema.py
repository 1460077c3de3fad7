"""The schema of an upload, for the OpenAPI document: a form, or the file as the whole body."""

from typing import Any, Final

from benchmark_manager.api.http.shapes import ID
from benchmark_manager.api.results.bodies import TOOLS
from benchmark_manager.api.results.shapes import DIGEST
from benchmark_manager.domain.results.fields import (
    LONGEST_FILE_NAME,
    LONGEST_LABEL_NAME,
    LONGEST_LABEL_VALUE,
    LONGEST_NOTE,
    MOST_LABELS,
)

_BINARY: Final = {"type": "string", "format": "binary"}
_LABELS: Final = '{"gpu": "H100", "driver": "570.124"}'
_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "release": {
        "type": "string",
        "description": "The digest of the release that was measured, or its beginning.",
        "examples": [DIGEST],
    },
    "run": {"type": "string", "description": "A run's id, instead of `release`."},
    "project_id": {
        "type": "string",
        "description": "Needed where several projects that may be read made the release.",
        "examples": [ID],
    },
    "file_name": {
        "type": "string",
        "maxLength": LONGEST_FILE_NAME,
        "description": "Unset: the form's name of the file.",
        "examples": ["vllm-serve.json"],
    },
    "tool": {
        "type": "string",
        "enum": sorted(TOOLS),
        "description": "Unset: the file is recognised by its content.",
    },
    "labels": {
        "type": "string",
        "description": f"A JSON object of texts: at most {MOST_LABELS}, with names of "
        f"{LONGEST_LABEL_NAME} characters and values of {LONGEST_LABEL_VALUE}.",
        "examples": [_LABELS],
    },
    "note": {"type": "string", "maxLength": LONGEST_NOTE},
    "receipt": {
        "type": "string",
        "description": "A receipt's id. Unset: the newest of the same API token for the release. "
        "A result that has a receipt keeps it.",
    },
}


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    described = f"With a file as the whole body: {schema.get('description', 'a note.')}"
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": described,
        "schema": {key: value for key, value in schema.items() if key != "description"},
    }


#: Not parameters of the handler: which of the two it is depends on the media type.
UPLOAD_REQUEST: Final[dict[str, Any]] = {
    "parameters": [_parameter(name, schema) for name, schema in _FIELDS.items()],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": _BINARY, **_FIELDS},
                }
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    },
}
