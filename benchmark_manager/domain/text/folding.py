"""Texts compared regardless of case and of the Unicode form that they are written in.

macOS writes names decomposed (NFD), people type them composed (NFC), and some input methods type
full-width letters. Two texts are the same here where NFKC and Unicode's full case folding make the
same of them: `ß` is `ss`, `ﬁ` is `fi`. The dotted and the dotless i of Turkish stay letters of
their own, as in Unicode's default folding.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final
from unicodedata import combining, decomposition, normalize

#: Normalising sorts a run of combining marks in quadratic time; no language writes as many on one
#: letter.
_MARKS_TOGETHER: Final = 32
#: Characters up to which that time does not matter.
_SHORT: Final = 256
#: Where Unicode has marks; what is left out are ideographs and whole Hangul syllables.
_WITH_MARKS: Final = (range(0x300, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0x20000))
#: Characters that are folded together when a position is searched.
_BLOCK: Final = 512
#: Hangul vowels and final consonants: each joins the letter before it.
_JOINING_JAMO: Final = (range(0x1161, 0x1176), range(0x11A8, 0x11C3))


def fold(text: str) -> str:
    """Return the form in which texts are compared; to fold it again changes nothing."""
    if text.isascii():
        return text.lower()
    if len(text) <= _SHORT or _joining().run.search(text) is None:
        return _fold(text)
    return "".join(map(_fold, _pieces(text)))


def position_in(text: str, folded_position: int) -> int:
    """Return where in `text` the character stands from which that position of `fold(text)` came.

    Takes time in proportion to the text, in blocks, so that a line of a megabyte is no loop over
    its characters.
    """
    if text.isascii():
        return folded_position
    begin = passed = 0
    for end in _block_ends(text):
        block = text[begin:end]
        length = len(fold(block))
        if passed + length > folded_position:
            return begin + _position_in_block(block, folded_position - passed)
        begin, passed = end, passed + length
    return len(text)


def _position_in_block(block: str, folded_position: int) -> int:
    passed = 0
    for found in _joining().letter.finditer(block):
        passed += len(fold(found[0]))
        if passed > folded_position:
            return found.start()
    return len(block)


def _block_ends(text: str) -> Iterator[int]:
    """Yield where blocks end: before each letter which nothing joins to what precedes it."""
    end = 0
    while end < len(text):
        found = _joining().start.search(text, min(end + _BLOCK, len(text)))
        end = len(text) if found is None else found.start()
        yield end


def _fold(text: str) -> str:
    # Folding may take composed letters apart (`ŉ`), and compatibility forms may hold capitals
    # (`㎆`).
    return normalize("NFKC", normalize("NFKC", normalize("NFKC", text).casefold()).casefold())


def _pieces(text: str) -> Iterator[str]:
    begin = 0
    for found in _joining().run.finditer(text):
        yield text[begin : found.end()]
        begin = found.end()
    yield text[begin:]


@dataclass(frozen=True, slots=True)
class _Joining:
    """Patterns for what joins the letter before it.

    They match a run of too many marks, a letter with all that joins it, and a letter which joins
    nothing.
    """

    run: re.Pattern[str]
    letter: re.Pattern[str]
    start: re.Pattern[str]


@cache
def _joining() -> _Joining:
    """Return the patterns, made of the interpreter's own Unicode tables.

    They are made when the first text needs them.
    """
    joins = {chr(code) for codes in _JOINING_JAMO for code in codes}
    for code in chain(range(0x80, 0x300), *_WITH_MARKS):
        parts = decomposition(chr(code)).split()
        if len(parts) > 1 and not parts[0].startswith("<"):
            joins.add(chr(int(parts[1], 16)))
    joining = "".join(_ranges([code for code in chain(*_WITH_MARKS) if _joins(chr(code), joins)]))
    return _Joining(
        re.compile(f"[{joining}]{{{_MARKS_TOGETHER}}}"),
        re.compile(f"(?s:.)[{joining}]*+"),
        re.compile(f"[^{joining}]"),
    )


def _joins(character: str, joins: set[str]) -> bool:
    if combining(character):
        return True
    if not decomposition(character):
        return character in joins
    first = normalize("NFKD", character)[0]
    return combining(first) != 0 or first in joins


def _ranges(codes: list[int]) -> Iterator[str]:
    begin = 0
    for index, code in enumerate(codes):
        if index + 1 == len(codes) or codes[index + 1] != code + 1:
            yield f"\\U{codes[begin]:08x}-\\U{code:08x}"
            begin = index + 1
