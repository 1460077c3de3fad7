"""The values of a result file: JSON, several JSON texts one after another, or YAML."""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.parse import MOST_VALUES, most_values, try_parse
from benchmark_manager.domain.results.parsing.collector import MOST_POINTS, Collector
from benchmark_manager.domain.results.parsing.condensing import condensed
from benchmark_manager.domain.results.parsing.yaml_contents import yaml_values
from benchmark_manager.domain.text.json_size import counted_values

#: Values and containers of a file, beyond which no time is spent on it.
_MOST_COUNTED: Final = 3_000_000
_MOST_CONTAINERS: Final = 1_000_000
#: Values that are parsed, without long lists.
_MOST_PARSED: Final = 300_000
#: A text whose name does not say that it is YAML is tried as such up to this size, bytes.
_SMALL: Final = 256 * 1024
_BLANKS: Final = re.compile(r"[ \t\r\n\x1e]*")
_SHOWN: Final = 40
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_contents(data: bytes, file_name: str, found: Collector) -> list[JsonValue]:
    """Return the values of a file; none where it cannot be read, which `found` gets to know."""
    body = _in_utf8(data)
    if body is None:
        found.report("not_text")
        return []
    if not body or body.isspace():
        found.report("empty_file")
        return []
    if body.lstrip()[:1] in (b"{", b"["):
        return _read_json(body, found)
    if file_name.lower().endswith((".yaml", ".yml")):
        return _read_yaml(body, found, found)
    # A log is no broken YAML: what is wrong with it as YAML is of no interest.
    return _read_yaml(body, found, Collector()) if len(body) <= _SMALL else []


def _in_utf8(data: bytes) -> bytes | None:
    """Return a text without byte order mark, in UTF-8 where that mark says UTF-16."""
    if not data.startswith(_WIDE):
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-16").encode()
    except UnicodeError:
        return None


def _read_json(body: bytes, found: Collector) -> list[JsonValue]:
    if any(
        count.values > _MOST_COUNTED or count.containers > _MOST_CONTAINERS
        for count in counted_values(body)
    ):
        found.report("too_complex")
        return []
    body, open_brackets = condensed(body)
    *_, count = counted_values(body)
    if count.values > _MOST_PARSED:
        found.report("too_complex")
        return []
    try:
        text = body.decode()
    except UnicodeDecodeError:
        found.report("not_text")
        return []
    del body
    return _values(text, open_brackets, found)


def _values(text: str, open_brackets: int, found: Collector) -> list[JsonValue]:
    """Return the JSON values of a text, until one is none."""
    decoder = json.JSONDecoder(
        parse_int=float, object_pairs_hook=lambda pairs: _members(pairs, found)
    )
    values: list[JsonValue] = []
    at = _blanks_end(text, 0)
    # One more than are kept, so that it is noticed.
    while at < len(text) and len(values) <= MOST_POINTS:
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError:
            found.report("too_complex")
            break
        except ValueError:
            _report_syntax(text, at, open_brackets, found)
            break
        values.append(value)
        at = _blanks_end(text, at)
    return values


def _report_syntax(text: str, at: int, open_brackets: int, found: Collector) -> None:
    if open_brackets > 0 and text[at] in "{[":
        found.report("cut_file")
    else:
        found.report("not_json", text[at : at + _SHOWN])


def _blanks_end(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return at if match is None else match.end()


def _members(pairs: list[tuple[str, JsonValue]], found: Collector) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen = set[str]()
        for name, _ in pairs:
            if name in seen:
                found.report("duplicate_key", name)
            seen.add(name)
    return members


def _read_yaml(body: bytes, found: Collector, broken: Collector) -> list[JsonValue]:
    """Return the values of a text; `broken` gets to know why it is no YAML."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        broken.report("not_text")
        return []
    if most_values(text) > MOST_VALUES:
        broken.report("too_complex")
        return []
    tree = try_parse(text, "yaml")
    if tree is None:
        broken.report("not_json")
        return []
    return yaml_values(tree, MOST_POINTS + 1, found)


def mapping_at(value: JsonValue | Mapping[str, JsonValue], *names: str) -> Mapping[str, JsonValue]:
    """Return the object that is below these names; an empty one where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
