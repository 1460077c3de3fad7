"""Lists of names in one text, separated by commas; a name with a comma is in double quotes."""

import csv
import io
from collections.abc import Iterable


def listed(names: Iterable[str]) -> str:
    """Return the list of these names.

    Example:
        >>> listed(["ttft_p99", "latency, p50"])
        'ttft_p99,"latency, p50"'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    return text.getvalue()


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a list, without empty ones.

    Example:
        >>> names_in('ttft_p99, "mmlu.acc,none"')
        ('ttft_p99', 'mmlu.acc,none')
    """
    try:
        rows = list(csv.reader([text], skipinitialspace=True))
    except csv.Error:
        # It holds a line end, which no name has.
        return (text,)
    return tuple(name for row in rows for part in row if (name := part.strip()))
