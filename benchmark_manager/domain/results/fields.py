"""The rules of what people and programs say about a result."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from benchmark_manager.domain.fields import LONGEST_DESCRIPTION
from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.errors import InvalidInputError

MOST_LABELS: Final = 50
#: Of a label, characters.
LONGEST_LABEL_NAME: Final = 100
LONGEST_LABEL_VALUE: Final = 500
LONGEST_NOTE: Final = LONGEST_DESCRIPTION
#: What file systems allow, characters.
LONGEST_FILE_NAME: Final = 255


def read_labels(text: str) -> dict[str, str]:
    """Return the labels of a JSON object of texts.

    Example:
        >>> read_labels('{"gpu": "H100", "driver": "570.1"}')
        {'gpu': 'H100', 'driver': '570.1'}

    Raises:
        InvalidInputError: `invalid_labels`.
    """
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        pairs = None
    is_object = isinstance(pairs, tuple) and text.lstrip().startswith("{")
    if not is_object or not all(isinstance(value, str) for _, value in pairs):
        raise InvalidInputError("invalid_labels", "form", field="labels")
    return _each_once(pairs)


def check_labels(labels: Mapping[str, str]) -> None:
    """Accept labels: few, with names of visible characters and values of one line.

    Raises:
        InvalidInputError: `invalid_labels`.
    """
    if len(labels) > MOST_LABELS:
        raise InvalidInputError("invalid_labels", "count", field="labels", limit=MOST_LABELS)
    for name, value in labels.items():
        if not _is_label_name(name):
            raise InvalidInputError(
                "invalid_labels", "name", field="labels", limit=LONGEST_LABEL_NAME
            )
        if len(value) > LONGEST_LABEL_VALUE or not _is_line(value):
            raise InvalidInputError(
                "invalid_labels",
                "value",
                field="labels",
                name=name,
                limit=LONGEST_LABEL_VALUE,
            )


def check_note(note: str) -> None:
    """Accept a note: text of bounded length.

    Raises:
        InvalidInputError: `invalid_note`.
    """
    if len(note) > LONGEST_NOTE or not _is_text(note):
        raise InvalidInputError("invalid_note", field="note", limit=LONGEST_NOTE)


def file_name_of(name: str) -> str:
    """Return the last part of a path, as browsers of old send one.

    Raises:
        InvalidInputError: `invalid_file_name`.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    is_name = last not in {"", ".", ".."} and len(last) <= LONGEST_FILE_NAME
    if not is_name or not last.strip() or not _is_line(last):
        raise InvalidInputError(
            "invalid_file_name", field="result_file_name", limit=LONGEST_FILE_NAME
        )
    return last


def label_filters(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the labels that the parameters `label.NAME=VALUE` of a query ask for.

    Raises:
        InvalidInputError: `invalid_labels`.
    """
    prefix = "label."
    pairs = [(key.removeprefix(prefix), value) for key, value in query if key.startswith(prefix)]
    labels = _each_once(pairs)
    check_labels(labels)
    return labels


def _each_once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    if len(pairs) > MOST_LABELS:
        raise InvalidInputError("invalid_labels", "count", field="labels", limit=MOST_LABELS)
    labels: dict[str, str] = {}
    for name, value in pairs:
        if name in labels:
            raise InvalidInputError("invalid_labels", "twice", field="labels", name=name[:100])
        labels[name] = value
    return labels


def _is_label_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_LABEL_NAME and bool(name.strip()) and name.isprintable()


def _is_line(text: str) -> bool:
    return not holds_control(text) and _is_text(text)


def _is_text(text: str) -> bool:
    """Return whether the database can store it: half of a surrogate pair is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
