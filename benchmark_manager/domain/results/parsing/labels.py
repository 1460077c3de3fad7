"""Labels of points: the load under which a stage or a benchmark ran."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import finite_number

#: Texts that differ between repeats, and those that labels have already.
_NO_SETTINGS: Final = frozenset({"date", "max_concurrency", "request_rate", "run"})
#: Characters of settings in a label, and hex digits of the SHA-256 that stands for longer ones.
_LONGEST_SETTINGS: Final = 120
_SUM_DIGITS: Final = 12
#: Whole numbers below it are written with all digits.
_WHOLE: Final = 1e16
#: How inference-perf and llm-d name the file of a stage.
_STAGE_FILE: Final = re.compile(r"stage_([0-9]{1,6})(?![0-9])")


def load_label(rate: JsonValue, concurrency: JsonValue, stage: str = "") -> str:
    """Return a label such as `rate=16 concurrency=8`; the stage's where there is neither.

    >>> load_label(16.0, None)
    'rate=16'
    """
    parts = [
        f"{name}={shown_number(number)}"
        for name, value in (("rate", rate), ("concurrency", concurrency))
        if (number := finite_number(value)) is not None
    ]
    return " ".join(parts) or (f"stage={stage}" if stage else "")


def shown_number(number: float) -> str:
    """Return a number as labels have it: different numbers are different labels.

    >>> [shown_number(number) for number in (16.0, 2.5, 1234567.0)]
    ['16', '2.5', '1234567']
    """
    short = f"{number:g}"
    if float(short) == number and "e" not in short:
        return short
    return f"{number:.0f}" if number.is_integer() and abs(number) < _WHOLE else repr(number)


def stage_of(file_name: str) -> str:
    """Return the number of the stage that a file's name has; "" where it has none."""
    match = _STAGE_FILE.search(file_name)
    return "" if match is None else match[1]


def differing_settings(
    entries: Sequence[Mapping[str, JsonValue]], numbers: Collection[str]
) -> list[str]:
    """Return the members that say that the results of one file are no repeats of each other.

    They are texts, such as a model, and these numbers, if not all entries have the same there. No
    numbers are none: without any, a form has no settings beside its points.
    """
    if len(entries) < 2 or not numbers:  # noqa: PLR2004 -- one alone differs from none
        return []
    names = dict.fromkeys(name for entry in entries for name in entry)
    return [
        name
        for name in names
        if name not in _NO_SETTINGS
        and len({_setting(entry, name, numbers) for entry in entries}) > 1
    ]


def settings_label(entry: Mapping[str, JsonValue], names: Sequence[str]) -> str:
    """Return what an entry has there, such as `num_prompts=8`; digits of a sum if it is long."""
    pairs = ((name, _setting(entry, name, names)) for name in names)
    label = " ".join(f"{name}={value}" for name, value in pairs if value)
    if len(label) <= _LONGEST_SETTINGS and label.isprintable():
        return label
    total = hashlib.sha256(label.encode(errors="surrogatepass")).hexdigest()
    return f"settings={total[:_SUM_DIGITS]}"


def _setting(entry: Mapping[str, JsonValue], name: str, numbers: Collection[str]) -> str:
    value = entry.get(name)
    if isinstance(value, str):
        return value
    number = finite_number(value) if name in numbers else None
    return "" if number is None else shown_number(number)
