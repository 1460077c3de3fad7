"""JSON that costs much."""

import json
from typing import Final

from support.hostile.text import PAIRS, READS, HostileTexts, Texts, repeated

TEXTS: Final = HostileTexts()

TEXTS.add(
    "json: blanks at the end",
    *READS,
    *PAIRS,
    make=lambda size: '{"a": 1}' + " " * size,
    format="json",
)
TEXTS.add(
    "json: blanks inside",
    *READS,
    *PAIRS,
    make=lambda size: '{"a":' + " " * size + "1}",
    format="json",
)
TEXTS.add(
    "json: line ends at the end",
    *READS,
    *PAIRS,
    make=lambda size: '{"a": 1}' + "\n" * size,
    format="json",
)
TEXTS.add("json: brackets", *READS, make=repeated("["), format="json")
TEXTS.add(
    "json: brackets that close",
    *READS,
    *PAIRS,
    make=lambda size: f"[{','.join(['[]'] * (size // 3))}]",
    format="json",
)
TEXTS.add(
    "json: escaped quotes without an end",
    *READS,
    make=lambda size: "[" * 201 + '"' + '\\"' * (size // 2),
    format="json",
)
TEXTS.add("json: quotes", *READS, make=repeated('"'), format="json")
TEXTS.add(
    "json: escaped quotes in a string",
    *READS,
    "compare",
    make=lambda size: json.dumps({"a": '"' * (size // 2)}),
    format="json",
)
TEXTS.add(
    "json: a list at the top",
    *READS,
    *PAIRS,
    make=lambda size: f"[{'1,' * (size // 2)}1]",
    format="json",
)
TEXTS.add(
    "json: one key many times",
    *READS,
    make=lambda size: "{" + '"a":1,' * (size // 6) + '"a":1}',
    format="json",
)
TEXTS.add(
    "json: keys with escapes",
    *READS,
    "compare",
    make=lambda size: "{" + ",".join(f'"\\u0061{n}":1' for n in range(size // 16)) + "}",
    format="json",
)
TEXTS.add(
    "json: NUL escapes",
    *READS,
    make=lambda size: f'["{chr(92)}u0000' + "\\u0000" * (size // 6) + '"]',
    format="json",
)
TEXTS.add(
    "json: halves of surrogates",
    *READS,
    make=lambda size: '["' + "\\ud800" * (size // 6) + '"]',
    format="json",
)
TEXTS.add(
    "json: large whole numbers",
    *READS,
    "compare",
    make=lambda size: f"[{','.join(['9' * 30] * (size // 31))}]",
    format="json",
)
TEXTS.add(
    "json: a digit without end",
    *READS,
    "compare",
    make=lambda size: f'{{"a": {"9" * size}}}',
    format="json",
)
TEXTS.add(
    "json: whole numbers at Python's limit",
    *READS,
    "compare",
    make=lambda size: f'{{"a": [{",".join(["9" * 4300] * (size // 4301 + 1))}]}}',
    format="json",
)
TEXTS.add(
    "json: a fraction without end",
    *READS,
    "compare",
    make=lambda size: f'{{"a": 0.{"1" * size}}}',
    format="json",
)
TEXTS.add(
    "json: an exponent without end",
    *READS,
    "compare",
    make=lambda size: f'{{"a": 1e{"9" * size}}}',
    format="json",
)
TEXTS.add(
    "json: a comment at the end",
    *READS,
    make=lambda size: f'{{"a": [{"1," * (size // 2)}1]}} // x',
    format="json",
)


@TEXTS.made_by("json: a long key above many values", *PAIRS, format="json")
def _long_json_key(size: int) -> Texts:
    return tuple(json.dumps({"k" * (size // 2): [side] * (size // 8)}) for side in ("a", "b", "c"))
