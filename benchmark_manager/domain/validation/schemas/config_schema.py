"""Check settings against the JSON Schema that they name, if it is in the same repository."""

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jsonschema_rs import ValidationError, validator_for

from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.domain.validation.findings import Findings, excerpt
from benchmark_manager.domain.validation.schemas.cost import (
    SchemaRefusedError,
    TextExtent,
    check_cost,
)
from benchmark_manager.domain.validation.schemas.messages import MASK, violations
from benchmark_manager.domain.validation.schemas.patterns import PATTERN_OPTIONS
from benchmark_manager.domain.validation.texts.plain_values import core_value, json_value
from benchmark_manager.domain.validation.texts.yaml_values import TooManyValuesError, Value, build
from benchmark_manager.domain.validation.validate import validate
from benchmark_manager.domain.validation.value_findings import ValueFindings
from benchmark_manager.domain.validation.values import shown
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK, YamlSyntaxError, prepare
from benchmark_manager.models.original import FileFormat

MAX_SCHEMA: Final = 256 * 1024
"""Characters of a schema."""

_KEY: Final = "$schema"
# The comment that editors understand: https://github.com/redhat-developer/yaml-language-server
_COMMENT: Final = re.compile(r"^#[ \t]*yaml-language-server:[ \t]*\$schema=(\S+)", re.MULTILINE)
_AT_KEY: Final = re.compile(r"""["']?\$schema["']?[ \t]*:""")
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//")
#: Addresses of the specification: a file that names one is itself a schema.
_META: Final = re.compile(r"https?://json-schema\.org/")
#: Whole numbers from here on do not fit into 64 bits.
_HUGE: Final = 2**63
#: The estimated length of all other numbers.
_NUMBER_CHARACTERS: Final = 8
#: Characters that the violations of one text may copy together: each holds its value.
_MAX_COPIED: Final = 100_000_000
#: Violations of one document, with those inside alternatives: each takes about 5 µs to make.
_MAX_FAULTS: Final = 150_000
#: Each unmet requirement is a violation; the cost counts so many requirements as one step.
_FAULTS_IN_A_STEP: Final = 16


@dataclass(frozen=True, slots=True)
class SchemaReference:
    """The schema that a file names, and where in the text.

    Attributes:
        named: as written.
        path: its path from the repository's root; None if it is not in the repository.
        index: the position in the text, in characters.
    """

    named: str
    path: str | None
    index: int


def schema_reference(text: str, path: str, file_format: FileFormat) -> SchemaReference | None:
    """Return the schema that a text names, in a comment or by a `$schema` key at its top level.

    Args:
        text: a text that parses, without a byte order mark.
        path: its path from the repository's root.
        file_format: the format of the text.
    """
    if _KEY not in text:
        return None
    comment = _COMMENT.search(text) if file_format == "yaml" else None
    if comment is not None:
        return SchemaReference(comment[1], _local(comment[1], path), comment.start(1))
    values = read_values(text, file_format)
    named = values[0].get(_KEY) if values and isinstance(values[0], dict) else None
    if not isinstance(named, str) or not named or _META.match(named):
        return None
    return SchemaReference(named, _local(named, path), _key_index(text))


def _key_index(text: str) -> int:
    found = _AT_KEY.search(text)
    return found.start() if found else text.index(_KEY)


def _local(named: str, path: str) -> str | None:
    """Return a path from the repository's root, or None for a URL or a path out of it."""
    named_path = named.partition("#")[0]
    if not named_path or _SCHEME.match(named_path):
        return None
    start = "" if named_path.startswith("/") else posixpath.dirname(path)
    joined = posixpath.normpath(posixpath.join(start, named_path.lstrip("/")))
    return None if joined in {".", ".."} or joined.startswith("../") else joined


def read_values(text: str, file_format: FileFormat) -> list[Value]:
    """Return the values of the documents of a text that parses; none if it has too many values."""
    try:
        if file_format == "json":
            return [json.loads(text)]
        return [document.value for document in build(prepare(text).parsed, core_value)]
    except (TooManyValuesError, ValueError):
        # Converting a number of over 4,300 digits raises ValueError.
        return []


