"""The schedule of a CronJob.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#writing-a-cronjob-spec,
    and the grammar of https://pkg.go.dev/github.com/robfig/cron/v3, by which Kubernetes reads it.
"""

import re
from typing import Final, NamedTuple

_DESCRIPTORS: Final = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_EVERY: Final = "@every "
_DURATION: Final = re.compile(
    r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)"
)
_NUMBER: Final = re.compile(r"\+?[0-9]{1,9}")


class _Part(NamedTuple):
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()


_PARTS: Final = (
    _Part("minute", 0, 59),
    _Part("hour", 0, 23),
    _Part("day of the month", 1, 31),
    _Part(
        "month",
        1,
        12,
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ),
    _Part("day of the week", 0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


def schedule_fault(schedule: str) -> str | None:
    """Return what is wrong with a schedule, as the end of a sentence, or None.

    >>> schedule_fault("*/5 0-6 1,15 * mon-fri")
    >>> schedule_fault("0 0 * * 7")
    "the day of the week must be from 0 to 6, not '7'"
    """
    if "TZ" in schedule:
        return "the time zone belongs in the field timeZone"
    if schedule.startswith("@"):
        every = schedule.startswith(_EVERY) and _DURATION.fullmatch(schedule.removeprefix(_EVERY))
        return (
            None
            if every or schedule in _DESCRIPTORS
            else "there is no such word; write @hourly, @daily or @weekly"
        )
    words = schedule.split()
    if len(words) != len(_PARTS):
        return (
            f"it has {len(words)} fields instead of the five for "
            "minute, hour, day of the month, month and day of the week"
        )
    return next(
        (fault for part, word in zip(_PARTS, words, strict=True) if (fault := _fault(part, word))),
        None,
    )


def _fault(part: _Part, word: str) -> str | None:
    return next(
        (fault for item in word.split(",") if item and (fault := _item_fault(part, item))), None
    )


def _item_fault(part: _Part, item: str) -> str | None:
    """Return what is wrong with a number, a range or `*`, each with or without a step."""
    shown = f"'{item[:20]}'"
    ends, slash, step = item.partition("/")
    if slash and (not _NUMBER.fullmatch(step) or int(step) == 0):
        return f"the step of the {part.name} must be a number above 0, not {shown}"
    first, dash, last = ends.partition("-")
    if first in {"*", "?"}:
        return None
    low, high = _value(part, first), _value(part, last if dash else first)
    if low is None or high is None or low < part.least or high > part.most:
        return f"the {part.name} must be from {part.least} to {part.most}, not {shown}"
    return f"the {part.name} ends before it begins: {shown}" if low > high else None


def _value(part: _Part, word: str) -> int | None:
    if word.lower() in part.words:
        return part.words.index(word.lower()) + part.least
    return int(word) if _NUMBER.fullmatch(word) else None
