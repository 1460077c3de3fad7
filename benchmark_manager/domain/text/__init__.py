"""Texts as people read them: in parts of bounded size, and compared line by line."""

from benchmark_manager.domain.text.comparison import (
    ComparedPart,
    ComparedRow,
    LineEnds,
    compared_part,
)
from benchmark_manager.domain.text.lines import ENDS, LineEnd, line_ends_of, with_stored_ends
from benchmark_manager.domain.text.parts import Extent, TextLine, TextPart, text_part

__all__ = [
    "ENDS",
    "ComparedPart",
    "ComparedRow",
    "Extent",
    "LineEnd",
    "LineEnds",
    "TextLine",
    "TextPart",
    "compared_part",
    "line_ends_of",
    "text_part",
    "with_stored_ends",
]