def check_schema(
    text: str,
    reference: SchemaReference,
    file_format: FileFormat,
    others: Mapping[str, str],
    findings: Findings,
) -> None:
    """Check a text against the schema that it names; every finding is a warning.

    Args:
        text: a text that parses, without a byte order mark.
        reference: the schema that it names.
        file_format: the format of the text.
        others: the contents of the project's other files by path.
        findings: collects the findings.
    """
    if reference.path is None:
        message = (
            f"The schema {excerpt(reference.named)} is not in this repository; it was not fetched."
        )
        findings.warning("schema_not_local", message, reference.index)
    elif reference.path not in others:
        message = (
            f"The project has no file {excerpt(reference.path)}, so nothing was checked against it."
        )
        findings.warning("schema_not_found", message, reference.index)
    else:
        _check_against(others[reference.path], reference, text, file_format, findings)


def _check_against(
    schema_text: str,
    reference: SchemaReference,
    text: str,
    file_format: FileFormat,
    findings: Findings,
) -> None:
    documents = read_values(text, file_format)
    value_findings = ValueFindings()
    try:
        schema = _parsed(schema_text, str(reference.path))
        extents = [_extent(document) for document in documents]
        steps = check_cost(schema, _whole(extents))
        validator = validator_for(
            schema, offline=True, mask=MASK, pattern_options=PATTERN_OPTIONS, validate_formats=False
        )
        for number, document in enumerate(documents):
            value_findings.begin(number, document)
            extent = extents[number]
            copied = steps * _FAULTS_IN_A_STEP * extent.characters
            in_full = copied <= _MAX_COPIED and steps * extent.values <= _MAX_FAULTS
            for path, _, message in violations(validator, document, extent.values, in_full=in_full):
                value_findings.add(
                    path, "schema_violation", f"{message[:-1]} (by {excerpt(reference.named)})."
                )
    except (SchemaRefusedError, ValidationError, ValueError) as error:
        reason = _reason(error)
        named = excerpt(reference.named)
        message = f"The schema {named} {reason}; nothing was checked against it."
        findings.warning("schema_broken", message, reference.index)
        return
    _report(value_findings, text, file_format, findings)


def _parsed(text: str, path: str) -> Value:
    file_format = format_of(path) or "json"
    body = text.removeprefix(BYTE_ORDER_MARK)
    if len(body) > MAX_SCHEMA:
        raise SchemaRefusedError(f"has over {MAX_SCHEMA:,} characters")
    # Validated as strictly as any file, so that its depth is bounded and no key occurs twice.
    values = (
        read_values(body, file_format) if validate(body, file_format).validity == "valid" else []
    )
    if len(values) != 1 or not isinstance(values[0], (dict, bool)):
        raise SchemaRefusedError("does not parse as one JSON Schema")
    return values[0]


def _reason(error: Exception) -> str:
    if isinstance(error, SchemaRefusedError):
        return str(error)
    path = shown(tuple(error.instance_path)) if isinstance(error, ValidationError) else ""
    reason = excerpt(str(error).partition("\n")[0])
    return f"is not a valid JSON Schema at {path or 'its top level'}: {reason}"


def _extent(value: Value) -> TextExtent:
    deepest = count = characters = huge = 0
    waiting = [(value, 0)]
    while waiting:
        node, depth = waiting.pop()
        deepest, count = max(deepest, depth), count + 1
        if isinstance(node, dict):
            characters += sum(map(len, node))
            waiting += ((part, depth + 1) for part in node.values())
        elif isinstance(node, list):
            waiting += ((part, depth + 1) for part in node)
        elif isinstance(node, str):
            characters += len(node)
        elif isinstance(node, (int, float)):
            characters += _NUMBER_CHARACTERS if abs(node) < _HUGE else len(str(node))
            huge += isinstance(node, int) and abs(node) >= _HUGE
    return TextExtent(deepest, count, characters, huge)


def _whole(extents: Sequence[TextExtent]) -> TextExtent:
    return TextExtent(
        max((extent.depth for extent in extents), default=0),
        sum(extent.values for extent in extents),
        sum(extent.characters for extent in extents),
        sum(extent.huge_numbers for extent in extents),
    )


def _report(
    value_findings: ValueFindings, text: str, file_format: FileFormat, findings: Findings
) -> None:
    scalar = json_value if file_format == "json" else core_value
    try:
        value_findings.report(prepare(text).parsed, scalar, findings)
    except YamlSyntaxError:
        # JSON that is not YAML, such as a string with "\ud83d\ude80": positions are unknown.
        for _, code, message in value_findings.kept:
            findings.warning(code, message, None)
