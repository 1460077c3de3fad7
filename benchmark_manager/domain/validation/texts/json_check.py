"""Strict JSON (RFC 8259): unique keys, no NaN, no comments, and the position of what is wrong.

Two readers. The standard library's, written in C, settles nearly every file; whatever it refuses or
whatever deserves a warning is read again by ours, which knows positions and does not recurse.
"""

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmark_manager.domain.text.strict_json import refuse_constant, unique_members
from benchmark_manager.domain.validation.findings import Findings, excerpt
from benchmark_manager.domain.validation.texts.text_check import check_key, holds_invisible
from benchmark_manager.domain.yaml.events import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_EXACT_INTEGER: Final = 2**53
"""RFC 8259, section 6: integers beyond it are not the same for all readers."""

_EXACT_DIGITS: Final = len(str(MAX_EXACT_INTEGER))

_PLAIN_START: Final = frozenset('"-0123456789tf')
_SPACE: Final = re.compile(r"[ \t\n\r]*+")
# Before 3.11.5, Python's `re` leaves consumed what a possessive group had begun to match when it
# failed (https://github.com/python/cpython/issues/106052). These groups fail at their first
# character, or among single ones.
_HEX: Final = "[0-9a-fA-F]" * 4
_STRING_BEGIN: Final = rf'"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u{_HEX})*+'
_STRING_PART: Final = re.compile(_STRING_BEGIN)
_STRING: Final = re.compile(f'{_STRING_BEGIN}"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?")
_WORD: Final = re.compile(r"true|false|null")
_WORDISH: Final = re.compile(r"[-+]?\w+")

# What the fast reader does not see: escapes of NUL and of surrogates, and numbers out of range.
_NEEDS_THOROUGH_CHECK: Final = re.compile(
    r"\\u0000|\\u[dD][89a-fA-F]|(?<![0-9.])[0-9]{16}|[eE]\+?[0-9]{3}",
)
# A string without an end is one part too: else the search would begin anew at each escaped quote in
# it.
_DEEP_PART: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)

_HIGH_SURROGATE: Final = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW_SURROGATE: Final = r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE: Final = re.compile(rf"{_HIGH_SURROGATE}{_LOW_SURROGATE}|\\u[0-9a-fA-F]{{4}}|\\.")


def check_json(text: str, findings: Findings) -> bool:
    """Read a text without a byte order mark; False if it is not JSON by RFC 8259's grammar."""
    return _is_plainly_fine(text) or _JsonReader(text, findings).run()


def _is_plainly_fine(text: str) -> bool:
    """Return whether it is one object or list without a problem.

    False may also mean that only a thorough check can decide.
    """
    if _NEEDS_THOROUGH_CHECK.search(text) or holds_invisible(text) or _is_deep(text):
        return False
    try:
        value = json.loads(text, object_pairs_hook=unique_members, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, (dict, list))


