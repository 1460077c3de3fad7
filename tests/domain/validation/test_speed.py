"""Time grows with the text, whatever it holds."""

import time

import pytest

from benchmark_manager.domain.sync.classification import type_by_content
from benchmark_manager.domain.validation import validate
from support.stalls import is_within

SIZE = 100_000
REPEATED = [
    "{{",
    "{%",
    "{{ }}",
    "[a,",
    "- ",
    "? ",
    "a\n",
    "a: b\n",
    "- &a a\n",
    "&a ",
    '"',
    "\u2028",
    "\ufeff---\n",
    "\\",
    "kind: ",
    "1:",
]


@pytest.mark.parametrize("piece", REPEATED)
def test_repetition(piece: str) -> None:
    """Real times are below a fifth of a second; quadratic work on this size takes ten at least."""
    text = piece * (SIZE // len(piece))
    started = time.process_time()
    validate(text, "yaml", "job")
    validate(text, "json")
    type_by_content(text)
    assert is_within(time.process_time() - started, 2)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"key_{n:05}: {n}\n" for n in range(8_000)),
        "[" + "a, " * (SIZE // 3) + "]",
        "".join(f"a{n}: &a{n} [x, y]\n? *a{n}\n: *a{n}\n" for n in range(2_000)),
        "&root\n" + "".join(f"a{n}: {{a: [x], {{b: c}}: d}}\n" for n in range(2_000)),
        "a: " + "9" * SIZE,
        "a: 0x" + "f" * SIZE,
        "a: 1" + ":59" * (SIZE // 3),
        "a: '" + "x" * SIZE + "'",
    ],
    ids=["keys", "one line", "anchors", "keys of keys", "decimal", "hex", "base 60", "long string"],
)
def test_large_files(text: str) -> None:
    started = time.process_time()
    validate(text, "yaml", "job")
    assert is_within(time.process_time() - started, 2)
