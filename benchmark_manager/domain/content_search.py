"""Finds a query inside one text: anywhere, in its keys, or in its values.

Query and text are compared as `domain.folding` does; positions are those of the exact text. What costs much is done
last: a text which does not hold the query folded is left at once, and only one whose keys or values hold it becomes a
tree. The time is in proportion to the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import yaml

from benchmark_manager.domain.documents.nodes import Collection, Node, Scalar, Slot, Tree
from benchmark_manager.domain.documents.parse import try_parse
from benchmark_manager.domain.documents.paths import Step, children, shown
from benchmark_manager.domain.folding import fold, position_in
from benchmark_manager.domain.yaml_events import BYTE_ORDER_MARK, ScalarEvent, YamlSyntaxError, events, prepare
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.original_file import FileFormat
from benchmark_manager.models.search import LONGEST_QUERY, ContentMatch, SearchIn

#: Characters of an excerpt, and of those how many stand before what was found.
_EXCERPT: Final = 200
_BEFORE: Final = 60
#: Characters of a path that is shown, and of each of its steps.
_LONGEST_KEY: Final = 500
_LONGEST_STEP: Final = 200
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"
#: What a terminal obeys, or what turns text around; a tab is neither.
_UNSAFE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
#: What stands in a path beside the letters of keys, or is written otherwise in a text.
_BETWEEN: Final = re.compile(r"[\s\"'()\[\]=\\]+")


@dataclass(frozen=True, slots=True)
class ContentQuery:
    """What to find, folded, and where.

    A key matches where its path does, such as `spec.parallelism`, and the match reaches into the key itself: `spec`
    finds the key and not all that is in it.
    """

    folded: str
    where: SearchIn
    pieces: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, text: str, where: SearchIn) -> "ContentQuery":
        """Make a query of what a person typed.

        Raises:
            InvalidInputError: `invalid_query`.
        """
        if not 1 <= len(text) <= LONGEST_QUERY or text.isspace():
            raise InvalidInputError(
                "invalid_query", f"q must hold 1 to {LONGEST_QUERY} characters which are not all blank.", field="q"
            )
        if "\0" in text or _LINE_END.search(text) is not None:
            raise InvalidInputError("invalid_query", "q must be one line, without NUL.", field="q")
        folded = fold(text)
        last = folded.rpartition(".")[2] if where == "keys" else folded
        return cls(folded, where, () if "\\" in folded else tuple(filter(None, _BETWEEN.split(last))))


def find_in_content(
    text: str, file_format: FileFormat, query: ContentQuery, *, limit: int, after: int = -1
) -> list[ContentMatch]:
    """Return at most `limit` matches behind the position `after`, in the order of their positions.

    In a text, each line that holds the query is one match, at its first occurrence. Only a text that parses has keys
    and values.
    """
    body = text.removeprefix(BYTE_ORDER_MARK)
    folded = fold(body)
    if query.where == "text":
        if query.folded not in folded:
            return []
        found = list(islice(_in_lines(body, folded, query.folded, after), limit))
        return _with_keys(found, body, file_format)
    if not _may_hold(body, folded, query) or not _holds(body, file_format, query):
        return []
    tree = try_parse(body, file_format)
    if tree is None:
        return []
    finder = _in_keys if query.where == "keys" else _in_values
    return list(islice((match for match in finder(tree, query.folded) if match.position > after), limit))


# --- text ------------------------------------------------------------------------------------------------------------


def _in_lines(body: str, folded: str, query: str, after: int) -> Iterator[ContentMatch]:
    starts, lines = _line_starts(body), _line_starts(folded)
    number = bisect_right(starts, after) if after >= 0 else 0
    at = lines[number] if number < len(lines) else len(folded)
    while (found := folded.find(query, at)) >= 0:
        number = bisect_right(lines, found)
        begin = starts[number - 1]
        end = starts[number] if number < len(starts) else len(body)
        line = body[begin:end]
        at_folded = found - lines[number - 1]
        column, stop = position_in(line, at_folded), position_in(line, at_folded + len(query))
        yield _match(body, starts, begin + column, begin + stop)
        if number == len(lines):
            return
        at = lines[number]


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _LINE_END.finditer(text))]


def _match(body: str, starts: Sequence[int], position: int, stop: int, key: str | None = None) -> ContentMatch:
    """The match from a position on; of a line of any length, no more than the excerpt is copied."""
    number = bisect_right(starts, position)
    begin = starts[number - 1]
    end = starts[number] if number < len(starts) else len(body)
    # What ends the line: one character, or the two of CRLF.
    end -= 1 if number < len(starts) else 0
    end -= 1 if end > begin and body.startswith("\r\n", end - 1) else 0
    first = begin if end - begin <= _EXCERPT else max(begin, min(position - _BEFORE, end - _EXCERPT))
    last = min(first + _EXCERPT, end)
    before, behind = _CUT if first > begin else "", _CUT if last < end else ""
    excerpt = before + _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", body[first:last]) + behind
    shift = len(before) - first
    highlight = min(position, last) + shift, max(position, min(stop, last)) + shift
    return ContentMatch(number, position - begin + 1, key, excerpt, highlight, position)


def _with_keys(found: list[ContentMatch], body: str, file_format: FileFormat) -> list[ContentMatch]:
    tree = try_parse(body, file_format) if found else None
    if tree is None:
        return found
    keys = _Keys(tree)
    return [replace(match, key=keys.at(match.position)) for match in found]


# --- keys and values -------------------------------------------------------------------------------------------------


def _may_hold(body: str, folded: str, query: ContentQuery) -> bool:
    """Whether the text holds all pieces of the query as they are, or any escape.

    Line ends and quotes inside of a key or a value are written in several ways, so the pieces are without them.
    """
    return "\\" in body or all(piece in folded for piece in query.pieces)


def _holds(body: str, file_format: FileFormat, query: ContentQuery) -> bool:
    """Whether any key, or any value, of a YAML text may match; JSON is read as fast as it is looked through."""
    if file_format == "json":
        return True
    wanted = query.pieces if query.where == "keys" else (query.folded,)
    seen: set[str] = set()
    try:
        for text in _scalars(body, keys=query.where == "keys"):
            if text not in seen:
                seen.add(text)
                folded = fold(text)
                if all(piece in folded for piece in wanted):
                    return True
    except YamlSyntaxError:
        return False
    return False


def _scalars(body: str, *, keys: bool) -> Iterator[str]:
    """The keys of a YAML text, or all its other scalars.

    Characters for which stand-ins are read may be missing; a text with such characters is not decided here.
    """
    source = prepare(body)
    if source.delicate:
        yield fold(body)
    # For each open collection: None for a sequence, else whether a key comes next.
    stack: list[bool | None] = [None]
    for event in events(source.parsed):
        kind = type(event)
        if kind in {yaml.ScalarEvent, yaml.AliasEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent}:
            is_key = stack[-1]
            if is_key is not None:
                stack[-1] = not is_key
            if kind is yaml.ScalarEvent and bool(is_key) == keys:
                scalar: ScalarEvent = event  # type: ignore[assignment]  # told by its type
                yield scalar.value
            elif kind is yaml.MappingStartEvent:
                stack.append(True)
            elif kind is yaml.SequenceStartEvent:
                stack.append(None)
        elif kind in {yaml.MappingEndEvent, yaml.SequenceEndEvent}:
            stack.pop()


def _in_keys(tree: Tree, query: str) -> Iterator[ContentMatch]:
    keys, starts = _Keys(tree), _line_starts(tree.text)
    for place in keys.walk(len(query)):
        key = place.slot.key
        if isinstance(key, Scalar) and place.ends_with(query):
            yield _match(tree.text, starts, key.start, key.end, keys.shown(place))


def _in_values(tree: Tree, query: str) -> Iterator[ContentMatch]:
    keys, starts = _Keys(tree), _line_starts(tree.text)
    for place in keys.walk(0):
        value = place.slot.value
        if not isinstance(value, Scalar):
            continue
        found = fold(value.text).find(query)
        if found < 0:
            continue
        position, stop = _position_of(tree, value, found, query)
        yield _match(tree.text, starts, position, stop, keys.shown(place))


def _position_of(tree: Tree, value: Scalar, found: int, query: str) -> tuple[int, int]:
    """Where in the text a value has what was found in it, and where that ends; where it is escaped, the value."""
    source = tree.source(value)
    inside = source.find(value.text)
    if inside >= 0:
        begin = value.start + inside
        ends = position_in(value.text, found), position_in(value.text, found + len(query))
        return begin + ends[0], begin + ends[1]
    written = fold(source).find(query)
    if written >= 0:
        return value.start + position_in(source, written), value.start + position_in(source, written + len(query))
    return value.start, value.end


@dataclass(frozen=True, slots=True)
class _Place:
    """A slot, where it is, and the ends of its path folded: as paths are shown, and with keys and dots alone."""

    slot: Slot
    step: Step
    above: "_Place | None"
    tails: tuple[str, str] = ("", "")

    def ends_with(self, query: str) -> bool:
        """Whether the path holds the query so that it reaches into the last step."""
        return any(query in tail for tail in self.tails)


class _Keys:
    """The paths of a tree's slots; of each collection they are made once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._steps: dict[int, dict[int, Step]] = {}
        self._starts: dict[int, list[int]] = {}

    def shown(self, place: _Place) -> str:
        """The path as people read it, a long one without its middle."""
        steps: list[Step] = []
        above: _Place | None = place
        while above is not None:
            steps.append(_shortened(above.step, _LONGEST_STEP))
            above = above.above
        return _shortened(shown(tuple(reversed(steps))), _LONGEST_KEY)

    def at(self, position: int) -> str | None:
        """The path of the innermost slot on the line of a position; None where the line belongs to none."""
        lines = self._tree.lines
        line = lines.number(position)
        node: Node = self._tree.stream
        place: _Place | None = None
        depth = 0
        while isinstance(node, Collection):
            starts = self._starts_of(node)
            index = bisect_right(starts, position) - 1
            if index < 0 or lines.number(node.slots[index].end) < line:
                index += 1
                if index == len(starts) or lines.number(starts[index]) != line:
                    break
            slot = node.slots[index]
            place = _Place(slot, self._step(node, slot), place)
            node = slot.value
            depth += 1
        # The first step is the document's.
        return None if place is None or depth == 1 else self.shown(place)

    def walk(self, tail: int) -> Iterator[_Place]:
        """Every slot below the documents, in the order of the text, with `tail` characters of the path above it."""
        stack = [iter([_Place(slot, self._step(self._tree.stream, slot), None) for slot in self._tree.stream.slots])]
        while stack:
            place = next(stack[-1], None)
            if place is None:
                stack.pop()
                continue
            yield place
            if isinstance(place.slot.value, Collection):
                stack.append(self._below(place, place.slot.value, tail))

    def _below(self, above: _Place, node: Collection, tail: int) -> Iterator[_Place]:
        # What is searched reaches into the step itself, so that of the path above it one character less counts.
        kept = max(0, tail - 1)
        parents = tuple(part[-kept:] if kept else "" for part in above.tails)
        for slot in node.slots:
            step = self._step(node, slot)
            if not tail:
                yield _Place(slot, step, above)
                continue
            key = slot.key.text if isinstance(slot.key, Scalar) else ""
            as_shown, plain = fold(step), fold(f".{key}") if slot.key is not None else ""
            top = above.above is None
            tails = (
                parents[0] + (as_shown.removeprefix(".") if top else as_shown),
                parents[1] + (plain.removeprefix(".") if top else plain),
            )
            yield _Place(slot, step, above, tails)

    def _step(self, node: Collection, slot: Slot) -> Step:
        steps = self._steps.get(id(node))
        if steps is None:
            found = children([self._tree], [node]) or []
            steps = self._steps[id(node)] = {id(slots[0]): step for step, slots in found}
        return steps.get(id(slot), "")

    def _starts_of(self, node: Collection) -> list[int]:
        if id(node) not in self._starts:
            self._starts[id(node)] = [slot.start for slot in node.slots]
        return self._starts[id(node)]


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}{_CUT}{text[len(text) - most // 2 :]}"