def _is_deep(text: str) -> bool:
    """Return whether brackets are nested too deep; of a text which is no JSON, a guess."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for part in _DEEP_PART.findall(text):
        if part in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif part in "]}":
            depth -= 1
    return False


class _JsonSyntaxError(Exception):
    def __init__(self, code: str, message: str, index: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.index = index


@dataclass(slots=True)
class _Container:
    """An open object or array; `keys` holds where each key stood first, None in an array."""

    keys: dict[str, int] | None = field(default=None)

    @property
    def closing(self) -> str:
        return "]" if self.keys is None else "}"


class _JsonReader:
    """Reads token by token; `_next` is the state, a method which takes one token."""

    def __init__(self, text: str, findings: Findings) -> None:
        self._text = text
        self._findings = findings
        self._stack: list[_Container] = []
        self._at = 0
        self._next: Callable[[], None] = self._value

    def run(self) -> bool:
        self._skip_space()
        if self._at == len(self._text):
            self._findings.error("empty", "The file is empty, which is not JSON.", None)
            return False
        self._top()
        try:
            self._read()
        except _JsonSyntaxError as error:
            self._findings.error(error.code, error.message, error.index)
            return error.code == "too_deep"
        return True

    def _top(self) -> None:
        if self._text.startswith("null", self._at):
            self._findings.warning("empty", "The file says nothing: it holds null only.", None)
        elif self._text[self._at] in _PLAIN_START:
            message = "The file is one plain value, neither an object nor a list."
            self._findings.warning("not_a_mapping", message, self._at)

    def _read(self) -> None:
        while True:
            self._next()
            self._skip_space()
            if not self._stack and self._next == self._after_value:
                break
        if self._at != len(self._text):
            raise self._unexpected("the end of the file, as JSON is one value")

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        if match:
            self._at = match.end()

    def _value(self) -> None:
        char = self._char()
        if char == '"':
            self._string()
            self._next = self._after_value
        elif char in {"[", "{"}:
            self._open(char)
        else:
            self._number_or_word()
            self._next = self._after_value

    def _open(self, char: str) -> None:
        if len(self._stack) == MAX_DEPTH:
            raise _JsonSyntaxError(
                "too_deep", f"The JSON is nested over {MAX_DEPTH} levels deep.", self._at
            )
        self._stack.append(_Container({} if char == "{" else None))
        self._at += 1
        self._next = self._first_key if char == "{" else self._first_item

    def _first_item(self) -> None:
        if self._char() == "]":
            self._close()
        else:
            self._value()

    def _first_key(self) -> None:
        if self._char() == "}":
            self._close()
        else:
            self._key()

    def _close(self) -> None:
        self._stack.pop()
        self._at += 1
        self._next = self._after_value

    def _key(self) -> None:
        if self._char() != '"':
            raise self._unexpected("a key in double quotes")
        start = self._at
        raw = self._string()
        key = raw[1:-1] if "\\" not in raw else str(json.loads(raw))
        check_key(raw, self._findings, start)
        keys = self._stack[-1].keys
        if keys is not None and (first := keys.setdefault(key, start)) != start:
            self._findings.error(
                "duplicate_key",
                lambda: (
                    f"The key {excerpt(raw)} stands twice in this object, "
                    f"first on line {self._findings.line_of(first)}."
                ),
                start,
            )
        self._next = self._colon

    def _colon(self) -> None:
        if self._char() != ":":
            raise self._unexpected("a colon behind the key")
        self._at += 1
        self._next = self._value

    def _after_value(self) -> None:
        container = self._stack[-1]
        char = self._char()
        if char == container.closing:
            self._close()
        elif char == ",":
            self._at += 1
            self._next = self._item_after_comma if container.keys is None else self._key_after_comma
        else:
            raise self._unexpected(f"a comma or {container.closing}")

    def _item_after_comma(self) -> None:
        if self._char() == "]":
            raise self._unexpected("a value, as JSON has no comma before ]")
        self._value()

    def _key_after_comma(self) -> None:
        if self._char() == "}":
            raise self._unexpected("a key, as JSON has no comma before }")
        self._key()

    def _char(self) -> str:
        return self._text[self._at : self._at + 1]

    def _string(self) -> str:
        """Return the string at this position with its quotes, as it is written."""
        match = _STRING.match(self._text, self._at)
        if match is None:
            raise self._bad_string()
        raw, start = match[0], self._at
        self._at = match.end()
        if "\\u" in raw:
            self._unicode_escapes(raw, start)
        return raw

    def _unicode_escapes(self, raw: str, start: int) -> None:
        for match in _ESCAPE.finditer(raw):
            escape = match[0].lower()
            if escape == "\\u0000":
                self._findings.warning(
                    "nul_escape",
                    "The string holds U+0000, which many programs and databases cannot keep.",
                    start + match.start(),
                )
            elif (
                len(escape) == len("\\ud800")
                and escape.startswith("\\ud")
                and escape[3] in "89abcdef"
            ):
                self._findings.warning(
                    "lone_surrogate",
                    "The string holds half a surrogate pair, which UTF-8 cannot write.",
                    start + match.start(),
                )

    def _number_or_word(self) -> None:
        word = _WORD.match(self._text, self._at)
        match = word or _NUMBER.match(self._text, self._at)
        if match is None or self._text[match.end() : match.end() + 1].isalnum():
            raise self._unexpected("a value")
        if word is None:
            self._range(match[0])
        self._at = match.end()

    def _range(self, number: str) -> None:
        if number.lstrip("-").isdigit():
            digits = number.lstrip("-")
            # Short digits only are converted: the time for long ones is quadratic.
            if len(digits) > _EXACT_DIGITS or (
                len(digits) == _EXACT_DIGITS and int(digits) > MAX_EXACT_INTEGER
            ):
                self._findings.warning(
                    "big_integer",
                    lambda: (
                        f"Many readers round {excerpt(number)}: it is beyond 2^53. "
                        "Write it as a string."
                    ),
                    self._at,
                )
        elif float(number) in {float("inf"), float("-inf")}:
            self._findings.warning(
                "number_overflow", lambda: f"{excerpt(number)} is too large for a float.", self._at
            )

    def _bad_string(self) -> _JsonSyntaxError:
        match = _STRING_PART.match(self._text, self._at)
        end = match.end() if match else self._at
        if end == len(self._text):
            return _JsonSyntaxError(
                "syntax_error", "The string which begins here has no closing quote.", self._at
            )
        if self._text[end] == "\\":
            return _JsonSyntaxError("syntax_error", "JSON knows no such escape.", end)
        return _JsonSyntaxError(
            "syntax_error",
            f"A string must hold U+{ord(self._text[end]):04X} as an escape, such as \\n.",
            end,
        )

    def _unexpected(self, wanted: str) -> _JsonSyntaxError:
        return _JsonSyntaxError("syntax_error", f"Expected {wanted}; {self._found()}.", self._at)

    def _found(self) -> str:
        """Return what stands here instead, with a hint where another notation is known."""
        rest = self._text[self._at : self._at + 40]
        if not rest:
            return "the file ends here"
        if rest.startswith(("//", "/*", "#")):
            return "a comment stands here, and JSON has none"
        if rest[0] == "'":
            return "a single quote stands here, and JSON has double quotes only"
        word = _WORDISH.match(rest)
        shown = excerpt(word[0] if word else rest[0])
        if shown.lstrip("-+") in {"NaN", "Infinity"}:
            return f"{shown} stands here, and JSON has no such number"
        return f"found {shown}"
