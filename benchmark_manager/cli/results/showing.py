"""Show results and tables of results."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from benchmark_manager.client.client import Json, JsonValue

#: From here on, numbers are shown without decimals.
_LARGE: Final = 1000
#: Beyond these, with an exponent.
_HUGE: Final = 1e9
_TINY: Final = 1e-3
#: Characters of a setting's or a label's value in a table.
_LONGEST_VALUE: Final = 40
_VERDICTS: Final = {
    "no_difference_shown": "no diff.",
    "too_few_repeats": "too few",
}


def number(value: float, digits: int = 4) -> str:
    """Return a measured value in so many digits, or as a whole number if it is large.

    >>> [number(value, digits=3) for value in (99.96, 999.7, 1234.5)]
    ['100', '1,000', '1,234']
    """
    size = abs(value)
    if size != 0 and not _TINY <= size < _HUGE:
        return f"{value:.{digits - 1}e}"
    text = f"{value:.{digits}g}"
    # What rounding makes large has an exponent then.
    return f"{value:,.0f}" if size >= _LARGE or "e" in text else text


def measured(result: Json) -> str:
    """Return how much a result measures, in words."""
    points = result["points"]
    names = {name for point in points for name in point["metrics"]}
    metrics = f"{len(names)} metric{'' if len(names) == 1 else 's'}"
    return metrics if len(points) <= 1 else f"{metrics} at {len(points)} points"


def labels_text(labels: Mapping[str, JsonValue]) -> str:
    """Return labels as `--label` takes them."""
    return " ".join(f"{name}={value}" for name, value in labels.items())


def metric_rows(result: Json) -> list[tuple[str, ...]]:
    """Return point, name, value, unit and direction of each metric."""
    return [
        (
            *(point["point"], name, number(metric["value"])),
            *(metric["unit"], metric["direction"] or ""),
        )
        for point in result["points"]
        for name, metric in point["metrics"].items()
    ]


def cell_text(cell: Json | None) -> str:
    """Return a metric of a row: the median, its quartiles, and what they say of the baseline.

    >>> cell_text({"median": 812, "quartiles": [805, 820], "n": 5, "change_pct": -3.2,
    ...            "verdict": "better"})
    '812 (805..820) -3.2% better'
    """
    if cell is None:
        return ""
    parts = [number(cell["median"])]
    if cell["n"] > 1:
        quartiles = (number(one, digits=3) for one in cell["quartiles"])
        parts.append(f"({'..'.join(quartiles)})")
    if cell["change_pct"] is not None:
        parts.append(f"{cell['change_pct']:+.1f}%")
    if cell["verdict"] is not None:
        parts.append(_VERDICTS.get(cell["verdict"], str(cell["verdict"])))
    return " ".join(parts)


def setting(value: JsonValue) -> str:
    """Return the value of a setting or a label in one line: a text as it is, else JSON."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(too deep to show)"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def short_names(keys: Sequence[str]) -> list[str]:
    """Return the last parts of paths, as many as distinguish them.

    >>> short_names(["engine.max_num_seqs", "engine.dtype", "server.dtype"])
    ['max_num_seqs', 'engine.dtype', 'server.dtype']
    """
    parts = [key.split(".") for key in keys]
    return [".".join(_distinguishing_end(own, parts)) for own in parts]


def _distinguishing_end(own: Sequence[str], parts: Iterable[Sequence[str]]) -> Sequence[str]:
    others = [one for one in parts if one is not own]
    for count in range(1, len(own)):
        if all(other[-count:] != own[-count:] for other in others):
            return own[-count:]
    return own
