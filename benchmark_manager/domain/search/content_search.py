"""Finds a query inside one text: anywhere, in its keys, or in its values.

Query and text are compared as `domain.text.folding` does; positions are those of the exact text.
What costs much is done last: a text which does not hold the query folded is left at once, and only
one whose keys or values hold it gets an outline. The time is in proportion to the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from benchmark_manager.domain.search.outline import Key, Outline, outline_of
from benchmark_manager.domain.text.folding import fold, position_in
from benchmark_manager.domain.text.lines import is_one_line, line_starts
from benchmark_manager.domain.yaml.events import (
    BYTE_ORDER_MARK,
    AliasEvent,
    CollectionStart,
    Event,
    ScalarEvent,
    YamlSyntaxError,
    prepare,
)
from benchmark_manager.domain.yaml.walker import Kind, NodeReader, Role, walk
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.search import LONGEST_QUERY, ContentMatch, SearchIn

#: Characters of an excerpt, and of those how many are before what was found.
_EXCERPT: Final = 200
_BEFORE: Final = 60
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"
#: What a terminal obeys, or what turns text around; a tab is neither.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]"
)
#: Escapes of letters, and of a line end: what stands around it belongs together. Others are of
#: blanks and controls.
_ESCAPE: Final = re.compile(r"\\[xuU/\r\n]")
#: What is in a path beside the letters of keys, or is written otherwise in a text.
_BETWEEN: Final = re.compile(r"[\s\"'()\[\]=\\]+")
#: A path that ends in an item of a list, whole or in part: `containers[name=main]`, `[0]`.
_ITEM_AT_END: Final = re.compile(r"\[[^\[\]]*+\]?\Z")
#: What is in front of a YAML value: anchors and tags, with what separates them.
_PROPERTIES: Final = re.compile(
    "(?:[&!][^ \t\r\n\x85\u2028\u2029]*+(?:[ \t\r\n\x85\u2028\u2029]++(?:#[^\r\n]*+)?)*+)*+"
)
_BLOCK_HEAD: Final = re.compile(r"[|>][^\r\n]*+(?:\r\n|\r|\n|\Z)")
_WORD: Final = re.compile(r"\S++")
_LINE: Final = re.compile(r"[^\r\n]++")
_INDENT: Final = re.compile(r"(?:\A|(?<=[\r\n]))( *+)[^ \r\n]")
#: A stretch as it is, or what stands for one character in double quotes: a pair of surrogates is of
#: JSON.
_WRITTEN: Final = re.compile(
    r"[^\\]++|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ContentQuery:
    """What to find, folded, and where.

    A key matches where its path does, such as `spec.parallelism`, and the match reaches into the
    key itself: `spec` finds the key and not all that is in it. A query which ends in what names an
    item, such as `name=main` or `[0]`, finds items too.
    """

    folded: str
    where: SearchIn
    pieces: tuple[str, ...] = field(default=())
    finds_items: bool = False

    @classmethod
    def of(cls, text: str, where: SearchIn) -> "ContentQuery":
        """Make a query of what a person typed.

        Raises:
            InvalidInputError: `invalid_request`.
        """
        if not 1 <= len(text) <= LONGEST_QUERY or text.isspace():
            raise InvalidInputError(
                "invalid_request", "blank_query", field="query", limit=LONGEST_QUERY
            )
        if "\0" in text or not is_one_line(text):
            raise InvalidInputError("invalid_request", "query_of_lines", field="query")
        folded = fold(text)
        last = folded.rpartition(".")[2] if where == "keys" else folded
        is_plain = "\\" not in folded and _UNSAFE.search(folded) is None
        pieces = tuple(filter(None, _BETWEEN.split(last))) if is_plain else ()
        item = _ITEM_AT_END.search(folded) if where == "keys" else None
        if where == "keys" and (item is not None or ("=" in folded and "[" not in folded)):
            # An item's number is not in the text.
            return cls(
                folded,
                where,
                tuple(piece for piece in pieces if not piece.isdigit()),
                finds_items=True,
            )
        return cls(folded, where, pieces)


def find_in_content(
    text: str,
    file_format: FileFormat,
    query: ContentQuery,
    *,
    limit: int,
    after: int = -1,
    parses: bool = True,
) -> list[ContentMatch]:
    """Return at most `limit` matches behind the position `after`, in the order of their positions.

    In a text, each line that holds the query is one match, at its first occurrence. Keys and values
    are those of a text that is known to parse; of any other, none is named, and none is found.
    """
    body = text.removeprefix(BYTE_ORDER_MARK)
    folded = fold(body)
    if query.where == "text":
        if query.folded not in folded:
            return []
        found = list(islice(_in_lines(body, folded, query.folded, after), limit))
        return _with_keys(found, body, file_format) if parses else found
    if not parses or not _may_hold(body, folded, query) or not _holds(body, file_format, query):
        return []
    finder = _in_keys if query.where == "keys" else _in_values
    return list(
        islice(
            (match for match in finder(body, file_format, query) if match.position > after), limit
        )
    )


# --- text -----------------------------------------------------------------------------------------


def _in_lines(body: str, folded: str, query: str, after: int) -> Iterator[ContentMatch]:
    starts = line_starts(body)
    lines = starts if body.isascii() else line_starts(folded)
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


def _match(
    body: str, starts: Sequence[int], position: int, stop: int, key: str | None = None
) -> ContentMatch:
    """Return the match from a position on; of a long line, only the excerpt is copied."""
    number = bisect_right(starts, position)
    begin = starts[number - 1]
    end = starts[number] if number < len(starts) else len(body)
    # What ends the line: one character, or the two of CRLF.
    end -= 1 if number < len(starts) else 0
    end -= 1 if end > begin and body.startswith("\r\n", end - 1) else 0
    first = (
        begin if end - begin <= _EXCERPT else max(begin, min(position - _BEFORE, end - _EXCERPT))
    )
    last = min(first + _EXCERPT, end)
    before, behind = _CUT if first > begin else "", _CUT if last < end else ""
    excerpt = before + _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", body[first:last]) + behind
    shift = len(before) - first
    highlight = min(position, last) + shift, max(position, min(stop, last)) + shift
    return ContentMatch(number, position - begin + 1, key, excerpt, highlight, position)


def _with_keys(found: list[ContentMatch], body: str, file_format: FileFormat) -> list[ContentMatch]:
    outline = outline_of(body, file_format) if found else None
    if outline is None:
        return found
    starts = line_starts(body)

    def line_of(position: int) -> int:
        return bisect_right(starts, position)

    entries = [outline.at(match.position, match.line, line_of) for match in found]
    return [
        match if entry is None else replace(match, key=outline.path(entry))
        for match, entry in zip(found, entries, strict=True)
    ]


# --- keys and values ------------------------------------------------------------------------------


def _may_hold(body: str, folded: str, query: ContentQuery) -> bool:
    """Return whether the text may hold all pieces of the query.

    It holds them as they are, or has an escape which may stand for one.

    Blanks and quotes inside of a key or a value are written in several ways, so the pieces are
    without them.
    """
    return all(piece in folded for piece in query.pieces) or _ESCAPE.search(body) is not None


def _holds(body: str, file_format: FileFormat, query: ContentQuery) -> bool:
    """Return whether any key, or any value, of a YAML text may match; of JSON, always True.

    An outline of JSON is made as fast as its keys are read.
    """
    if file_format == "json" or query.finds_items:
        return True
    source = prepare(body)
    if source.delicate:
        # Stand-ins are read for some characters.
        return True
    wanted = query.pieces if query.where == "keys" else (query.folded,)
    try:
        walk(source.parsed, _MatchReader(body, wanted, in_keys=query.where == "keys"))
    except _MatchFoundError:
        return True
    except YamlSyntaxError:
        return False
    return False


class _MatchFoundError(Exception):
    """Ends the walk at the first match."""


class _MatchReader(NodeReader[None]):
    """Raises `_MatchFoundError` at the first key, or other scalar, which holds all pieces.

    Of a key that is a collection or an alias, the whole text counts.
    """

    def __init__(self, body: str, pieces: tuple[str, ...], *, in_keys: bool) -> None:
        self._body = body
        self._pieces = pieces
        self._in_keys = in_keys
        self._seen: set[str] = set()

    def document(self, event: Event) -> None:
        """Keep nothing of a document."""

    def scalar(self, event: ScalarEvent, _around: None, role: Role) -> None:
        if (role == "key") == self._in_keys and event.value not in self._seen:
            self._compare(event.value)

    def alias(self, _event: AliasEvent, _around: None, role: Role) -> None:
        self._not_scalar(role)

    def begin(self, _event: CollectionStart, _kind: Kind, _around: None, role: Role) -> None:
        self._not_scalar(role)

    def _not_scalar(self, role: Role) -> None:
        if role == "key" and self._in_keys and self._body not in self._seen:
            self._compare(self._body)

    def _compare(self, text: str) -> None:
        self._seen.add(text)
        folded = fold(text)
        if all(piece in folded for piece in self._pieces):
            raise _MatchFoundError


def _in_keys(body: str, file_format: FileFormat, query: ContentQuery) -> Iterator[ContentMatch]:
    outline = outline_of(body, file_format)
    if outline is None:
        return
    starts, paths = line_starts(body), _Paths(outline, query.folded)
    known: dict[str, bool] = {}
    item = -1
    for entry, key in enumerate(outline.keys):
        if key is None:
            if query.finds_items and outline.parents[entry] >= 0 and paths.hold(entry, None):
                item = outline.starts[entry]
                yield _match(body, starts, item, outline.ends[entry], outline.path(entry))
            continue
        if key.text not in known:
            folded = fold(key.text)
            known[key.text] = all(piece in folded for piece in query.pieces)
        # An item begins where its first key does; what is found continues behind a position.
        if known[key.text] and key.start != item and paths.hold(entry, key):
            yield _match(body, starts, key.start, key.end, outline.path(entry))


class _Paths:
    """The ends of entries' paths, folded: as paths are shown, and of keys and dots alone."""

    def __init__(self, outline: Outline, query: str) -> None:
        self._outline = outline
        self._query = query
        # What is searched reaches into the entry's own step, so that of the path above it one
        # character less counts.
        self._kept = len(query) - 1
        self._above: dict[int, tuple[str, str]] = {}

    def hold(self, entry: int, key: Key | None) -> bool:
        """Return whether the path holds the query in the right part.

        The query has to reach into the key, or into what names the item.
        """
        above = self._tails(self._outline.parents[entry])
        return any(self._query in tail for tail in self._joined(above, entry, key))

    def _tails(self, entry: int) -> tuple[str, str]:
        if entry < 0 or not self._kept:
            return "", ""
        missing = []
        while entry >= 0 and entry not in self._above:
            missing.append(entry)
            entry = self._outline.parents[entry]
        tails = self._above.get(entry, ("", ""))
        for below in reversed(missing):
            if self._outline.parents[below] >= 0:
                joined = self._joined(tails, below, self._outline.keys[below])
                tails = joined[0][-self._kept :], joined[1][-self._kept :]
            self._above[below] = tails
        return tails

    def _joined(self, above: tuple[str, str], entry: int, key: Key | None) -> tuple[str, str]:
        shown, plain = fold(self._outline.step(entry)), "" if key is None else fold(f".{key.text}")
        if self._outline.parents[self._outline.parents[entry]] < 0:
            # The first step of a path has no dot.
            shown, plain = shown.removeprefix("."), plain.removeprefix(".")
        return above[0] + shown, above[1] + plain


