"""The work for a text grows no faster than n log n, whatever the text is.

It is counted, or measured by the processor's own clock.

Three measures, since no one sees all:

- lines of Python that are run, and calls: the same on any machine, however busy. They see every
  loop of ours.
- the time that a pattern takes on texts that are pumped up from short pieces. A sound one takes far
  less than the least
  time that is looked at, so that other processes cannot make it fail.
- the processor time of this thread, for what C libraries do (libyaml, the schema validator, copies
  of text). It is the
  least of several tries and compared with that of a text a quarter as long: linear work takes four
  times as long, quadratic work sixteen times, and only more than nine times is a fault.
"""

import ast
import importlib
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from math import log
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import benchmark_manager.domain
from benchmark_manager.domain.text.folding import fold
from support.hostile_texts import HOSTILE, Door, HostileText, run

# The first long text makes the tables of Unicode, whose million steps are no text's cost.
fold("\N{COMBINING ACUTE ACCENT}" * 1_000)

SMALL, LARGE = 500, 2_000
#: Counts may grow a third faster than n log n: at this size some limits of a hundred are just being
#: reached.
SLACK = 1.33

#: Seconds below which a text is cheap enough: quadratic work that takes less takes seconds for a
#: megabyte at most.
CHEAP = 0.005
TIMED_SMALL, TIMED_LARGE = 4_000, 16_000
MOST_TIMES = 9
TRIES = 6

