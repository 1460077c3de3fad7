"""How often a verdict is wrong, and how often it finds a difference that is there.

    python benchmarks/verdict_simulation.py [--comparisons 10000]

Repeats are drawn from known distributions. Where both sides come from the same one, every `better`
and `worse` is wrong; at most 5 % may be. Where one side is shifted, it says how many are found.
"""

import argparse
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from benchmark_manager.domain.results.verdicts import metric_cell
from benchmarks.harness.report import parsed, print_table

Draw: TypeAlias = Callable[[random.Random], float]

#: The distributions, each with its interquartile range.
_DISTRIBUTIONS: Final[dict[str, tuple[Draw, float]]] = {
    "normal": (lambda rng: rng.gauss(100, 10), 13.49),
    "lognormal": (lambda rng: rng.lognormvariate(0, 1), 1.453),
    "whole numbers from 0 to 5, many equal": (lambda rng: float(rng.randint(0, 5)), 3.0),
}
_REPEATS: Final = range(4, 21)
_SHIFTS: Final = (0.5, 1.0, 2.0)


def _share(
    draw: Draw, count: int, shift: float, repeats: tuple[int, int] | None, seed: str
) -> float:
    """Return the share of comparisons that are called better or worse."""
    rng = random.Random(seed)  # noqa: S311 -- no secret
    found = 0
    for _ in range(count):
        first, second = repeats or (rng.choice(_REPEATS), rng.choice(_REPEATS))
        baseline = metric_cell([draw(rng) for _ in range(first)])
        values = [draw(rng) + shift for _ in range(second)]
        found += metric_cell(values, baseline, "lower").verdict in {"better", "worse"}
    return found / count


def _percent(share: float) -> str:
    return f"{share:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--comparisons", type=int, default=500)
    count = parsed(parser, comparisons=10_000).comparisons
    rows = []
    for name, (draw, between) in _DISTRIBUTIONS.items():
        equal = [
            _percent(_share(draw, count, 0, repeats, f"{name} {repeats}"))
            for repeats in (None, (4, 4), (5, 5), (10, 10), (20, 20))
        ]
        shifted = [
            _percent(_share(draw, count, shift * between, (repeats, repeats), f"{name} {shift}"))
            for repeats in (5, 10)
            for shift in _SHIFTS
        ]
        rows.append([name, *equal, *shifted])
    head = ["", "4 to 20 repeats", "4", "5", "10", "20"]
    head += [f"{repeats}, {shift:g} IQR" for repeats in (5, 10) for shift in _SHIFTS]
    print_table(f"Share of {count:,} comparisons called better or worse", head, rows)


if __name__ == "__main__":
    main()
