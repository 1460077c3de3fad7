"""JSON without the long lists that no metric is read from.

With details, files of vLLM and GuideLLM list every request and the time of every token. As objects
of Python, these would take ten times the file's size. They are cut out of the bytes before anything
is parsed.
"""

import re
from typing import Final

#: Lists of requests, tokens and samples, by the names of their members. Only those over
#: `_LONG_MEMBER` bytes are left out: some tools use these names for metrics, too.
_BULKY: Final = frozenset(
    (
        b"errors",
        b"generated_texts",
        b"input_lens",
        b"itls",
        b"latencies",
        b"output_lens",
        b"pdf",
        b"queue_times",
        b"requests",
        b"samples",
        b"series",
        b"start_times",
        b"time_series",
        b"ttfts",
    )
)
_LONG_MEMBER: Final = 16_384
#: A list of numbers, and a text, that are longer than this hold no metric.
_LONG_LIST: Final = 4_096
_LONG_TEXT: Final = 4_096
#: A string, one that does not end, or a bracket.
_TOKEN: Final = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|"[^"\\]*+(?:\\.[^"\\]*+)*+\\?|[\[\]{}]', re.DOTALL
)
_OPENING: Final = frozenset(b"[{")
_QUOTE: Final = ord('"')


class _Condenser:
    """Goes through the tokens of a text once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._kept: list[bytes] = []
        self._from = 0
        self._depth = 0
        #: Where the last token began and ended, and the name that may be before a bracket.
        self._last = (0, 0)
        self._name = b""
        #: Where a bulky member began, and at which depth; -1 outside.
        self._bulky_from = -1
        self._bulky_depth = 0

    def condensed(self) -> tuple[bytes, int]:
        for match in _TOKEN.finditer(self._data):
            start, end = match.span()
            kind = self._data[start]
            if kind == _QUOTE:
                self._string(start, end)
            elif kind in _OPENING:
                self._open(start)
            else:
                self._close(start, end)
            self._last = start, end
        self._kept.append(self._data[self._from :])
        return b"".join(self._kept), self._depth

    def _string(self, start: int, end: int) -> None:
        if self._bulky_from >= 0:
            return
        is_short = end - start <= _LONG_TEXT
        self._name = self._data[start + 1 : end - 1] if is_short else b""
        if not is_short and end - start > 1 and self._data[end - 1] == _QUOTE:
            self._replace(start, end, b'""')

    def _open(self, start: int) -> None:
        self._depth += 1
        if self._bulky_from >= 0 or self._name not in _BULKY:
            return
        if self._data[self._last[1] : start].strip() == b":":
            self._bulky_from, self._bulky_depth = start, self._depth

    def _close(self, start: int, end: int) -> None:
        if self._bulky_from >= 0:
            if self._depth == self._bulky_depth:
                if end - self._bulky_from > _LONG_MEMBER:
                    self._replace(self._bulky_from, end, b"null")
                self._bulky_from = -1
        elif start - self._last[0] > _LONG_LIST and self._data[self._last[0]] == ord("["):
            self._replace(self._last[0], end, b"[]")
        self._name = b""
        self._depth -= 1

    def _replace(self, start: int, end: int, other: bytes) -> None:
        self._kept += (self._data[self._from : start], other)
        self._from = end


def condensed(data: bytes) -> tuple[bytes, int]:
    """Return JSON without long lists and texts, and how many brackets are open at its end.

    What is no JSON may be changed in any way, but does not become JSON by it outside of lists and
    texts that are left out.
    """
    return _Condenser(data).condensed()