def _in_values(body: str, file_format: FileFormat, query: ContentQuery) -> Iterator[ContentMatch]:
    found: list[tuple[int, str, int, int]] = []
    known: dict[str, bool] = {}

    def note(entry: int, text: str, start: int, end: int) -> None:
        if text not in known:
            known[text] = query.folded in fold(text)
        if known[text]:
            found.append((entry, text, start, end))

    outline = outline_of(body, file_format, note)
    if outline is None:
        return
    starts = line_starts(body)
    for entry, text, start, end in found:
        position, stop = _position_of(body[start:end], text, query.folded)
        yield _match(body, starts, start + position, start + stop, outline.path(entry))


def _position_of(source: str, text: str, query: str) -> tuple[int, int]:
    """Return where in its source a value has the query, and where that ends.

    An anchor, a tag, and what introduces a block are not searched. Where the query is written in
    another way, such as with lines that are folded, its position is the value's.
    """
    properties = _PROPERTIES.match(source)
    begin = 0 if properties is None else properties.end()
    block = _BLOCK_HEAD.match(source, begin)
    if block is not None:
        found = _position_in_block(source[block.end() :], text, query)
        begin = block.end()
    else:
        quote = source[begin : begin + 1]
        quoted = 1 if quote in {'"', "'"} else 0
        found = _position_in_line(source[begin + quoted : len(source) - quoted], quote, text, query)
        begin += quoted if found is not None else 0
    if found is not None:
        return begin + found[0], begin + found[1]
    return begin + len(source[begin:]) - len(source[begin:].lstrip(" \r\n")), len(source)


