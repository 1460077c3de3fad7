"""YAML texts as JSON values, read strictly: a value is what every reader takes it for, or refused.

People write definitions of sweeps as YAML, and the benchmark tools' files are YAML too. A value
that JSON has no form for, such as a date, has to be written in another way, and so has one that
readers of YAML 1.1 and 1.2 take differently, such as `on`. A number that is one in JSON, such as
`1e3`, is read as JSON does.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import (
    Alias,
    Collection,
    DocumentTree,
    Identities,
    Node,
    Scalar,
    is_merge_key,
)
from benchmark_manager.domain.documents.yaml_tree import compose
from benchmark_manager.domain.sweeps.limits import LONGEST_DEFINITION
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.domain.yaml.scalars import difference
from benchmark_manager.errors import InvalidContentError, InvalidInputError
from benchmark_manager.models.problem import Problem

#: Problems that are listed at most.
_MOST_PROBLEMS: Final = 100
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,350})(?:\.[0-9]{1,400})?(?:[eE][-+]?[0-9]{1,3})?")
#: Booleans to readers of YAML 1.1 alone.
_BOOLEANS_OF_SOME: Final = frozenset(
    word for lower in ("yes", "no", "on", "off") for word in (lower, lower.title(), lower.upper())
)
_IN_QUOTES: Final = "is not the same value to every reader, or none of JSON; quote it."
_SHOWN: Final = 40


def read_yaml(text: str, field: str) -> JsonValue:
    """Return the value of a text with one YAML document.

    It takes time in proportion to the text, and a worker process has to be its caller.

    Args:
        text: YAML, and so also JSON.
        field: the name of the field that has the text, for errors.

    Raises:
        InvalidInputError: `invalid_request`, for a text that is too long.
        InvalidContentError: `invalid_yaml`, with every problem's line.
    """
    if len(text) > LONGEST_DEFINITION:
        raise InvalidInputError(
            "invalid_request", "text_too_long", field=field, limit=LONGEST_DEFINITION
        )
    tree = _parsed(text, field)
    if len(tree.stream.slots) != 1:
        problem = _problem("not_one_document", "The text must be one YAML document.")
        raise InvalidContentError([problem], "invalid_yaml", field)
    document = tree.stream.slots[0].value
    problems = list(_problems(tree, document))
    if problems:
        raise InvalidContentError(problems[:_MOST_PROBLEMS], "invalid_yaml", field)
    return _value(document)


def _parsed(text: str, field: str) -> DocumentTree:
    body = text.removeprefix(BYTE_ORDER_MARK)
    verdict = validate(body, "yaml")
    tree = compose(body, Identities()) if verdict.validity == "valid" else None
    if tree is not None:
        return tree
    errors = [problem for problem in verdict.problems if problem.severity == "error"]
    unread = errors or [
        problem.model_copy(update={"severity": "error"})
        for problem in verdict.problems
        if problem.code == "template"
    ]
    raise InvalidContentError(
        unread or [_problem("merge_key", "`<<` may not be used here; write the values out.")],
        "invalid_yaml",
        field,
    )


def _problems(tree: DocumentTree, top: Node) -> Iterator[Problem]:
    """Yield what JSON has no form for, in the order of the text."""
    open_nodes = [top]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, Alias) or _is_marked(tree, node):
            yield _problem("no_json", "Anchors, aliases and tags are not read here.", tree, node)
        elif isinstance(node, Scalar):
            if node.style == "plain" and not _is_json(node):
                yield _problem("no_json", f"{_excerpt(node)} {_IN_QUOTES}", tree, node)
        else:
            yield from _key_problems(tree, node)
            open_nodes.extend(slot.value for slot in reversed(node.slots))


def _key_problems(tree: DocumentTree, node: Collection) -> Iterator[Problem]:
    names = set[str]()
    for key in (slot.key for slot in node.slots if slot.key is not None):
        if not isinstance(key, Scalar) or _is_marked(tree, key) or is_merge_key(key):
            yield _problem("no_json", "Only texts can be keys here.", tree, key)
        elif key.text in names:
            yield _problem("duplicate_key", f"The key {_excerpt(key)} stands twice.", tree, key)
        else:
            names.add(key.text)


def _is_marked(tree: DocumentTree, node: Node) -> bool:
    """Return whether a node has an anchor or a tag."""
    return node.end > node.start and tree.text.startswith(("&", "!"), node.start)


def _is_json(node: Scalar) -> bool:
    """Return whether a plain scalar is one value to all readers, and one that JSON has."""
    if node.is_text or node.value is None or isinstance(node.value, bool):
        return node.text not in _BOOLEANS_OF_SOME
    if _NUMBER.fullmatch(node.text):
        return True
    return isinstance(node.value, (int, float)) and difference(node.text) is None


def _value(node: Node) -> JsonValue:
    # Recursive: `validate` admits no more than 200 levels.
    if isinstance(node, Collection):
        if node.kind == "mapping":
            return {_key(slot.key): _value(slot.value) for slot in node.slots}
        return [_value(slot.value) for slot in node.slots]
    if not isinstance(node, Scalar):
        return None
    if node.style == "plain" and _NUMBER.fullmatch(node.text):
        number: JsonValue = json.loads(node.text)
        return number
    return node.value


def _key(key: Node | None) -> str:
    return key.text if isinstance(key, Scalar) else ""


def _excerpt(node: Scalar) -> str:
    return node.text[:_SHOWN]


def _problem(
    code: str, message: str, tree: DocumentTree | None = None, node: Node | None = None
) -> Problem:
    if tree is None or node is None:
        return Problem(severity="error", code=code, message=message)
    line, column = tree.lines.number(node.start), tree.lines.column(node.start) + 1
    return Problem(severity="error", code=code, message=message, line=line, column=column)
