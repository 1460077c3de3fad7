"""What setting values in a text must give, by PyYAML and `json` alone, without the service's code.

A target is a value of a text that PyYAML composed, with a path as `docs/decisions/0040-sweeps.md`
has it. Expected values are plain Python values; a file's characters outside of replaced values are
compared by aligning both texts.
"""

import copy
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, TypeAlias

import yaml

from benchmark_manager.models.original import FileFormat

Parsed: TypeAlias = Any
"""A value as PyYAML or `json` reads it."""

Locator: TypeAlias = tuple[Any, ...]
"""The number of a document, then keys and numbers of items."""

_MARK: Final = "\ufeff"
_BARE: Final = re.compile(r"[A-Za-z_][\w/-]*")
_FLAG: Final = re.compile(r"(--[A-Za-z][\w-]*)(=?)")
_COMMENT: Final = re.compile(r"[ \t]#.*")
_RESOLVER: Final[Any] = yaml.SafeLoader("")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_LINE: Final = re.compile(r"[^\r\n]*")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
#: Characters of a text that PyYAML's own scanner reads in tenths of a second.
_MOST_PLAIN: Final = 10_000
_MOST_CUTS: Final = 6


class _Loader(yaml.CSafeLoader):
    """PyYAML's safe loader over libyaml, which keeps tags of applications as they are."""


class _PlainLoader(yaml.SafeLoader):
    """The same over PyYAML's own scanner, which differs from libyaml's here and there."""


class _NewerLoader(yaml.CSafeLoader):
    """PyYAML with the core schema of YAML 1.2 (10.3.2) instead of YAML 1.1's types."""


_NewerLoader.yaml_implicit_resolvers = {}
_CORE_SCHEMA: Final = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("core-int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("core-float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789")),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", list("-+.")),
    ("merge", "<<", ["<"]),
)  # fmt: skip


def _core_int(loader: Parsed, node: yaml.Node) -> int:
    del loader
    text = str(node.value)
    return int(text, 0) if text.startswith(("0o", "0x")) else int(text)


def _core_float(loader: Parsed, node: yaml.Node) -> float:
    del loader
    return float(node.value)


for _kind, _form, _first in _CORE_SCHEMA:
    _NewerLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"(?:{_form})\\Z"), _first
    )
_NewerLoader.add_constructor("tag:yaml.org,2002:core-int", _core_int)
_NewerLoader.add_constructor("tag:yaml.org,2002:core-float", _core_float)


def _tagged(loader: Parsed, suffix: str, node: yaml.Node) -> tuple[str, str]:
    del loader
    return f"!{suffix}", str(node.value)


_Loader.add_multi_constructor("!", _tagged)
_NewerLoader.add_multi_constructor("!", _tagged)
_PlainLoader.add_multi_constructor("!", _tagged)


@dataclass(frozen=True, slots=True)
class EditTarget:
    """A value that can be set.

    `start` and `end` are those of the value, `head` is where its colon or dash ends. `flag` is the
    text before the value of a command line flag, in its item, or None for other values.
    """

    path: str
    locator: Locator
    start: int
    end: int
    head: int
    is_loose: bool
    flag: str | None = None
    adds: bool = False


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text with its values, and every position at which one can be set."""

    text: str
    file_format: FileFormat
    documents: list[Any]
    targets: tuple[EditTarget, ...]


def values_of(
    text: str,
    file_format: FileFormat,
    loader: type[_Loader | _NewerLoader | _PlainLoader] = _Loader,
) -> list[Parsed]:
    """Return the documents of a text as PyYAML or `json` reads them."""
    body = text.removeprefix(_MARK)
    if file_format == "json":
        return [json.loads(body)]
    return [_unshared(one) for one in yaml.load_all(body, loader)]


def _plain_values_of(text: str) -> list[Parsed] | None:
    """Return the documents of a short text as PyYAML's own scanner has them; None without any."""
    if len(text) > _MOST_PLAIN:
        return None
    try:
        return values_of(text, "yaml", _PlainLoader)
    except (yaml.YAMLError, ValueError, TypeError):
        return None


def _unshared(value: Parsed) -> Parsed:
    """Return a value in which no part stands twice, as aliases would have it."""
    if isinstance(value, dict):
        return {key: _unshared(one) for key, one in value.items()}
    return [_unshared(one) for one in value] if isinstance(value, list) else value


