"""Labels of results as lines of a form: `name=value`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader

_NO_SEPARATOR: Final = N_("Line %(line)s is not a label. Write it as name=value.")
_TWICE: Final = N_("Line %(line)s names a label again.")


@dataclass(frozen=True, slots=True)
class TypedLabels:
    """The labels of a form, or the sentence that says which line is wrong."""

    labels: dict[str, str]
    error: str = ""


def label_lines(labels: Mapping[str, str]) -> str:
    """Return labels as lines; a name or value that would be read otherwise is quoted as JSON."""
    return "\n".join(
        f"{_written(name, is_name=True)}={_written(value)}" for name, value in labels.items()
    )


def read_labels(text: str, reader: Reader) -> TypedLabels:
    """Read the lines of a form. Empty lines count as none."""
    labels: dict[str, str] = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line.strip():
            continue
        found = _label(line)
        if found is None:
            return TypedLabels({}, reader.words(_NO_SEPARATOR) % {"line": number})
        name, value = found
        if name in labels:
            return TypedLabels({}, reader.words(_TWICE) % {"line": number})
        labels[name] = value
    return TypedLabels(labels)


def _written(text: str, *, is_name: bool = False) -> str:
    is_plain = text == text.strip() and not text.startswith('"') and text.isprintable()
    if is_plain and not (is_name and ("=" in text or not text)):
        return text
    return json.dumps(text, ensure_ascii=False)


def _label(line: str) -> tuple[str, str] | None:
    """Return the name and value of a line; None if it has no `=`."""
    start = 0
    text = line.strip()
    if text.startswith('"'):
        try:
            name, start = json.JSONDecoder().raw_decode(text)
        except ValueError:
            pass
        else:
            rest = text[start:].lstrip()
            return (name, _read(rest[1:])) if rest.startswith("=") else None
    name, separator, value = text.partition("=")
    return (name.strip(), _read(value)) if separator else None


def _read(text: str) -> str:
    """Return a value without the spaces around it; a JSON string is read as one."""
    stripped = text.strip()
    if not stripped.startswith('"'):
        return stripped
    try:
        value = json.loads(stripped)
    except ValueError:
        return stripped
    return value if isinstance(value, str) else stripped
