"""YAML text as a stream of events, read by libyaml without building a value.

A position is an index into the text, in characters. libyaml counts a line more at U+0085, U+2028
and U+2029, as YAML 1.1 does; YAML 1.2.2 (section 5.4) ends a line at CR, LF and CRLF only. That
is why no caller uses the parser's own line and column.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, filterfalse, islice
from typing import Final, Protocol

import yaml

MAX_DEPTH: Final = 200
"""Levels of nesting beyond which a text is refused.

Real files reach 28, and recursive readers stand about 1,000.
"""

SEPARATORS: Final = frozenset("\x85\u2028\u2029")
"""Line ends in YAML 1.1, ordinary characters in YAML 1.2.2 (section 5.4)."""

BYTE_ORDER_MARK: Final = "\ufeff"

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# YAML 1.2.2, section 5.1: C0 controls stand nowhere, DEL and C1 inside quotes only.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_DELICATE: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_TAG_LINE: Final = re.compile(r"(?:\A|(?<=[\r\n]))%TAG[^\r\n]*+")
# Nearly all texts hold nothing else; looking for that is several times as fast.
_ORDINARY: Final = b"\t\n\r" + bytes(range(0x20, 0x7F))
_INNER_MARK: Final = re.compile(
    r"(?<=[\r\n])\ufeff(?=---(?:[ \t\r\n]|\Z))"
    r"|(?<=\n\.\.\.\n)\ufeff|(?<=\n\.\.\.\r\n)\ufeff"
)
# Characters that libyaml takes for letters: private ones, then all those of other planes and of the
# East.
_STAND_INS: Final = (
    range(0x100000, 0x10FFFE),
    range(0xF0000, 0xFFFFE),
    range(0xE000, 0xF900),
    range(0x3400, 0xD7A4),
)
_STAND_INS_LAST: Final = range(0x10000, 0xF0000)
_ESCAPE: Final = re.compile(r"\\(?:U([0-9a-fA-F]{8})|u([0-9a-fA-F]{4}))")

MAX_DIRECTIVES: Final = 16
"""`%TAG` lines of one document.

libyaml compares each with all before it, and each tag with all of them.
"""

MAX_TAG_PREFIX: Final = 256
"""Characters of what a `%TAG` line stands for.

libyaml writes it out at every node which has such a tag.
"""


class Mark(Protocol):
    """A position in the text, in characters from 0."""

    index: int


class Event(Protocol):
    """An event as libyaml gives it; PyYAML's own classes leave open whether it has marks."""

    start_mark: Mark
    end_mark: Mark


class CollectionStart(Event, Protocol):
    """The start of a mapping or a sequence."""

    anchor: str | None
    tag: str | None
    flow_style: bool | None


class ScalarEvent(Event, Protocol):
    """`implicit[0]` says that the scalar is plain, `style` is empty then."""

    anchor: str | None
    tag: str | None
    value: str
    implicit: tuple[bool, bool]
    style: str | None


class AliasEvent(Event, Protocol):
    anchor: str