def _position_in_block(content: str, text: str, query: str) -> tuple[int, int] | None:
    of_source, of_text = _INDENT.search(content), _INDENT.search(text)
    indent = (
        len(of_source[1]) - len(of_text[1]) if of_source is not None and of_text is not None else 0
    )
    for line in _LINE.finditer(content):
        inside = line[0][indent:]
        at = fold(inside).find(query)
        if at >= 0:
            begin = line.start() + indent
            return begin + position_in(inside, at), begin + position_in(inside, at + len(query))
    return _position_across_lines(content, query)


def _position_in_line(content: str, quote: str, text: str, query: str) -> tuple[int, int] | None:
    if content == text or (quote == '"' and "\\" in content and is_one_line(content)):
        at = fold(text).find(query)
        first, last = position_in(text, at), position_in(text, at + len(query))
        return (
            (first, last)
            if content == text
            else (_written(content, first), _written(content, last))
        )
    wanted = query.replace("'", "''") if quote == "'" else query
    at = fold(content).find(wanted)
    if at >= 0:
        return position_in(content, at), position_in(content, at + len(wanted))
    return _position_across_lines(content, wanted)


def _position_across_lines(content: str, query: str) -> tuple[int, int] | None:
    """Return where the query is with blanks and line ends in any number between its words."""
    folded = fold(content)
    wanted, words = " ".join(query.split()), " ".join(folded.split())
    at = words.find(wanted)
    if at < 0:
        return None
    skipped = at - words.count(" ", 0, at)
    last = skipped + len(wanted) - wanted.count(" ") - 1
    begin, end = -1, len(content)
    for word in _WORD.finditer(folded):
        length = word.end() - word.start()
        if begin < 0 and skipped < length:
            begin = position_in(content, word.start() + skipped)
        if last < length:
            end = position_in(content, word.start() + last + 1)
            break
        skipped, last = skipped - length, last - length
    return begin, end


def _written(content: str, position: int) -> int:
    """Return where in a text in double quotes the character at this position of its value is."""
    passed = 0
    for part in _WRITTEN.finditer(content):
        length = 1 if part[0].startswith("\\") else len(part[0])
        if passed + length > position:
            return part.start() + position - passed
        passed += length
    return len(content)
