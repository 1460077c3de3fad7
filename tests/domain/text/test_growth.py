"""The work for a text grows no faster than n log n, whatever the text is.

It is counted, or measured by the processor's own clock.

Three measures, since no one sees all:

- lines of Python that are run, and calls: the same on any machine, however busy. They see every
  loop of ours.
- the time that a pattern takes on texts that are pumped up from short pieces. A sound one takes far
  less than the least time that is compared, so that other processes cannot make it fail.
- the processor time of this thread, for what C libraries do (libyaml, the schema validator, copies
  of text). It is the
  least of several tries and compared with that of a text a quarter as long: linear work takes four
  times as long, quadratic work sixteen times, and only more than nine times is a fault.
"""

import importlib
import itertools
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from types import FrameType
from typing import Any, get_args

import pytest

import benchmark_manager.domain
from benchmark_manager.domain.text.folding import fold
from support.hostile.operations import run
from support.hostile.text import HostileText, Operation, Texts
from support.hostile_texts import HOSTILE

SMALL, LARGE = 200, 800
#: Counts may grow a tenth faster than n log n: at this size some limits of a hundred are just being
#: reached.
SLACK = 1.1

#: Seconds below which a text is cheap enough: quadratic work that takes less takes seconds for a
#: megabyte at most.
CHEAP = 0.005
TIMED_SMALL, TIMED_LARGE = 4_000, 16_000
MOST_TIMES = 9
TRIES = 6

#: Beyond what a test run has time for: all operations, at a size where also copies of pieces of a
#: text take their time.
LONG_SMALL, LONG_LARGE = 60_000, 240_000


def by_text(chosen: Callable[[HostileText, Operation], bool]) -> list[Any]:
    """Each hostile text with those of its operations that are chosen, where there are any."""
    found = (
        (hostile, [operation for operation in hostile.operations if chosen(hostile, operation)])
        for hostile in HOSTILE
    )
    return [
        pytest.param(hostile, operations, id=hostile.name)
        for hostile, operations in found
        if operations
    ]


def is_counted(hostile: HostileText, operation: Operation) -> bool:
    """Whether a text's steps are counted in an operation.

    `validate` is part of `sync`, and `drift` is `merge` again and again. What spends a fixed budget
    first is for the soak: it would take millions of lines to count beyond it.
    """
    if hostile.settles or operation == "drift":
        return False
    return not (operation == "validate" and "sync" in hostile.operations)


def is_timed(_hostile: HostileText, operation: Operation) -> bool:
    return operation in {"sync", "job", "schema", "gpu"}


@pytest.fixture(scope="module", autouse=True)
def _what_is_made_once() -> None:
    """Make the tables of Unicode and the rules, whose million steps are no text's cost."""
    fold("\N{COMBINING ACUTE ACCENT}" * 1_000)
    for operation in get_args(Operation):
        run(operation, ('{"a": [1]}\n', '{"a": [2]}\n'), "json")
        run(operation, ("a: [1]\n", "a: [2]\n"), "yaml")


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


def counted_growth(hostile: HostileText, operation: Operation) -> float:
    """How many times the steps that a long text may take, going by a short one, it does take."""
    small, large = (hostile.make(size) for size in (SMALL, LARGE))
    least = lines_run(lambda: run(operation, small, hostile.format))
    most = lines_run(lambda: run(operation, large, hostile.format))
    sizes = [sum(map(len, each)) for each in (small, large)]
    growth = max(LARGE / SMALL * 1.1, n_log_n(sizes[1]) / n_log_n(sizes[0]))
    # A check which only longer texts need may take a few steps for each of their characters.
    return most / (max(least, 3 * sizes[0]) * growth)


@pytest.mark.parametrize(("hostile", "operations"), by_text(is_counted))
def test_counted_steps_grow_no_faster_than_n_log_n(
    hostile: HostileText, operations: list[Operation]
) -> None:
    growth = {operation: counted_growth(hostile, operation) for operation in operations}
    assert {operation: each for operation, each in growth.items() if each > SLACK} == {}


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
        # One try settles nearly all of them, without the small work.
        times[1] = min(times[1], least_time(large, 1))
        if times[1] < cheap:
            return False
        times[0] = min(times[0], least_time(small, 2))
        if times[1] < MOST_TIMES * times[0]:
            return False
    return True


