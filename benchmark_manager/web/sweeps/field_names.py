"""Fields of a definition as the pages call them."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader

OF_AXIS: Final = re.compile(r"axes\[(\d+)\](?:\.(\w+))?(?:\[(\d+)\])?")
_COMBINATION: Final = re.compile(r"(exclude|include)\[(\d+)\](?:\.(.*))?", re.DOTALL)
_FILE: Final = re.compile(r"files\.(.*)", re.DOTALL)

LABELS: Final[Mapping[str, str]] = {
    "name": N_("Name"),
    "description": N_("Description"),
    "files": N_("Files"),
    "files.alias": N_("Alias"),
    "axes": N_("Axes"),
    "axis": N_("The axis"),
    "axis.name": N_("Name"),
    "axis.set": N_("Sets"),
    "axis.values": N_("Values"),
    "axis.points": N_("Points"),
    "exclude": N_("Combinations to leave out"),
    "exclude.entry": N_("Combination %(number)s to leave out"),
    "include": N_("Combinations to add"),
    "include.entry": N_("Combination %(number)s to add"),
    "repeats": N_("Repeats"),
}


def field_words(field: str, axes: Sequence[str], reader: Reader) -> str:
    """Return a field as the form calls it, or unchanged if the form has no name for it.

    `axes` are the names of the definition's axes.

    >>> from benchmark_manager.web.site.reader import Reader
    >>> field_words("axes[0].values", ["seqs"], Reader("en", "auto"))
    'Values (seqs)'
    >>> field_words("exclude[1].dtype", ["seqs"], Reader("en", "auto"))
    'Combination 2 to leave out (dtype)'
    """
    if (match := OF_AXIS.match(field)) is not None and int(match[1]) < len(axes):
        label = LABELS.get(f"axis.{match[2]}", LABELS["axis"])
        return _with(reader.words(label), axes[int(match[1])] or str(int(match[1]) + 1))
    if (match := _COMBINATION.fullmatch(field)) is not None:
        label = reader.words(LABELS[f"{match[1]}.entry"]) % {"number": int(match[2]) + 1}
        return _with(label, match[3])
    if (match := _FILE.fullmatch(field)) is not None:
        return _with(reader.words(LABELS["files.alias"]), match[1])
    plain = LABELS.get(re.split(r"[.\[]", field)[0])
    return field if plain is None else reader.words(plain)


def _with(label: str, detail: str | None) -> str:
    return f"{label} ({detail})" if detail else label
