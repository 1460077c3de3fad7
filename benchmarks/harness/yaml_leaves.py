"""The values and comments of YAML and JSON, read without the service's own code."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

_MARK: Final = "\ufeff"
_LOADER: Final[Any] = yaml.CSafeLoader
_NAMES: Final = ("name", "id", "key")

LeafPath: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Leaf:
    """A value without parts.

    Attributes:
        path: keys, names of items, and numbers.
        value: tag and text.
        start: position in the text.
        end: position in the text.
        is_plain: whether it is written without a block style.
    """

    path: LeafPath
    value: tuple[str, str]
    start: int
    end: int
    is_plain: bool


def compose(text: str) -> list[yaml.Node] | None:
    try:
        return list(yaml.compose_all(text.removeprefix(_MARK), _LOADER))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def leaves(text: str) -> list[Leaf] | None:
    """Return every value of a text in order; None if PyYAML cannot read it."""
    documents = compose(text)
    if documents is None:
        return None
    shift = len(text) - len(text.removeprefix(_MARK))
    return [
        leaf for number, node in enumerate(documents) for leaf in _leaves(node, (number,), shift)
    ]


def _leaves(node: yaml.Node | None, path: LeafPath, shift: int) -> Iterator[Leaf]:
    if isinstance(node, yaml.MappingNode) and node.value:
        for key, value in node.value:
            yield from _leaves(value, (*path, str(key.value)), shift)
    elif isinstance(node, yaml.SequenceNode) and node.value:
        names = _names(node)
        for number, item in enumerate(node.value):
            yield from _leaves(item, (*path, number if names is None else (names[number],)), shift)
    elif node is not None:
        style = node.style if isinstance(node, yaml.ScalarNode) else "|"
        start, end = node.start_mark.index + shift, node.end_mark.index + shift
        value = (node.tag, str(node.value) if isinstance(node, yaml.ScalarNode) else "")
        yield Leaf(path, value, start, end, style not in {"|", ">"} and start < end)


def _names(node: yaml.SequenceNode) -> list[str] | None:
    names = [_name(item) for item in node.value]
    known = [name for name in names if name is not None]
    return known if len(set(known)) == len(names) else None


def _name(item: yaml.Node) -> str | None:
    entries = item.value if isinstance(item, yaml.MappingNode) else []
    return next((str(value.value) for key, value in entries if key.value in _NAMES), None)


def repeats(text: str) -> bool:
    """Return whether a key occurs twice in one mapping."""
    pending: list[Any] = list(compose(text) or ())
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [
                (key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)
            ]
            if len(set(keys)) < len([key for key in keys if key[1] != "<<"]):
                return True
            pending += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
    return False


def names_twice(text: str) -> set[tuple[LeafPath, str]]:
    """Return the names of items and documents that occur twice in a list or a text."""
    found: set[tuple[LeafPath, str]] = set()
    documents = compose(text) or []
    labels = Counter(_document(node) for node in documents)
    found |= {((), label) for label, count in labels.items() if label is not None and count > 1}
    pending: list[tuple[LeafPath, Any]] = [
        ((number,), node) for number, node in enumerate(documents)
    ]
    while pending:
        path, node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            pending += [((*path, str(key.value)), value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            counts = Counter(name for item in node.value if (name := _name(item)) is not None)
            found |= {(path, name) for name, count in counts.items() if count > 1}
            pending += [((*path, number), item) for number, item in enumerate(node.value)]
    return found


def _document(node: yaml.Node) -> str | None:
    metadata = _entry(node, "metadata")
    names = [_entry(node, "kind"), _entry(metadata, "namespace"), _entry(metadata, "name")]
    if names[0] is None or names[2] is None:
        return None
    return " ".join("" if name is None else str(name.value) for name in names)


def _entry(node: yaml.Node | None, key: str) -> yaml.Node | None:
    entries = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for own, value in entries if own.value == key), None)


def comments(text: str) -> Counter[str]:
    """Return every comment of a text, without the white space around it."""
    body = text.removeprefix(_MARK)
    found: list[str] = []
    end = 0
    try:
        for token in yaml.scan(body, _LOADER):
            found += re.findall(r"#[^\r\n]*", body[end : token.start_mark.index])
            if isinstance(token, yaml.ScalarToken) and token.style in {"|", ">"}:
                head = body[token.start_mark.index : token.end_mark.index].split("\n", 1)[0]
                found += re.findall(r"(?<=[ \t])#[^\r\n]*", head)
            end = max(end, token.end_mark.index)
    except yaml.YAMLError:
        # In a text that is not YAML, every number sign counts.
        return Counter(comment.strip() for comment in re.findall(r"#[^\r\n]*", body))
    found += re.findall(r"#[^\r\n]*", body[end:])
    return Counter(comment.strip() for comment in found)
