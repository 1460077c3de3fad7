"""The cost of the regular expressions in an untrusted schema: to compile, and for each character.

The cost is measured with the library itself: it either compiles an expression within a limit of
bytes or refuses it. An expression without lookaround takes time proportional to the text times its
compiled size, which its length does not show: see `a(a|b){400}c`.
"""

import re
from collections.abc import Iterator
from typing import Final

from jsonschema_rs import RegexOptions, ValidationError, validator_for

from benchmark_manager.domain.validation.texts.yaml_values import Value

MAX_PATTERNS: Final = 50_000
"""Characters of all expressions of one schema."""

MAX_COMPILED: Final = 4_000_000
"""Bytes of all compiled expressions of one schema."""

_LARGEST: Final = 100_000
PATTERN_OPTIONS: Final = RegexOptions(size_limit=_LARGEST, dfa_size_limit=_LARGEST)
"""Bytes of one compiled expression; the engine has no lookaround and does not backtrack."""

#: Compiled sizes in bytes, and the steps for each character that an expression of that size costs.
#: Measured: up to 0.13 µs for each character and 1,000 bytes; a value that does not match is read
#: twice; a step is 0.1 µs.
_SIZES: Final = ((2_000, 50), (16_000, 50), (_LARGEST, 260))
_TRIALS: Final = tuple(
    (RegexOptions(size_limit=size, dfa_size_limit=size), size, steps) for size, steps in _SIZES
)

# To ignore case, each class is expanded over all of Unicode: five characters may take 3 ms.
_IGNORES_CASE: Final = re.compile(r"\(\?[A-Za-z-]*[ix]")
_WIDE: Final = re.compile(r"[^\x00-\x7f]|\\[xuUpP]")
MAX_WIDE: Final = 200
"""Characters of all expressions that ignore case and contain characters beyond ASCII."""


class PatternsRefusedError(Exception):
    """The expressions together are too much; the message says why, as the end of a sentence."""


class PatternCosts:
    """The steps that each expression of a schema takes for a character, found by compiling it."""

    def __init__(self, schema: Value) -> None:
        """Compile the patterns of a schema.

        Raises:
            PatternsRefusedError
        """
        patterns = list(_patterns(schema))
        _check_length(patterns)
        self._steps: dict[str, int] = {}
        sizes: dict[str, int] = {}
        compiled = 0
        for pattern in patterns:
            if pattern not in sizes:
                sizes[pattern], self._steps[pattern] = _compiled(pattern)
            # The validator compiles an expression that occurs twice two times.
            compiled += sizes[pattern]
            if compiled > MAX_COMPILED:
                raise PatternsRefusedError("has patterns that are too large together")

    def of(self, pattern: object) -> int:
        return self._steps.get(pattern, 0) if isinstance(pattern, str) else 0


def _patterns(schema: Value) -> Iterator[str]:
    """Yield every text that may be an expression, and some that are not, such as in examples."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            if isinstance(node.get("patternProperties"), dict):
                yield from node["patternProperties"]
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check_length(patterns: list[str]) -> None:
    if sum(map(len, patterns)) > MAX_PATTERNS:
        raise PatternsRefusedError(f"has patterns of over {MAX_PATTERNS:,} characters together")
    wide = [
        pattern for pattern in patterns if _IGNORES_CASE.search(pattern) and _WIDE.search(pattern)
    ]
    if sum(map(len, wide)) > MAX_WIDE:
        raise PatternsRefusedError(
            f"has over {MAX_WIDE} characters of patterns that ignore case beyond ASCII"
        )


def _compiled(pattern: str) -> tuple[int, int]:
    """Return an expression's compiled size in bytes, and its steps for a character."""
    schema = {"pattern": pattern}
    for options, size, steps in _TRIALS[:-1]:
        try:
            validator_for(schema, offline=True, pattern_options=options, validate_formats=False)
        except (ValidationError, ValueError):
            continue
        return size, steps
    # The validator will report it if it does not compile at all.
    _, size, steps = _TRIALS[-1]
    return size, steps
