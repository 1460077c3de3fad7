"""The overrides in a text: one a line, or words of a command line.

No shell reads the text. Blanks separate words unless they are in quotes or brackets or are
escaped, and quotes around a whole word are dropped, as Hydra's documentation writes commands:
`python my_app.py -m 'lr=range(0, 3)' db=mysql,postgresql`. A word that is no override and no option
continues the value before it (`msg=hello world`), one behind an option belongs to the option. A
word in quotes behind a comma keeps them: they are those of a value (`key=a, 'b,c'`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_OVERRIDE: Final = re.compile(r"(?:~|\+{1,2})?[A-Za-z_$0-9][\w$./@:-]*=|~[A-Za-z_$]")
#: Words that start a multi-run and say nothing of it.
_COMMAND: Final = re.compile(r"\$|python[0-9.]*|[^\s=]+\.py|-m|--multirun")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_QUOTES: Final = "'\""
#: What a backslash escapes in a word in double quotes.
_SHELL_ESCAPE: Final = re.compile(r'\\(["\\$`])')


@dataclass(frozen=True, slots=True)
class CommandWord:
    """A word of a command: an override, or something else."""

    text: str
    is_override: bool


def override_texts(text: str) -> Iterator[CommandWord]:
    """Yield the overrides in a text, and every other word but those that start the command."""
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        if not line.lstrip().startswith("#"):
            yield from _words_of_line(line)


def _words_of_line(line: str) -> Iterator[CommandWord]:
    override: list[str] = []
    for written in _split(line):
        word = _without_quotes(written)
        is_value = bool(override) and override[-1].endswith(",")
        continues = is_value or (bool(override) and not word.startswith("-"))
        if continues and not _OVERRIDE.match(word):
            override.append(written if is_value else word)
            continue
        if override:
            yield CommandWord(" ".join(override), is_override=True)
        override = [word] if _OVERRIDE.match(word) else []
        if not override and not _COMMAND.fullmatch(word):
            yield CommandWord(word, is_override=False)
    if override:
        yield CommandWord(" ".join(override), is_override=True)


def _split(line: str) -> Iterator[str]:
    """Yield the words of a line as they are written."""
    start, at, quote = 0, 0, ""
    closing: list[str] = []
    while at < len(line):
        character = line[at]
        if character == "\\":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character in _CLOSING:
            closing.append(_CLOSING[character])
        elif closing and character == closing[-1]:
            closing.pop()
        elif character in " \t" and not closing:
            if line[start:at]:
                yield line[start:at]
            start = at + 1
        at += 1
    if line[start:]:
        yield line[start:]


def _without_quotes(word: str) -> str:
    """Return a word without the quotes around all of it."""
    quote = word[0]
    if quote not in _QUOTES or len(word) == 1 or word.find(quote, 1) != len(word) - 1:
        return word
    inner = word[1:-1]
    return inner if quote == "'" else _SHELL_ESCAPE.sub(r"\1", inner)