class YamlSyntaxError(Exception):
    """The text is not YAML; `index` is the position in characters, or None."""

    def __init__(self, code: str, message: str, index: int | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.index = index


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text made ready for libyaml, with the same number of characters.

    `delicate` are the positions of characters which YAML 1.2 takes differently from libyaml;
    `parsed` holds stand-ins there, which occur nowhere else in the text.
    """

    text: str
    parsed: str
    delicate: tuple[int, ...]

    def originals(self) -> dict[int, str]:
        """Return what `str.translate` needs to put the text's own characters in a parsed value."""
        return {ord(self.parsed[index]): self.text[index] for index in self.delicate}


def prepare(text: str) -> PreparedText:
    """Make a text ready which has no byte order mark at its beginning.

    Raises:
        YamlSyntaxError: `control_character`, for one which may stand nowhere;
            `too_many_directives`, `tag_too_long`;
            `too_many_characters`, for a text which holds nearly every character that there is.
    """
    source = _ready(text)
    if "%TAG" in text:
        _check_directives(source.parsed)
    return source


def _ready(text: str) -> PreparedText:
    if text.isascii() and not text.encode().translate(None, _ORDINARY):
        return PreparedText(text, text, ())
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        raise control_character(text, forbidden.start())
    parsed = text
    if not text.isascii():
        # A mark may begin every document (section 5.2); libyaml knows it at the very beginning
        # only.
        parsed = _INNER_MARK.sub("\n", text)
    delicate = tuple(m.start() for m in _DELICATE.finditer(parsed))
    return PreparedText(text, _with_stand_ins(parsed, delicate), delicate)


def control_character(text: str, index: int) -> YamlSyntaxError:
    return YamlSyntaxError(
        "control_character",
        f"YAML allows no U+{ord(text[index]):04X} here; write it as an escape in double quotes.",
        index,
    )


def _with_stand_ins(text: str, delicate: tuple[int, ...]) -> str:
    """Return the text with a stand-in for each delicate character.

    A stand-in is a character that the text does not hold, also not as an escape.

    Raises:
        YamlSyntaxError: `too_many_characters`.
    """
    if not delicate:
        return text
    wanted = sorted({text[i] for i in delicate})
    present = set(map(ord, set(text)))
    if "\\" in text:
        present.update(int(found[1] or found[2], 16) for found in _ESCAPE.finditer(text))
    codes = chain(*_STAND_INS, _STAND_INS_LAST)
    unused = list(islice(filterfalse(present.__contains__, codes), len(wanted)))
    if len(unused) < len(wanted):
        message = (
            f"The YAML holds U+{ord(wanted[0]):04X} and nearly every other character; "
            "write it as an escape."
        )
        raise YamlSyntaxError("too_many_characters", message, delicate[0])
    return text.translate(dict(zip(map(ord, wanted), unused, strict=True)))


def _check_directives(parsed: str) -> None:
    """Refuse more `%TAG` lines, or longer prefixes, than libyaml takes in time.

    The scanner is asked, which knows a directive from a line of a text block; its own time is in
    proportion to the text. Where it fails, so does the parser, at the same position.
    """
    lines = _TAG_LINE.findall(parsed)
    if len(lines) <= MAX_DIRECTIVES and max(map(len, lines), default=0) <= MAX_TAG_PREFIX:
        return
    count = 0
    with suppress(yaml.YAMLError, ValueError, OverflowError):
        for token in yaml.scan(parsed, Loader=_Loader):
            if isinstance(token, yaml.DirectiveToken):
                count += 1
                index = token.start_mark.index
                if count > MAX_DIRECTIVES:
                    message = (
                        f"The document has over {MAX_DIRECTIVES} directives "
                        "(lines which begin with %)."
                    )
                    raise YamlSyntaxError("too_many_directives", message, index)
                if token.name == "TAG" and len(token.value[1]) > MAX_TAG_PREFIX:
                    message = f"The directive stands for a tag of over {MAX_TAG_PREFIX} characters."
                    raise YamlSyntaxError("tag_too_long", message, index)
            elif isinstance(token, (yaml.DocumentStartToken, yaml.DocumentEndToken)):
                count = 0


def events(parsed: str) -> Iterator[Event]:
    """Yield every event of the stream, `StreamStart` and `StreamEnd` included.

    Raises:
        YamlSyntaxError: where the text stops being YAML; the events before it have been given.
    """
    try:
        get_event: Callable[[], Event | None] = _Loader(parsed).get_event
        while (event := get_event()) is not None:
            yield event
    except yaml.MarkedYAMLError as error:
        raise _from_marked(parsed, error) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # Only the parser written in Python comes here: chr() of an escape beyond U+10FFFF.
        raise YamlSyntaxError(
            "syntax_error", "The YAML holds an escape which is no character.", None
        ) from None


def _from_marked(parsed: str, error: yaml.MarkedYAMLError) -> YamlSyntaxError:
    mark = error.problem_mark or error.context_mark
    index = None if mark is None else min(mark.index, len(parsed))
    if index is not None and (
        parsed.startswith("\t", index) or "tab character" in (error.problem or "")
    ):
        return YamlSyntaxError("tab", "A tab stands where YAML allows only spaces.", index)
    parts = [part for part in (error.context, error.problem) if part]
    return YamlSyntaxError("syntax_error", f"The YAML does not parse: {', '.join(parts)}.", index)
