"""Units of metrics as tools write them, and values in another unit."""

from collections.abc import Mapping
from typing import Final

#: Other spellings of the units that metrics have here. A time for each token is a time.
_SPELLINGS: Final[Mapping[str, str]] = {
    "seconds": "s",
    "sec": "s",
    "s/token": "s",
    "milliseconds": "ms",
    "ms/token": "ms",
    "microseconds": "us",
    "µs": "us",
    "μs": "us",
    "nanoseconds": "ns",
    "minutes": "min",
    "tokens/s": "tok/s",
    "token/s": "tok/s",
    "tokens/sec": "tok/s",
    "tps": "tok/s",
    "queries/s": "req/s",
    "requests/s": "req/s",
    "request/s": "req/s",
    "requests/sec": "req/s",
    "rps": "req/s",
    "qps": "req/s",
    "tokens": "tok",
    "token": "tok",
    "percent": "%",
    "count": "",
    "requests": "",
}
#: Units of one kind, and how many of the kind's smallest each is.
_SIZES: Final = (
    {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 6e10},
    {"tok": 1.0, "": 1.0},
    {"fraction": 100.0, "%": 1.0},
)


def usual_unit(unit: str) -> str:
    """Return the spelling of a unit that metrics have here; any unknown unit as it is."""
    return _SPELLINGS.get(unit, unit)


def unit_factor(unit: str, wanted: str) -> float | None:
    """Return by what a value has to be multiplied to have the wanted unit; None: it cannot be.

    >>> unit_factor("s", "ms")
    1000.0
    """
    unit = usual_unit(unit)
    if unit == wanted:
        return 1.0
    for sizes in _SIZES:
        if unit in sizes and wanted in sizes:
            return sizes[unit] / sizes[wanted]
    return None