def operations_that_grow_too_fast(
    hostile: HostileText, operations: list[Operation], sizes: tuple[int, int], cheap: float
) -> list[Operation]:
    small, large = (hostile.make(size) for size in sizes)

    def at(operation: Operation, texts: Texts) -> Callable[[], object]:
        return lambda: run(operation, texts, hostile.format)

    return [
        operation
        for operation in operations
        if grows_too_fast(at(operation, small), at(operation, large), cheap)
    ]


@pytest.mark.parametrize(("hostile", "operations"), by_text(is_timed))
def test_processor_time_grows_no_faster_than_n_log_n(
    hostile: HostileText, operations: list[Operation]
) -> None:
    sizes = TIMED_SMALL, TIMED_LARGE
    assert operations_that_grow_too_fast(hostile, operations, sizes, CHEAP) == []


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("hostile", "operations"), by_text(lambda _hostile, _operation: True))
def test_processor_time_of_large_texts_grows_no_faster_than_n_log_n(
    hostile: HostileText, operations: list[Operation]
) -> None:
    assert operations_that_grow_too_fast(hostile, operations, (LONG_SMALL, LONG_LARGE), 0.05) == []


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
#: Characters: a quadratic pattern takes millions of steps for them, a millisecond at least.
PUMPED_SIZE = 2_000
#: Seconds: a sound pattern reads that many characters in less than a tenth of it.
PATTERN_CHEAP = 0.0005
WHOLE = {"fullmatch", "match"}


#: Packages and modules right below the domain.
FEATURES = [
    module.name
    for module in pkgutil.iter_modules(
        benchmark_manager.domain.__path__, "benchmark_manager.domain."
    )
]


def modules_of(feature: str) -> list[str]:
    below = getattr(importlib.import_module(feature), "__path__", [])
    return [feature, *(module.name for module in pkgutil.walk_packages(below, f"{feature}."))]


@dataclass(frozen=True)
class CompiledPattern:
    """A compiled pattern: where it is, and the methods by which it is called."""

    name: str
    pattern: re.Pattern[Any]
    methods: set[str]


def patterns_in(name: str) -> Iterator[CompiledPattern]:
    module = importlib.import_module(name)
    compiled = {
        variable: value for variable, value in vars(module).items() if isinstance(value, re.Pattern)
    }
    if not compiled:
        return
    asked: dict[str, set[str]] = {}
    source = Path(str(module.__file__)).read_text("utf-8")
    for variable, method in re.findall(rf"\b({'|'.join(compiled)})\.(\w+)", source):
        asked.setdefault(variable, set()).add(method)
    for variable, pattern in compiled.items():
        if variable in asked:
            yield CompiledPattern(f"{name}.{variable}", pattern, asked[variable])


@cache
def patterns_of(feature: str) -> tuple[CompiledPattern, ...]:
    return tuple(itertools.chain.from_iterable(map(patterns_in, modules_of(feature))))


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
    return lambda: pattern.findall(subject)


def is_quadratic(found: CompiledPattern, start: str, piece: str) -> bool:
    small, large = (
        asked(found.pattern, found.methods, pumped(start, piece, size))
        for size in (PUMPED_SIZE // 4, PUMPED_SIZE)
    )
    return grows_too_fast(small, large, cheap=PATTERN_CHEAP)


@pytest.mark.parametrize("feature", FEATURES)
def test_no_pattern_takes_quadratic_time_on_pumped_texts(feature: str) -> None:
    assert [
        (found.name, start, piece)
        for found in patterns_of(feature)
        for start, piece in itertools.product(STARTS, PUMPED)
        if is_quadratic(found, start, piece)
    ] == []


def test_all_patterns_of_the_domain_are_found() -> None:
    assert len([found for feature in FEATURES for found in patterns_of(feature)]) > 50


def test_the_measure_knows_a_quadratic_pattern() -> None:
    """The one that once read names of files."""
    pattern = re.compile(r"[^\s\"'=,]+\.(?:ya?ml|json)(?![\w.])", re.IGNORECASE)
    small, large = (asked(pattern, {"findall"}, "x" * size) for size in (500, 2_000))
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
