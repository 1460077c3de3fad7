"""What the page of a table shows around it: choices, notices and charts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.messages.notes import notice_words
from benchmark_manager.models.result import Direction
from benchmark_manager.models.result_table import MetricColumn, ResultTable, TableRow
from benchmark_manager.web.charts.from_table import Charts, charts_of
from benchmark_manager.web.results.drawn_table import DrawnResultTable, page_of
from benchmark_manager.web.results.table_query import TableQuery
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import GROUP
from benchmark_manager.web.texts.visible import seen

#: Points and metrics that the form offers, and characters of a name in it.
_POINTS: Final = 200
_METRICS: Final = 300
_CHARTED: Final = 100
_NAME: Final = 80
#: Characters of a notice.
_NOTICE: Final = 1000
_ALL_POINTS: Final = N_("all points")


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table, and what its page offers; choices are words by value."""

    drawn: DrawnResultTable
    charts: Charts
    notices: tuple[str, ...]
    baseline: TableRow | None
    #: Without the baseline.
    alone: str
    #: With all settings that were varied.
    unfolded: str
    #: With retired cells where results of some are left out; without them where they are shown.
    with_retired: str
    without_retired: str
    points: Mapping[str, str]
    groups: Mapping[str, str]
    axes: Mapping[str, str]
    charted: Mapping[str, str]
    front: tuple[str, str]
    available: Sequence[MetricColumn]
    more_available: int
    chosen: frozenset[str]
    directions: Mapping[str, Direction | None]
    several_files: bool
    #: For addresses of the API; a further parameter may follow.
    api_query: str
    #: The address of a page of rows, without the first row's number at its end.
    pages: str

    @classmethod
    def of(
        cls, table: ResultTable, query: TableQuery, project_id: str, root: str, reader: Reader
    ) -> "ShownTable":
        charts = charts_of(
            table,
            lambda row: root + page_of(row, query.sweep),
            x_axis=query.axis,
            metric=query.metric,
            pareto=query.front,
        )
        charted = _named(column.name for column in table.metrics[:_CHARTED])
        return cls(
            drawn=DrawnResultTable.of(table, query, project_id),
            charts=charts,
            notices=tuple(_notices(table, reader)),
            baseline=next((row for row in table.rows if row.is_baseline), None),
            alone=query.with_baseline("").address(),
            unfolded=query.with_all_varied().address(),
            with_retired=query.with_retired(True).address() if _leaves_out_retired(table) else "",
            without_retired=query.with_retired(False).address() if query.shows_retired else "",
            points={"": reader.words(_ALL_POINTS), **_named(filter(None, table.points[:_POINTS]))},
            groups={name: reader.words(word) for name, word in GROUP.items()},
            axes=_named(charts.axes),
            charted=charted,
            front=table.pareto or ("", ""),
            available=table.available_metrics[:_METRICS],
            more_available=max(0, len(table.available_metrics) - _METRICS),
            chosen=frozenset(column.name for column in table.metrics),
            directions={column.name: column.direction for column in table.metrics},
            several_files=len({column.file for column in table.varied}) > 1,
            api_query=_followed(query.of_api()),
            pages=query.from_row(0).address() + "&from=",
        )

    @property
    def offers_points(self) -> bool:
        return len(self.points) > 2  # noqa: PLR2004 -- all of them, and one


def _leaves_out_retired(table: ResultTable) -> bool:
    return any(notice.code == "retired_left_out" for notice in table.notices)


def _followed(query: str) -> str:
    """Return a query that another parameter may follow."""
    return f"{query}&" if query else ""


def _named(names: Iterable[str]) -> dict[str, str]:
    return {name: seen(name, _NAME) for name in names}


def _notices(table: ResultTable, reader: Reader) -> Iterable[str]:
    for notice in table.notices:
        yield seen(notice_words(notice.code, notice.facts, reader.language), _NOTICE)
