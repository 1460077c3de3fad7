"""The output of benchmarks: tables for docs/performance.md to stdout, progress to stderr."""

import argparse
import math
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Final

_BEGIN: Final = time.monotonic()
MEGABYTE: Final = 1_000_000


def say(text: str) -> None:
    """Report progress, with the seconds since the start."""
    print(f"[{time.monotonic() - _BEGIN:6.0f} s] {text}", file=sys.stderr, flush=True)


def print_table(
    title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1
) -> None:
    """Print a table in Markdown; the first `left` columns are text, the others numbers."""
    rules = ["---" if number < left else "--:" for number in range(len(head))]
    print(f"\n{title}\n")
    for row in (head, rules, *rows):
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def seconds(value: float) -> str:
    """Format seconds with three digits, which is as exact as a measurement is."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that this share of all does not exceed; NaN if there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def parsed(parser: argparse.ArgumentParser, **full: object) -> argparse.Namespace:
    """Parse the command line; `--full` replaces `make bench`'s small defaults by the published."""
    what = ", ".join(f"--{name.replace('_', '-')} {_shown(value)}" for name, value in full.items())
    parser.add_argument("--full", action="store_true", help=f"the published measurement: {what}")
    if parser.parse_known_args()[0].full:
        parser.set_defaults(**full)
    return parser.parse_args()


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
