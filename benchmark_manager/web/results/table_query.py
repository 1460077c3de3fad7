"""What a table's address says: which results, which columns, and how they are ordered."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from benchmark_manager.domain.results.name_lists import listed
from benchmark_manager.models.result_table import RowGroup, TableSelection

#: The order of rows: a column's key, behind `-` from the last to the first.
Sort: TypeAlias = str
Wanted: TypeAlias = Literal["csv", "json", "brv02"]

#: Releases and metrics that an address of a page names; the API takes more.
MOST_RELEASES: Final = 100
_MOST_METRICS: Final = 60
_LONGEST: Final = 500
_START_DIGITS: Final = 6
_DIGITS: Final = re.compile("[0-9a-f]{64}")
_PREFIX: Final = "sha256:"


@dataclass(frozen=True, slots=True)
class TableQuery:
    """The parts of an address; empty ones are left out of it.

    `shows_all` asks for all settings that were varied, however many, and not only the first ones.
    `axis` and `metric` are those of the first chart, `front` the two metrics of the trade-off.
    """

    sweep: str = ""
    shows_retired: bool = False
    releases: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    baseline: str = ""
    point: str = ""
    group: RowGroup = "release"
    sort: Sort = ""
    hides_equal: bool = False
    shows_all: bool = False
    axis: str = ""
    metric: str = ""
    front: tuple[str, str] | None = None
    start: int = 0

    @classmethod
    def of(cls, parameters: QueryParams) -> "TableQuery":
        """Read an address, or what the form of the page sent."""
        ticked = parameters.get("show") == "ticked"
        releases = parameters.getlist("tick") if ticked else parameters.getlist("releases")
        front = (_short(parameters, "front"), _short(parameters, "against"))
        return cls(
            sweep="" if ticked else _short(parameters, "sweep"),
            shows_retired=parameters.get("retired") == "show" and not ticked,
            releases=_digests(releases),
            metrics=_names(parameters.getlist("metric")),
            baseline=_with_prefix(_short(parameters, "baseline")),
            point=_short(parameters, "point"),
            group="environment" if parameters.get("group") == "environment" else "release",
            sort=_short(parameters, "sort"),
            hides_equal=parameters.get("equal") == "hide",
            shows_all=parameters.get("varied") == "all",
            axis=_short(parameters, "axis"),
            metric=_short(parameters, "chart"),
            front=front if all(front) else None,
            start=_start(parameters.get("from", "")),
        )

    @property
    def selection(self) -> TableSelection:
        """Return what the service compares."""
        return TableSelection(
            sweep_id=self.sweep or None,
            retired=self.shows_retired,
            releases=self.releases,
            metrics=self.metrics,
            baseline=self.baseline or None,
            point=self.point or None,
            group=self.group,
            pareto=self.front,
        )

    @property
    def is_chosen(self) -> bool:
        """Return whether the table is not that of all results."""
        return bool(self.sweep or self.releases or self.point)

    def address(self) -> str:
        """Return the query of this page, beginning with `?`."""
        first, second = self.front or ("", "")
        pairs = [
            ("sweep", self.sweep),
            ("retired", "show" if self.shows_retired else ""),
            ("releases", ",".join(digest.removeprefix(_PREFIX) for digest in self.releases)),
            *(("metric", name) for name in self.metrics),
            ("baseline", self.baseline.removeprefix(_PREFIX)),
            ("point", self.point),
            ("group", "" if self.group == "release" else self.group),
            ("sort", self.sort),
            ("equal", "hide" if self.hides_equal else ""),
            ("varied", "all" if self.shows_all else ""),
            ("axis", self.axis),
            ("chart", self.metric),
            ("front", first),
            ("against", second),
            ("from", str(self.start or "")),
        ]
        return "?" + urlencode([pair for pair in pairs if pair[1]], quote_via=quote, safe=",")

    def sorted_by(self, key: str) -> "TableQuery":
        """Return the query that orders by a column; by the same one again, the other way."""
        return replace(self, sort=f"-{key}" if self.sort == key else key, start=0)

    def with_baseline(self, baseline: str) -> "TableQuery":
        return replace(self, baseline=baseline)

    def with_retired(self, shows: bool) -> "TableQuery":
        return replace(self, shows_retired=shows, start=0)

    def with_all_varied(self) -> "TableQuery":
        return replace(self, shows_all=True)

    def from_row(self, start: int) -> "TableQuery":
        return replace(self, start=start)

    def of_api(self) -> str:
        """Return the query of the API's address for the same table."""
        first, second = self.front or ("", "")
        pairs = [
            ("sweep", self.sweep),
            ("retired", "true" if self.shows_retired else ""),
            ("releases", ",".join(self.releases)),
            ("metrics", listed(self.metrics)),
            ("baseline", self.baseline),
            ("point", self.point),
            ("group", "" if self.group == "release" else self.group),
            ("pareto", listed((first, second)) if first else ""),
        ]
        return urlencode([pair for pair in pairs if pair[1]], quote_via=quote, safe=",:")


def _short(parameters: QueryParams, name: str) -> str:
    value = parameters.get(name, "")
    return value.replace("\0", "") if len(value) <= _LONGEST else ""


def _digests(given: list[str]) -> tuple[str, ...]:
    parts = (part.strip() for text in given for part in text.split(",", MOST_RELEASES))
    found = dict.fromkeys(_with_prefix(part)[:_LONGEST] for part in parts if part)
    return tuple(found)[:MOST_RELEASES]


def _with_prefix(text: str) -> str:
    return f"{_PREFIX}{text}" if _DIGITS.fullmatch(text) else text


def _names(given: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in given if 0 < len(name) <= _LONGEST))[:_MOST_METRICS]


def _start(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _START_DIGITS else 0