def read_text(text: str, file_format: FileFormat, chance: random.Random) -> ReadText | None:
    """Return a text with its targets; None for what PyYAML or `json` refuses."""
    try:
        documents = values_of(text, file_format)
        shift = len(text) - len(text.removeprefix(_MARK))
        # PyYAML knows no pairs of escapes, as JSON has them.
        source = _SURROGATE.sub(r"\\u0078", text) if file_format == "json" else text
        nodes = list(yaml.compose_all(source.removeprefix(_MARK), yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return None
    if file_format == "json" and len(nodes) != 1:
        return None
    finder = _EditFinder(text, shift, chance)
    targets = [
        target
        for number, node in enumerate(nodes)
        for target in finder.targets(node, number, "" if len(nodes) == 1 else f"#{number + 1} ")
    ]
    return ReadText(text, file_format, documents, tuple(targets))


class _EditFinder:
    """Walks the nodes of one text."""

    def __init__(self, text: str, shift: int, chance: random.Random) -> None:
        self._text = text
        self._shift = shift
        self._chance = chance
        self._seen: set[int] = set()

    def targets(self, node: yaml.Node, number: int, selector: str) -> Iterator[EditTarget]:
        yield from self._inside(node, (number,), selector)

    def _inside(self, node: yaml.Node, locator: Locator, path: str) -> Iterator[EditTarget]:
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield from self._mapping(node, locator, path)
        elif isinstance(node, yaml.SequenceNode):
            yield from self._sequence(node, locator, path)

    def _mapping(self, node: yaml.MappingNode, locator: Locator, path: str) -> Iterator[EditTarget]:
        last = node.end_mark.index + self._shift
        end = self._end(node.value[-1][1]) if node.value else last - 1
        yield EditTarget(path, locator, end, max(end, last), end, is_loose=True, adds=True)
        dot = "" if not path or path.endswith(" ") else "."
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                continue
            step = self._key(str(key.value))
            head = self._text.find(":", key.end_mark.index + self._shift) + 1
            here = f"{path}{dot}{step}"
            if id(key) in self._seen:
                continue
            self._seen.add(id(key))
            if id(value) not in self._seen:
                yield self._target(value, (*locator, key.value), here, head)
            yield from self._inside(value, (*locator, key.value), here)

    def _key(self, key: str) -> str:
        """Return a key as it is shown, or in quotes that it does not need."""
        bare = (
            _BARE.fullmatch(key)
            and _RESOLVER.resolve(yaml.ScalarNode, key, (True, False)) == "tag:yaml.org,2002:str"
        )
        words = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
        quoted = not bare or key.lower() in words or self._chance.random() < 0.1
        return json.dumps(key, ensure_ascii=False) if quoted else key

    def _sequence(
        self, node: yaml.SequenceNode, locator: Locator, path: str
    ) -> Iterator[EditTarget]:
        names = _names(node)
        texts: list[str | None] = [_text_of(item) for item in node.value]
        for number, item in enumerate(node.value):
            step = str(number)
            if names is not None and self._chance.random() < 0.5:
                step = f"name={names[number]}"
            here, inner = f"{path}[{step}]", (*locator, number)
            head = self._dash(node, item)
            if id(item) not in self._seen:
                yield self._target(item, inner, here, head)
                yield from self._flags(node, number, texts, locator, path)
            yield from self._inside(item, inner, here)

    def _dash(self, node: yaml.SequenceNode, item: yaml.Node) -> int:
        """Return where the dash before an item ends, or where an item between brackets begins."""
        start = item.start_mark.index + self._shift
        return start if node.flow_style else self._text.rfind("-", 0, start + 1) + 1

    def _flags(
        self,
        node: yaml.SequenceNode,
        number: int,
        texts: Sequence[str | None],
        locator: Locator,
        path: str,
    ) -> Iterator[EditTarget]:
        match = _FLAG.match(texts[number] or "")
        if match is None or (not match[2] and texts[number] != match[1]):
            return
        flag = match[1]
        if sum(text == flag or (text or "").startswith(f"{flag}=") for text in texts) > 1:
            return
        behind = texts[number + 1] if number + 1 < len(texts) else None
        where = number if match[2] else number + 1
        if not match[2] and (behind is None or behind.startswith("-")):
            return
        item = node.value[where]
        head = self._dash(node, item)
        prefix = f"{flag}=" if match[2] else ""
        yield self._target(item, (*locator, where), f"{path}[{flag}]", head, prefix)

    def _target(
        self, node: yaml.Node, locator: Locator, path: str, head: int, flag: str | None = None
    ) -> EditTarget:
        start = node.start_mark.index + self._shift
        end = self._end(node)
        is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
        loose = is_block or start >= end or getattr(node, "style", None) in {"|", ">"}
        return EditTarget(path, locator, start, end, min(head, start), loose, flag)

    def _end(self, node: yaml.Node) -> int:
        """Return where a value ends, without what PyYAML counts in behind a block."""
        start, end = node.start_mark.index + self._shift, node.end_mark.index + self._shift
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
            keeps = "+" in self._text[start:end].split("\n", 1)[0]
            return end if keeps else start + len(self._text[start:end].rstrip())
        return end


def _names(node: yaml.SequenceNode) -> list[str] | None:
    names = [
        value.value
        for item in node.value
        if isinstance(item, yaml.MappingNode)
        for key, value in item.value
        if key.value == "name" and isinstance(value, yaml.ScalarNode)
    ]
    plain = all(_BARE.fullmatch(str(name)) for name in names)
    unique = len(set(names)) == len(node.value) == len(names)
    return names if names and plain and unique else None


def _text_of(node: yaml.Node) -> str | None:
    is_text = isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str"
    return str(node.value) if is_text else None


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """A value to set at a target; `keys` are those that are added in a mapping."""

    target: EditTarget
    value: Parsed
    keys: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        if not self.keys:
            return self.target.path
        path = self.target.path
        dot = "" if not path or path.endswith(" ") else "."
        return f"{path}{dot}{'.'.join(json.dumps(key) for key in self.keys)}?"

    @property
    def stored(self) -> Parsed:
        """What stands there then: the item of a flag holds text."""
        if self.target.flag is None:
            return self.value
        text = (
            self.value
            if isinstance(self.value, str)
            else json.dumps(self.value, ensure_ascii=False)
        )
        return self.target.flag + text


def expected(documents: Sequence[Any], edits: Sequence[PlannedEdit]) -> list[Any]:
    """Return the values of a text with edits."""
    result = copy.deepcopy(list(documents))
    for edit in edits:
        locator = (*edit.target.locator, *edit.keys)
        around: Any = result
        for number, step in enumerate(locator[:-1]):
            if number >= len(edit.target.locator):
                around.setdefault(step, {})
            around = around[step]
        around[locator[-1]] = copy.deepcopy(edit.stored)
    return result


def same_values(one: Parsed, other: Parsed) -> bool:
    """Return whether two values are equal in type and value, also in the sign of zero."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {(type(key), key) for key in one} == {(type(key), key) for key in other} and all(
            same_values(one[key], other[key]) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_values, one, other))
    return type(one) is type(other) and repr(one) == repr(other)


def _keeps_the_rest(base: ReadText, result: str, edits: Sequence[PlannedEdit]) -> bool:
    """Return whether all characters outside of the replaced values are the base's, in order."""
    text = base.text
    cuts = [_cuts(text, edit) for edit in edits]
    return any(_aligned(text, result, sorted(spans)) for spans in product(*cuts))


def _cuts(text: str, edit: PlannedEdit) -> list[tuple[int, int]]:
    """Return the spans of which one may have changed: for an addition, points in its mapping."""
    target = edit.target
    if edit.keys:
        line = _LINE.match(text, target.start)
        below = [match.end() for match in _LINE_END.finditer(text, target.start, target.end + 1)]
        points = [target.start, target.start if line is None else line.end(), *below[:_MOST_CUTS]]
        return [(at, at) for at in dict.fromkeys(points)]
    if target.is_loose or (isinstance(edit.value, (dict, list)) and edit.value):
        line = _LINE.match(text, target.end)
        return [(target.head, target.end if line is None else line.end())]
    return [(target.start, target.end)]


def _aligned(text: str, result: str, spans: Sequence[tuple[int, int]]) -> bool:
    at = position = 0
    for start, end in spans:
        segment = text[position:start]
        found = result.find(segment, at) if position else (0 if result.startswith(segment) else -1)
        if found < 0:
            return False
        at = found + len(segment)
        position = max(position, end)
    return len(result) - at >= len(text) - position and result.endswith(text[position:])


def _comments_stay(base: ReadText, result: str, edits: Sequence[PlannedEdit]) -> bool:
    """Return whether the comments behind the key and behind each replaced value are there."""
    for edit in edits:
        target = edit.target
        if edit.keys or base.file_format == "json":
            continue
        line = _LINE.match(base.text, target.head)
        head = base.text[target.head : min(target.start, line.end() if line else target.start)]
        tail = _LINE.match(base.text, target.end)
        for part in (head, "" if tail is None else tail[0]):
            found = _COMMENT.search(part)
            if found is not None and found[0].strip() not in result:
                return False
    return True


def _fault_to_newer(read: ReadText, result: str, edits: Sequence[PlannedEdit]) -> str:
    """Return what is wrong to readers of YAML 1.2, or a change that no reader needs."""
    before = values_of(read.text, read.file_format, _NewerLoader)
    wanted = expected(before, edits)
    if not same_values(values_of(result, read.file_format, _NewerLoader), wanted):
        return "other values to readers of YAML 1.2"
    is_same = same_values(wanted, before) and same_values(
        expected(read.documents, edits), read.documents
    )
    return "changed without need" if is_same and result != read.text else ""


def fault_of(read: ReadText, result: str, edits: Sequence[PlannedEdit]) -> str:
    """Return what is wrong with a result; "" if nothing is."""
    wanted = expected(read.documents, edits)
    try:
        values = values_of(result, read.file_format)
    except (yaml.YAMLError, ValueError) as error:
        return f"not read: {error}"
    if not same_values(values, wanted):
        return "other values"
    if read.file_format == "yaml" and same_values(_plain_values_of(read.text), read.documents):
        values = _plain_values_of(result) or []
        if len(result) <= _MOST_PLAIN and not same_values(values, wanted):
            return "other values to PyYAML's own scanner"
    fault = _fault_to_newer(read, result, edits)
    if fault:
        return fault
    if not _keeps_the_rest(read, result, edits):
        return "other characters"
    return "" if _comments_stay(read, result, edits) else "a comment is gone"