#: `validate` is part of `sync`, and `drift` is `merge` again and again. What spends a fixed budget
#: first is for the
#: soak: it would take millions of lines to count beyond it.
COUNTED = [
    pytest.param(hostile, door, id=f"{hostile.name} -> {door}")
    for hostile in HOSTILE
    for door in hostile.doors
    if not hostile.settles
    and door != "drift"
    and not (door == "validate" and "sync" in hostile.doors)
]
TIMED = [
    pytest.param(hostile, door, id=f"{hostile.name} -> {door}")
    for hostile in HOSTILE
    for door in hostile.doors
    if door in {"sync", "job", "schema", "gpu"}
]
#: Beyond what a test run has time for: all doors, at a size where also copies of pieces of a text
#: take their time.
TIMED_LONG = [
    pytest.param(hostile, door, id=f"{hostile.name} -> {door}")
    for hostile in HOSTILE
    for door in hostile.doors
]
LONG_SMALL, LONG_LARGE = 60_000, 240_000


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python, calls and returns a piece of work takes."""
    count = 0

    def note(_frame: FrameType, _event: str, _argument: object) -> Any:
        nonlocal count
        count += 1
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def n_log_n(size: int) -> float:
    return size * log(size)


@pytest.mark.parametrize(("hostile", "door"), COUNTED)
def test_counted_steps_grow_no_faster_than_n_log_n(hostile: HostileText, door: Door) -> None:
    small, large = (hostile.make(size) for size in (SMALL, LARGE))
    run(door, small, hostile.format)
    least = lines_run(lambda: run(door, small, hostile.format))
    most = lines_run(lambda: run(door, large, hostile.format))
    sizes = [sum(map(len, each)) for each in (small, large)]
    growth = max(LARGE / SMALL * 1.1, n_log_n(sizes[1]) / n_log_n(sizes[0]))
    # A check which only longer texts need may take a few steps for each of their characters.
    assert most <= max(least, 3 * sizes[0]) * growth * SLACK


def least_time(work: Callable[[], object], tries: int) -> float:
    times = []
    for _ in range(tries):
        started = time.thread_time()
        work()
        times.append(time.thread_time() - started)
    return min(times)


def grows_too_fast(small: Callable[[], object], large: Callable[[], object], cheap: float) -> bool:
    """Whether the large work takes over nine times as long as one of a quarter of its size."""
    times = [float("inf"), float("inf")]
    for _ in range(TRIES):
        times = [min(times[0], least_time(small, 2)), min(times[1], least_time(large, 1))]
        if times[1] < max(cheap, MOST_TIMES * times[0]):
            return False
    return True


@pytest.mark.parametrize(("hostile", "door"), TIMED)
def test_processor_time_grows_no_faster_than_n_log_n(hostile: HostileText, door: Door) -> None:
    small, large = (hostile.make(size) for size in (TIMED_SMALL, TIMED_LARGE))
    assert not grows_too_fast(
        lambda: run(door, small, hostile.format),
        lambda: run(door, large, hostile.format),
        cheap=CHEAP,
    )


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("hostile", "door"), TIMED_LONG)
def test_processor_time_of_large_texts_grows_no_faster_than_n_log_n(
    hostile: HostileText, door: Door
) -> None:
    small, large = (hostile.make(size) for size in (LONG_SMALL, LONG_LARGE))
    assert not grows_too_fast(
        lambda: run(door, small, hostile.format),
        lambda: run(door, large, hostile.format),
        cheap=0.05,
    )


# --- patterns -------------------------------------------------------------------------------------

PUMPED = [
    *(
        "a",
        "1",
        "-",
        ".",
        "/",
        "_",
        " ",
        "\n",
        "\r",
        "\t",
        "#",
        ":",
        "%",
        '"',
        "'",
        "\\",
        "{",
        "[",
        "&",
        "*",
    ),
    *(
        "\x85",
        "\u2028",
        "\ufeff",
        "\r\n",
        ".yaml",
        ".yamlx",
        "a.",
        "a-",
        "a/",
        '\\"',
        '"\\',
        "kind:",
        "kind ",
    ),
    *(
        "\nkind",
        "---\n",
        "\n---",
        "%TAG ",
        "\n%TAG !",
        "1:",
        ":59",
        "0x",
        "1_",
        "1.",
        "e9",
        "\\u0000",
        "\\ud800",
    ),
    *("{{", "}}", "{%", "ext-0-a b\n", "git@", "# ", " #", "$schema", "a: "),
]
STARTS = ["", "a", '"', "1"]
PUMPED_SIZE = 12_000
#: Seconds: a sound pattern reads that many characters in less than a tenth of it.
PATTERN_CHEAP = 0.003
WHOLE = {"fullmatch", "match"}


def modules() -> Iterator[str]:
    found = pkgutil.walk_packages(benchmark_manager.domain.__path__, "benchmark_manager.domain.")
    return (module.name for module in found)


def patterns() -> Iterator[tuple[str, str, re.Pattern[Any], set[str]]]:
    """Every compiled pattern of the domain.

    Module, name, the pattern, and the methods by which it is called.
    """
    for name in modules():
        module = importlib.import_module(name)
        tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
        asked: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                asked.setdefault(node.value.id, set()).add(node.attr)
        for variable, value in vars(module).items():
            if isinstance(value, re.Pattern) and variable in asked:
                yield name, variable, value, asked[variable]


PATTERNS = [
    pytest.param(
        pattern, methods, id=f"{module.removeprefix('benchmark_manager.domain.')}.{variable}"
    )
    for module, variable, pattern, methods in patterns()
]


@cache
def pumped(start: str, piece: str, size: int) -> str:
    return start + piece * (size // len(piece)) + "\x00"


def asked(pattern: re.Pattern[Any], methods: set[str], text: str) -> Callable[[], object]:
    """The pattern on the whole of a text, in the way in which it is asked."""
    subject: Any = (
        text.encode("utf-8", "surrogatepass") if isinstance(pattern.pattern, bytes) else text
    )
    if methods <= WHOLE:
        return lambda: (pattern.match(subject), pattern.fullmatch(subject))
    return lambda: [None for _ in pattern.finditer(subject)]


@pytest.mark.parametrize(("pattern", "methods"), PATTERNS)
def test_no_pattern_takes_quadratic_time_on_pumped_texts(
    pattern: re.Pattern[Any], methods: set[str]
) -> None:
    for piece in PUMPED:
        for start in STARTS:
            large = asked(pattern, methods, pumped(start, piece, PUMPED_SIZE))
            # One try settles nearly all of them.
            if least_time(large, 1) > PATTERN_CHEAP:
                small = asked(pattern, methods, pumped(start, piece, PUMPED_SIZE // 4))
                assert not grows_too_fast(small, large, cheap=PATTERN_CHEAP), (start, piece)


def test_the_measure_knows_a_quadratic_pattern() -> None:
    """The one that once read names of files."""
    pattern = re.compile(r"[^\s\"'=,]+\.(?:ya?ml|json)(?![\w.])", re.IGNORECASE)
    small, large = (asked(pattern, {"findall"}, "x" * size) for size in (1_000, 4_000))
    assert grows_too_fast(small, large, cheap=PATTERN_CHEAP)


def test_the_count_knows_a_quadratic_loop() -> None:
    def loop(size: int) -> None:
        for end in range(size):
            for _ in range(end):
                pass

    assert lines_run(lambda: loop(400)) > lines_run(lambda: loop(100)) * 4 * 1.1 * SLACK


def test_there_are_fifty_hostile_texts_of_our_own_and_no_name_twice() -> None:
    names = [hostile.name for hostile in HOSTILE]
    assert len(set(names)) == len(names) >= 70
