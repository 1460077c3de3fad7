"""Edits of YAML and JSON such as people make."""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmark_manager.models.original import FileFormat
from benchmarks.harness.yaml_leaves import Leaf, LeafPath, leaves

_NEW: Final = "by-a-person"
_COMMENT: Final = "# written by a person"


@dataclass(frozen=True)
class Edit:
    """A changed text.

    `gone` and `come` are the leaves that the edit removed and added, in order; None if unknown.
    """

    kind: str
    text: str
    gone: tuple[tuple[str, str], ...] | None = ()
    come: tuple[str, ...] = ()
    comment: str | None = None
    path: LeafPath | None = None


def edits(base: str, file_format: FileFormat, rng: random.Random) -> Iterator[Edit]:
    """Yield one edit of each kind for which the text has a line."""
    found = leaves(base) or []
    plain = [leaf for leaf in found if leaf.is_plain]
    if not plain:
        return
    yield _scalar(base, rng.choice(plain), "a value")
    if file_format == "json":
        return
    lone = [leaf for leaf in plain if _is_entry(base, leaf)]
    if lone:
        yield _commented(base, rng.choice(lone), rng, with_value=True)
        yield _commented(base, rng.choice(lone), rng, with_value=False)
        yield _above(base, rng.choice(lone))
        yield _added_key(base, rng.choice(lone))
        yield _removed_key(base, rng.choice(lone))
        yield _commented_out(base, rng.choice(lone))
    named = [leaf for leaf in plain if leaf.path[-1] == "name" and len(leaf.path) > 2]
    if named:
        yield _scalar(base, rng.choice(named), "a name")
    items = [
        leaf
        for leaf in plain
        if re.search(r"(?:^|\n)[ ]*- $", base[: leaf.start]) and _behind(base, leaf) == ""
    ]
    if items:
        yield _added_item(base, rng.choice(items))
    written = [
        match
        for match in re.finditer(r"(?m)^[ ]*# ?\w[^\n]*$", base)
        if not _is_inside(found, match.start())
    ]
    if written:
        match = rng.choice(written)
        text = f"{base[: match.start()]}{match[0]} ({_NEW}){base[match.end() :]}"
        yield Edit("a comment line", text, comment=f"{match[0]} ({_NEW})".strip())


def _is_inside(found: Iterable[Leaf], index: int) -> bool:
    return any(leaf.start <= index < leaf.end for leaf in found)


def _behind(text: str, leaf: Leaf) -> str:
    return text[leaf.end :].split("\n", 1)[0].rstrip("\r")


def _is_entry(text: str, leaf: Leaf) -> bool:
    """Return whether a line has only one key with this value, and perhaps a comment."""
    before = text[: leaf.start].rsplit("\n", 1)[-1]
    is_line = (
        re.fullmatch(r"[ ]*[\w.\"'/-]+: +", before) is not None
        and "\n" not in text[leaf.start : leaf.end]
    )
    return is_line and re.fullmatch(r"[ \t]*(?:[ \t]#.*)?", _behind(text, leaf)) is not None


def _line(text: str, leaf: Leaf) -> tuple[int, int, str]:
    start = text.rfind("\n", 0, leaf.start) + 1
    end = text.find("\n", leaf.end)
    indent = text[start : leaf.start]
    return start, len(text) if end < 0 else end + 1, indent[: len(indent) - len(indent.lstrip(" "))]


def _scalar(text: str, leaf: Leaf, kind: str) -> Edit:
    quote = text[leaf.start] if text[leaf.start] in "\"'" else ""
    new = f"{text[: leaf.start]}{quote}{_NEW}{quote}{text[leaf.end :]}"
    if not quote and leaf.value[0].endswith(":int"):
        new = f"{text[: leaf.start]}987654{text[leaf.end :]}"
        return Edit(kind, new, (leaf.value,), ("987654",), path=leaf.path)
    if not quote and text.lstrip()[:1] in "{[":
        new = f'{text[: leaf.start]}"{_NEW}"{text[leaf.end :]}'
    return Edit(kind, new, (leaf.value,), (_NEW,), path=leaf.path)


def _commented(text: str, leaf: Leaf, rng: random.Random, *, with_value: bool) -> Edit:
    comment = f"{_COMMENT} {rng.randrange(1000)}"
    end = leaf.end + len(_behind(text, leaf))
    value = _NEW if with_value else text[leaf.start : leaf.end]
    new = f"{text[: leaf.start]}{value}  {comment}{text[end:]}"
    if with_value:
        return Edit("a value and its comment", new, (leaf.value,), (_NEW,), comment, leaf.path)
    return Edit("a comment behind a value", new, comment=comment)


def _above(text: str, leaf: Leaf) -> Edit:
    start, _, indent = _line(text, leaf)
    new = f"{text[:start]}{indent}{_COMMENT}\n{text[start : leaf.start]}{_NEW}{text[leaf.end :]}"
    return Edit("a value and a comment above", new, (leaf.value,), (_NEW,), _COMMENT, leaf.path)


def _added_key(text: str, leaf: Leaf) -> Edit:
    _, end, indent = _line(text, leaf)
    ended = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    new = f"{ended}{indent}{_COMMENT}\n{indent}addedKey: {_NEW}\n{text[end:]}"
    return Edit(
        "a new key with a comment", new, (), (_NEW,), _COMMENT, (*leaf.path[:-1], "addedKey")
    )


def _removed_key(text: str, leaf: Leaf) -> Edit:
    start, end, _ = _line(text, leaf)
    return Edit("a key removed", text[:start] + text[end:], (leaf.value,), path=leaf.path)


def _commented_out(text: str, leaf: Leaf) -> Edit:
    start, end, indent = _line(text, leaf)
    line = text[start + len(indent) : end]
    new = f"{text[:start]}{indent}# {line}{text[end:]}"
    return Edit(
        "a key commented out", new, (leaf.value,), comment=f"# {line.strip()}", path=leaf.path
    )


def _added_item(text: str, leaf: Leaf) -> Edit:
    _, end, indent = _line(text, leaf)
    ended = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return Edit(
        "a new item", f"{ended}{indent}- {_NEW}  {_COMMENT}\n{text[end:]}", (), (_NEW,), _COMMENT
    )
