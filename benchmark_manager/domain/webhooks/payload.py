"""The body of a webhook as GitHub sends it: JSON, or a form with the JSON in one field."""

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from benchmark_manager.domain.text.json_size import has_more_values
from benchmark_manager.domain.webhooks.push_events import parse_created, parse_push
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.push import Push

#: GitHub's form has one field; a form with more than this is not from GitHub.
_FORM_FIELDS: Final = 10
_FIELD: Final = b"payload"
#: Bytes of a form decoded at once: each escape takes a hundred bytes meanwhile.
_STEP: Final = 64 * 1024
#: A body with less is read at once, in less than 0.1 s: values of JSON, and bytes of a form.
_FEW_VALUES: Final = 100_000
_SHORT_FORM: Final = 256 * 1024

#: Bytes: GitHub sends no payload over 25 MB.
MAX_PAYLOAD: Final = 25 * 1024 * 1024


def is_quickly_read(body: bytes | bytearray, *, is_form: bool) -> bool:
    """Return whether reading this body blocks the event loop for at most 0.1 s."""
    return len(body) <= _SHORT_FORM if is_form else not has_more_values(body, _FEW_VALUES)


def read_push(body: bytes, is_form: bool) -> Push:
    """Return the push that a body reports.

    Raises:
        InvalidInputError: `malformed_webhook`.
    """
    return parse_push(read_payload(body, is_form))


def read_created(body: bytes, is_form: bool) -> Push | None:
    """Return the creation of a tag that a body reports, as a push; None for a branch.

    Raises:
        InvalidInputError: `malformed_webhook`.
    """
    return parse_created(read_payload(body, is_form))


def is_payload(body: bytes, is_form: bool) -> bool:
    """Check that a body holds a JSON object, whatever it reports.

    Raises:
        InvalidInputError: `malformed_webhook`.
    """
    read_payload(body, is_form)
    return True


def read_payload(body: bytes, is_form: bool) -> dict[str, object]:
    """Return the JSON object in a body, or in the field `payload` of a form.

    Raises:
        InvalidInputError: `malformed_webhook`.
    """
    text = _form_field(body) if is_form else body
    try:
        payload = json.loads(text.decode())
    except (ValueError, RecursionError):
        # The parser's own message would repeat what was sent.
        raise InvalidInputError("malformed_webhook", "not_json") from None
    if not isinstance(payload, dict):
        raise InvalidInputError("malformed_webhook", "not_an_object")
    return payload


def _form_field(body: bytes) -> bytes:
    """Return the field's value (https://url.spec.whatwg.org/#urlencoded-parsing)."""
    fields = body.split(b"&", _FORM_FIELDS)
    if len(fields) > _FORM_FIELDS:
        raise InvalidInputError("malformed_webhook", "too_many_fields")
    pairs = [field.partition(b"=") for field in fields]
    values = [value for name, _, value in pairs if value and _decoded(name) == _FIELD]
    if len(values) != 1:
        raise InvalidInputError("malformed_webhook", "no_payload")
    return _decoded(values[0])


def _decoded(value: bytes) -> bytes:
    return b"".join(unquote_to_bytes(piece) for piece in _pieces(value.replace(b"+", b" ")))


def _pieces(value: bytes) -> Iterator[bytes]:
    """Yield pieces of a value; none begins inside an escape."""
    start = 0
    while start < len(value):
        end = start + _STEP
        escape = value.rfind(b"%", max(start + 1, end - 2), end)
        end = escape if escape > 0 else end
        yield value[start:end]
        start = end
