"""The values of Hydra's overrides, read after its grammar without evaluating anything.

Sources: facebookresearch/hydra, website/docs/advanced/override_grammar/basic.md and extended.md,
and hydra/grammar/OverrideLexer.g4 for what is a number.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.importing.hydra_functions import (
    Choices,
    HydraValueError,
    Result,
    called,
    choices_of,
)

#: Levels of lists, objects and functions in a value.
_DEEPEST: Final = 20
_WHOLE: Final = r"(?:0|[1-9](?:_?[0-9])*)"
_POINT: Final = rf"(?:{_WHOLE}\.|{_WHOLE}?\.[0-9](?:_?[0-9])*)"
_INT: Final = re.compile(rf"[+-]?{_WHOLE}")
_FLOAT: Final = re.compile(rf"[+-]?(?:(?:{_WHOLE}|{_POINT})[eE][+-]?[0-9](?:_?[0-9])*|{_POINT})")
_NOT_FINITE: Final = re.compile(r"[+-]?(?:inf|nan)", re.IGNORECASE)
_WORDS: Final[Mapping[str, JsonValue]] = {"true": True, "false": False, "null": None}
#: Longer digits are no numbers of a benchmark, and converting them takes quadratic time.
_MOST_DIGITS: Final = 300
_FUNCTION: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)[ \t]*\(")
_ARGUMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)[ \t]*=")
_BLANKS: Final = re.compile(r"[ \t]*")
#: What ends a value without quotes; a key in an object ends at a colon too.
_ENDS: Final = frozenset(",()[]{}=\"'")
_ENDS_OF_KEY: Final = _ENDS | {":"}
_ESCAPED: Final = frozenset("\\()[]{}:=, \t")
_INTERPOLATION: Final = "${"
_QUOTED: Final = {
    quote: re.compile(rf"{quote}([^{quote}\\]*+(?:\\.[^{quote}\\]*+)*+){quote}", re.DOTALL)
    for quote in ("'", '"')
}
_BACKSLASHES: Final = re.compile(r"(\\++)(['\"]?)")


def read_value(text: str) -> Result:
    """Return the value of an override: one value, or choices.

    Raises:
        HydraValueError: the text does not follow the grammar, or holds what is no list of values.
    """
    return _OverrideReader(text).read() if text.strip() else ""


class _OverrideReader:
    """Reads a value from left to right; every method begins where the one before it ended."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self) -> Result:
        """Read elements with commas between them, to the end of the text."""
        elements = [self._element()]
        while self._takes(","):
            elements.append(self._element())
        self._skip_blanks()
        if self._at < len(self._text):
            raise HydraValueError
        return elements[0] if len(elements) == 1 else choices_of(elements)

    def _element(self) -> Result:
        self._skip_blanks()
        if self._text.startswith(("'", '"'), self._at):
            return self._quoted()
        if self._takes("["):
            return self._nested(self._list)
        if self._takes("{"):
            return self._nested(self._object)
        function = _FUNCTION.match(self._text, self._at)
        if function is not None:
            self._at = function.end()
            return self._nested(lambda: self._call(function[1]))
        text, is_escaped = self._unquoted(_ENDS)
        return text if is_escaped else _primitive(text)

    def _nested(self, read: Callable[[], Result]) -> Result:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise HydraValueError
        result = read()
        self._depth -= 1
        return result

    def _list(self) -> JsonValue:
        items: list[JsonValue] = []
        if self._takes("]"):
            return items
        items.append(self._plain_element())
        while self._takes(","):
            items.append(self._plain_element())
        self._expect("]")
        return items

    def _object(self) -> JsonValue:
        members: dict[str, JsonValue] = {}
        if self._takes("}"):
            return members
        while True:
            self._skip_blanks()
            name = (
                self._quoted()
                if self._text.startswith(("'", '"'), self._at)
                else self._unquoted(_ENDS_OF_KEY)[0]
            )
            self._expect(":")
            if name in members:
                raise HydraValueError
            members[name] = self._plain_element()
            if not self._takes(","):
                self._expect("}")
                return members

    def _plain_element(self) -> JsonValue:
        element = self._element()
        if isinstance(element, Choices):
            raise HydraValueError
        return element

    def _call(self, function: str) -> Result:
        arguments: list[tuple[str, Result]] = []
        if not self._takes(")"):
            arguments.append(self._argument())
            while self._takes(","):
                arguments.append(self._argument())
            self._expect(")")
        return called(function, arguments)

    def _argument(self) -> tuple[str, Result]:
        self._skip_blanks()
        named = _ARGUMENT.match(self._text, self._at)
        if named is None:
            return "", self._element()
        self._at = named.end()
        return named[1], self._element()

    def _quoted(self) -> str:
        """Read a text in quotes: backslashes are escapes where they are before a quote."""
        quote = self._text[self._at]
        found = _QUOTED[quote].match(self._text, self._at)
        if found is None:
            raise HydraValueError
        self._at = found.end()
        text = _BACKSLASHES.sub(lambda run: _unescaped(run, quote), found[1])
        return _without_interpolation(text)

    def _unquoted(self, ends: frozenset[str]) -> tuple[str, bool]:
        """Read a text without quotes, and whether it has escapes; blanks around it do not count."""
        pieces: list[str] = []
        blanks, is_escaped = 0, False
        while self._at < len(self._text) and self._text[self._at] not in ends:
            character = self._text[self._at]
            following = self._text[self._at + 1 : self._at + 2]
            if self._text.startswith(_INTERPOLATION, self._at):
                raise HydraValueError("${}")
            if character == "\\" and following in _ESCAPED and following:
                pieces.append(following)
                is_escaped, blanks = True, 0
                self._at += 2
                continue
            blanks = blanks + 1 if character in " \t" else 0
            pieces.append(character)
            self._at += 1
        text = "".join(pieces[: len(pieces) - blanks])
        if not text:
            raise HydraValueError
        return text, is_escaped

    def _skip_blanks(self) -> None:
        blanks = _BLANKS.match(self._text, self._at)
        self._at = self._at if blanks is None else blanks.end()

    def _takes(self, sign: str) -> bool:
        """Read a sign if it follows, and the blanks before it."""
        self._skip_blanks()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise HydraValueError


def _unescaped(run: re.Match[str], quote: str) -> str:
    """Return a run of backslashes, halved where a quote or the end of the text follows."""
    is_escape = run[2] == quote or (not run[2] and run.end() == len(run.string))
    return run[1][: len(run[1]) // 2] + run[2] if is_escape else run[0]


def _without_interpolation(text: str) -> str:
    if _INTERPOLATION in text:
        raise HydraValueError("${}")
    return text


def _primitive(text: str) -> JsonValue:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) <= _MOST_DIGITS and _INT.fullmatch(text):
        return int(text)
    if len(text) <= _MOST_DIGITS and _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        raise HydraValueError(text.lower())
    return text
