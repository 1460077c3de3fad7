"""Guides: the files and commands that they show, and what those write.

In a guide `…` stands for any characters, and alone on a line for any lines; ids differ.
"""

import re
from collections.abc import Iterator
from typing import Final

_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: A command with its continued lines, and what it writes.
_COMMAND: Final = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_NAMED: Final = re.compile(r"`([\w-]+\.(?:yaml|json|txt|sh|py))`")


def blocks_of(guide: str, *languages: str) -> list[str]:
    """Return the code blocks of these languages."""
    return [body for language, body in _BLOCK.findall(guide) if language in languages]


def files_of(guide: str) -> Iterator[tuple[str, str]]:
    """Yield the files that a guide shows, in the order in which the text before names them."""
    names: list[str] = []
    end = 0
    for block in _BLOCK.finditer(guide):
        names += _NAMED.findall(guide[end : block.start()])
        end = block.end()
        if block[1] != "console":
            yield names.pop(0), block[2]


def commands_of(guide: str) -> list[tuple[str, str]]:
    """Return each command with what it writes."""
    return [
        (command.replace("\\\n", " "), shown)
        for body in blocks_of(guide, "console")
        for command, shown in _COMMAND.findall(body)
    ]


def pattern(shown: str) -> re.Pattern[str]:
    """Return what an output has to match, without regard to spaces."""
    escaped = re.escape(plain(shown))
    escaped = re.sub("^…\n", "(?:.*\n)*", escaped.replace("\\\n", "\n"), flags=re.MULTILINE)
    return re.compile(re.sub("[0-9a-f]{24}", "[0-9a-f]{24}", escaped.replace("…", ".*")))


def plain(text: str) -> str:
    """Return the lines with single spaces between their words."""
    return "".join(f"{' '.join(line.split())}\n" for line in text.splitlines())
