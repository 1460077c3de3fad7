"""A path's text as the steps that it names."""

import json
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

OPTIONAL: Final = "?"
"""Ends a path that may be absent."""

_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STEP: Final = re.compile(
    rf"(?P<dot>\.?)(?:(?P<quoted>{_STRING})|\((?P<odd>{_STRING})\)|(?P<bare>[^.\[\]\"()]++))"
    rf"|\[(?:(?P<index>[0-9]{{1,9}})|(?P<flag>-[^\]=]*+)"
    rf"|(?P<name>[^\]=\[\"-][^\]=\[\"]*+)=(?:(?P<text>{_STRING})|\((?P<value>{_STRING})\)"
    r"|(?P<word>[^\]\"(][^\]]*+)))\]"
)
#: The selector of a document, which a blank ends.
_DOCUMENT: Final = re.compile(rf"(?>(?:{_STRING}|[^\" ]++)+)(?= |\Z)")


@dataclass(frozen=True, slots=True)
class KeyStep:
    """An entry of a mapping by its key's text.

    `quoted` says that the key is a string, `odd` that it is no plain key (its source in
    parentheses).
    """

    text: str
    quoted: bool = False
    odd: bool = False


@dataclass(frozen=True, slots=True)
class IndexStep:
    """An item of a sequence by its number, from 0."""

    number: int


@dataclass(frozen=True, slots=True)
class NamedStep:
    """An item of a sequence by the text of one of its entries, such as `[name=server]`."""

    key: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class FlagStep:
    """The value of a command line flag in a list of strings."""

    flag: str


PathStep: TypeAlias = KeyStep | IndexStep | NamedStep | FlagStep


class PathSyntaxError(Exception):
    """The text is no path."""


def steps_of(text: str) -> list[PathStep]:
    """Return the steps of a path without the selector of its document.

    Raises:
        PathSyntaxError: the text is no path.
    """
    if text in {"", "."}:
        return []
    steps: list[PathStep] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (at and match["dot"] == ""):
            raise PathSyntaxError
        steps.append(_step(match))
        at = match.end()
    return steps


def last_steps(path: str) -> list[PathStep]:
    """Return the steps of a path, without those that may be the selector of a document.

    Raises:
        PathSyntaxError: the text is no path.
    """
    return steps_of(document_of(path)[1] or path)


def is_flag_path(path: str) -> bool:
    """Return whether a path, without the mark that it may be absent, ends at a flag."""
    try:
        steps = last_steps(path)
    except PathSyntaxError:
        return False
    return bool(steps) and isinstance(steps[-1], FlagStep)


def document_of(text: str) -> tuple[str, str]:
    """Split a path after its first blank outside quotes, where a document's selector would end."""
    match = _DOCUMENT.match(text)
    return ("", text) if match is None else (match[0], text[match.end() + 1 :])


def _step(match: re.Match[str]) -> PathStep:
    if match["index"] is not None:
        return IndexStep(int(match["index"]))
    if match["flag"] is not None:
        return FlagStep(match["flag"])
    if match["name"] is not None:
        return _named(match)
    if match["bare"] is not None:
        return KeyStep(match["bare"])
    if match["odd"] is not None:
        return KeyStep(_string(match["odd"]), odd=True)
    return KeyStep(_string(match["quoted"]), quoted=True)


def _named(match: re.Match[str]) -> NamedStep:
    source = match[0]
    if match["word"] is not None:
        return NamedStep(match["name"], match["word"], source)
    return NamedStep(match["name"], _string(match["text"] or match["value"]), source)


def _string(source: str) -> str:
    try:
        return str(json.loads(source, strict=False))
    except ValueError:
        raise PathSyntaxError from None
